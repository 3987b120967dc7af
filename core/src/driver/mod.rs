//! What the bindings share: the async loops that perform the steps of a [`Call`](crate::rest::call::Call) and the
//! actions of a [`Session`](crate::channel::Session) on a [`Platform`], and the [`Execution`] of a call without async code.
//!
//! The futures need not be `Send`, because a binding runs them on one thread. Only a [`Channel`] may be used from
//! another thread.

mod authorize;
mod call;
mod channel;
mod download;
mod execution;
mod platform;
mod progress;
mod run;
mod signal;
#[cfg(test)]
mod tests;

pub use call::{outcome, prepare_call, run_call};
pub use channel::Channel;
pub use download::{piece_outcome, read_piece};
pub use execution::{Execution, Next};
pub use platform::{HttpPlatform, Message, Outgoing, Platform, Progress, SocketReader, SocketWriter};
pub use progress::{ProgressReceiver, ProgressSender};
pub use run::drive;
