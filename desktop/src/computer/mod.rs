//! Computers: boxes with an X desktop and sound in them, and the fleet that starts and stops them.

mod command;
mod container;
mod delivery;
mod display_socket;
mod environment;
mod fleet;
mod layout;
mod limits;
mod machine;
mod network;
mod python;
mod resolution;
mod runtime_dir;
mod sandbox;
mod session;
mod skeleton;
mod spawner;

pub(crate) use command::{CommandError, Outcome};
pub(crate) use fleet::{Fleet, FleetError, Phase};
pub(crate) use layout::HOME;
pub(crate) use limits::{Enforced, Limits};
pub(crate) use machine::Machine;
pub(crate) use resolution::Resolution;
pub(crate) use runtime_dir::RuntimeDir;
pub(crate) use sandbox::{AGENT, SYSTEM};
pub(crate) use spawner::Spawner;
