//! The async loops that the bindings share. They perform what a [`Call`](crate::rest::call::Call) or a
//! [`Session`](crate::channel::Session) asks for, by means of a [`Platform`].
//!
//! Nothing here needs `Send`, because a binding has one thread for these futures (a browser has no other). Only a
//! [`Channel`] may be used from another thread.

mod authorize;
mod call;
mod channel;
mod platform;
mod progress;
mod run;
mod signal;
#[cfg(test)]
mod tests;

pub use call::{outcome, prepare_call, run_call};
pub use channel::{Channel, Source};
pub use platform::{Message, Platform, Progress, SocketReader, SocketWriter};
pub use progress::{ProgressReceiver, ProgressSender};
pub use run::drive;
