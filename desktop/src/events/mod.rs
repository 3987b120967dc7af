//! The events of a computer's desktop: the event sources, and a feed for each subscriber.

mod audio;
mod feed;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod processes;
mod queue;
mod screen;

pub(crate) use feed::Feed;

use serde_json::Value;

use crate::timestamp;

macro_rules! event_types {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// The event types of the protocol.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub(crate) enum EventType {
            $($variant),*
        }

        impl EventType {
            /// Returns the name of this type in the protocol.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

event_types! {
    Active = "active",
    AudioStreamStart = "audio_stream_start",
    AudioStreamStop = "audio_stream_stop",
    Clipboard = "clipboard",
    FileChange = "file_change",
    Idle = "idle",
    ProcessStart = "process_start",
    ProcessStop = "process_stop",
    ScreenChange = "screen_change",
    WindowClose = "window_close",
    WindowFocus = "window_focus",
    WindowOpen = "window_open",
}

/// An event with the time at which it was observed.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventType,
    /// The time in UTC, in ISO 8601 format with milliseconds.
    pub(crate) timestamp: String,
    pub(crate) data: Value,
}

impl Event {
    fn now(kind: EventType, data: Value) -> Self {
        Self { kind, timestamp: timestamp::milliseconds(), data }
    }
}
