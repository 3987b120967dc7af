//! The WebSocket channels of a computer as state machines.
//!
//! A [`Session`] is one channel across all of its sockets: it requests credentials, connects, sends pings, and
//! reconnects after a break. A protocol ([`Terminal`], [`Audio`] or [`Events`]) encodes and decodes the messages.
//!
//! The caller reports every event with a `handle_*` method. After each event, it performs all actions of
//! [`Session::poll_action`], and sets one timer for [`Session::poll_timeout`]. [`Session::poll_item`] returns the items
//! from the server, at any time. While [`Session::wants_read`] is false, the caller does not read from the socket, so
//! that the server has to wait. The [front page](crate) has an example.

mod any;
mod audio;
mod close;
mod events;
mod input;
mod link;
#[cfg(feature = "screen")]
pub mod screen;
mod screen_protocol;
mod session;
mod terminal;
mod text;

pub use any::{AnySession, Batching, Command, Kind, Named, open};
pub use audio::{Audio, AudioItem};
pub use close::{CloseCause, CloseReason};
pub use events::{
    ClipboardData, DesktopEvent, EVENTS, EventDeclaration, EventItem, Events, FileChangeData, IdleData,
    NoData, ProcessData, ScreenChangeData, WindowData, WindowIdData,
};
pub use link::{Action, ConnectFailure, Counters, State, Target};
pub use orgo_screen::{Condition, InputRefusal};
pub use screen_protocol::ScreenProtocol;
pub use session::{HostOutput, Incoming, Protocol, Session};
pub use terminal::{Terminal, TerminalItem};

/// The largest message that a channel accepts, in bytes. Real messages are far smaller.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// A session of a computer's terminal.
pub type TerminalSession = Session<Terminal>;
/// A session of a computer's audio.
pub type AudioSession = Session<Audio>;
/// A session of the events of a computer's desktop.
pub type EventsSession = Session<Events>;
/// A session of a computer's screen.
#[cfg(feature = "screen")]
pub type ScreenSession = Session<screen::Screen>;
