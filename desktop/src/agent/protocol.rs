//! What the server and the agent say to each other.
//!
//! The two share one socket pair, made before the box was opened. For each request the server makes another pair and passes one
//! end of it to the agent. On it the server writes the request as a line of JSON, whose first byte carries the descriptors
//! that the request gives. The agent's first byte carries a descriptor if the request asks for one; lines of JSON follow.

use serde::{Deserialize, Deserializer, Serialize};

use crate::untrusted::printable;

/// The one request of a connection.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Say that the agent is at work.
    Hello,
    /// Start a process and report how it ends.
    Spawn(Spawn),
    /// Report every process that starts or ends from now on.
    WatchProcesses,
    /// Report what changes in these folders of the home from now on.
    WatchFolders { folders: Vec<String> },
    /// Ask every process of the box to end, but for those of one name, and close the connection when they have.
    Terminate { excluded: String },
    /// Open a file of the home for reading: an absolute path, one from the home, or one that begins with `~/`.
    OpenFile { path: String },
    /// Open a new file for writing. When the server says that it is complete, by one more byte, it gets its name in a
    /// folder of the home, in place of another of that name.
    PlaceFile { folder: String, name: String },
    /// Connect to a server inside the box by its socket's path, as soon as it listens.
    Connect { path: String, listen_timeout_ms: u64 },
    /// Open the agent's network namespace.
    OpenNetwork,
    /// Find the device by which the server opens a terminal in the box.
    FindTerminals,
}

/// A process to start.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Spawn {
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) stdio: Stdio,
    /// Whether the process runs a Python program. Two descriptors come with such a request. The agent copies the first, the
    /// source, to a file that exists while the process runs, and adds its path as the last argument. The process inherits the
    /// second, for its report.
    pub(crate) script: bool,
}

/// Where the output of a process goes. Its input is empty, except with a terminal.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stdio {
    /// A terminal of its own, which the server has opened: its other end is the first descriptor that comes with the
    /// request, and is not inherited.
    Terminal { cols: u16, rows: u16 },
    /// Output and errors, in the order written, to one pipe.
    Merged,
    /// Output alone to a pipe; errors are dropped. Such a process is a helper of the server's own, of which no change in
    /// the list of processes is reported.
    Output,
    /// Output and errors appended to a file.
    Log { path: String },
}

/// What the agent reports about a process.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpawnReply {
    Started,
    Failed {
        #[serde(deserialize_with = "reason")]
        message: String,
        /// Whether the computer has no room for another process.
        exhausted: bool,
    },
    Exited(Exit),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Exit {
    /// The exit code; 128 + the signal's number when a signal ended it, as a shell counts.
    pub(crate) code: i32,
    pub(crate) signal: Option<i32>,
}

/// A change in the list of processes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProcessChange {
    Started { pid: u32, name: String },
    Ended { pid: u32, name: String },
}

/// A change in a folder that is watched.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct FolderChange {
    /// As the request named it.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) action: FolderAction,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FolderAction {
    Created,
    Modified,
    Deleted,
}

impl FolderAction {
    /// The wire's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
        }
    }
}

/// What the agent replies to every other request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Refused(Refusal),
}

/// Why the agent did not do what it was asked.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    #[error("there is no such file")]
    NotFound,
    #[error("the path leads out of the home")]
    OutsideHome,
    #[error("it is not a file")]
    NotAFile,
    /// Its mode, or that of a folder above it.
    #[error("the computer's user has no right to read it")]
    NotReadable,
    #[error("{0}")]
    Failed(#[serde(deserialize_with = "reason")] String),
}

/// The server logs it, and returns it to its clients.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(printable(&String::deserialize(deserializer)?))
}
