//! The RTMP stream of a computer's screen and audio.

use crate::rest::calls::Acknowledged;
use crate::rest::operation::{bare, endpoint};
use crate::rest::schema::{Rule, Typed, choice, object};

choice! {
    /// The state of a stream.
    StreamState {
        /// The stream was not started.
        Idle = "idle",
        /// The stream is running.
        Streaming = "streaming",
        /// The stream ended without a call of `stream.stop`.
        Terminated = "terminated",
    }
}

object! {
    /// The status of a stream.
    StreamStatus {
        /// The state of the stream.
        status: StreamState,
        /// The start time: ISO 8601, UTC.
        start_time: Option<String>,
        /// The id of the process that sends the stream.
        pid: Option<i64>,
        /// Why the stream ended.
        message: Option<String>,
    }
}

endpoint! {
    /// Starts a stream to an RTMP connection that is saved in the settings of the account.
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
    /// Returns the status of the computer's stream.
    GetStreamStatus = "stream.status";
    Get "/computers/{id}/stream/status", Read, Query => StreamStatus, bare(StreamStatus::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Stops the computer's stream.
    StopStream = "stream.stop";
    Post "/computers/{id}/stream/stop", Idempotent, Json => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}
