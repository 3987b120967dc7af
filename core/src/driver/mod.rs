//! The async loops that the bindings share: they carry out what a [`Call`](crate::rest::call::Call) or a
//! [`Session`](crate::channel::Session) refreshable for, over what a [`Platform`] can do.
//!
//! Nothing here needs `Send`: a binding runs these futures on the one thread that it has for them (in a browser
//! there is only one). A [`Channel`] is the handle that may be used from another thread.

mod call;
mod channel;
mod platform;
mod progress;
mod signal;

pub use call::run_call;
pub use channel::{Channel, Source, drive};
pub use platform::{Message, Platform, Progress, SocketReader, SocketWriter};
pub use progress::{ProgressReceiver, ProgressSender};
