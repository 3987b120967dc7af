//! Computers with an X desktop and audio: starting, stopping and isolating them.

mod box_log;
mod boxed;
mod command;
mod delivery;
mod environment;
mod fleet;
mod health;
mod homes;
mod isolation;
mod layout;
mod limits;
mod machine;
mod network;
mod python;
mod resolution;
mod root_process;
mod runtime_dir;
mod session;
mod shutdown;
mod skeleton;
mod spawner;
mod unboxed;
mod users;
mod viewers;
mod x_cookie;

pub(crate) use boxed::{AGENT, ETC_MOUNT, SYSTEM_MOUNTS};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use command::follow;
pub(crate) use command::{CommandError, Outcome};
pub(crate) use fleet::{Fleet, FleetError, Phase};
pub(crate) use homes::Homes;
pub(crate) use isolation::{ContainerSigns, Isolation, IsolationChoice, IsolationDecision, decide};
pub(crate) use layout::{BOX_RUN, HOME, X_SOCKETS};
pub(crate) use limits::{Enforced, Limits};
pub(crate) use machine::{Machine, ScreenAccess};
pub(crate) use network::run_network_launcher;
pub(crate) use resolution::Resolution;
pub(crate) use runtime_dir::RuntimeDir;
pub(crate) use session::Settings;
pub(crate) use spawner::Spawner;
pub(crate) use unboxed::serve as serve_unboxed;
pub(crate) use users::Users;
pub(crate) use x_cookie::XCookie;
