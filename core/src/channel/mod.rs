//! The WebSocket channels of a computer as state machines.
//!
//! A [`Session`] is one channel through all its sockets: it refreshable for credentials, dials, keeps the link alive, and
//! dials again when it breaks. The three protocols ([`Terminal`], [`Audio`], [`Events`]) say what travels on it.
//!
//! The caller reports what happens (`handle_*`), then drains [`Session::poll_action`] and re-arms one timer for
//! [`Session::poll_timeout`]; after every input, once more from the start. What the server sent comes out of
//! [`Session::poll_item`] whenever the consumer wants it, and [`Session::wants_read`] says whether to read on.

mod any;
mod audio;
mod close;
mod events;
mod input;
mod link;
mod session;
mod terminal;
mod text;

pub use any::{AnySession, Command, Kind, open};
pub use audio::{Audio, AudioItem};
pub use close::{CloseCause, CloseReason};
pub use events::{
    ClipboardData, DesktopEvent, EVENTS, EventDeclaration, EventItem, Events, FileChangeData, IdleData,
    NoData, ProcessData, ScreenChangeData, WindowData, WindowIdData,
};
pub use link::{Action, ConnectFailure, Counters, State, Target};
pub use session::{Protocol, Session};
pub use terminal::{InputRefusal, Terminal, TerminalItem};

/// The largest message that a channel accepts, in bytes: far more than any channel sends.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// The terminal of a computer.
pub type TerminalSession = Session<Terminal>;
/// The sound of a computer.
pub type AudioSession = Session<Audio>;
/// The events of a computer's desktop.
pub type EventsSession = Session<Events>;
