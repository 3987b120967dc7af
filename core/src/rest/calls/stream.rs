//! The RTMP stream of a computer's screen and sound.

use crate::rest::calls::Acknowledged;
use crate::rest::operation::{bare, endpoint};
use crate::rest::schema::{Rule, Typed, choice, object};

choice! {
    /// The state of a stream.
    StreamState {
        /// Not started.
        Idle = "idle",
        /// Running.
        Streaming = "streaming",
        /// Ended by itself.
        Terminated = "terminated",
    }
}

object! {
    /// What a stream does.
    StreamStatus {
        /// Its state.
        status: StreamState,
        /// Since when, ISO 8601, UTC.
        start_time: Option<String>,
        /// The process that sends it.
        pid: Option<i64>,
        /// Why it ended.
        message: Option<String>,
    }
}

endpoint! {
    /// Starts to stream to an RTMP connection that is saved in the account's settings.
    StartStream = "stream.start";
    Post "/computers/{id}/stream/start", Once, Json => StreamStatus, bare(StreamStatus::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {
        /// The name of the saved connection.
        connection_name: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Tells whether a stream runs.
    GetStreamStatus = "stream.status";
    Get "/computers/{id}/stream/status", Read, Query => StreamStatus, bare(StreamStatus::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Ends the stream.
    StopStream = "stream.stop";
    Post "/computers/{id}/stream/stop", Idempotent, Json => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}
