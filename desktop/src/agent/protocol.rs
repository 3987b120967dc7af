//! The protocol between the server and the agent.
//!
//! The server and the agent share one socket pair, which is created before the agent starts. For each request the
//! server creates another pair and passes one end of it to the agent. The server writes the request to the other end,
//! as one line of JSON. The first byte of the line carries the descriptors of the request. The first byte of the reply
//! carries the descriptor that was requested, if any. The rest of the reply consists of lines of JSON.

use serde::{Deserialize, Deserializer, Serialize};

use crate::untrusted::printable;

/// The request of a connection. Each connection carries one request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Replies once the agent is ready.
    Hello,
    /// Starts a process and reports its exit.
    Spawn(Spawn),
    /// Reports every process that starts or ends from now on.
    WatchProcesses,
    /// Reports the changes in these folders of the home from now on.
    WatchFolders { folders: Vec<String> },
    /// Sends SIGTERM to every process of the computer except those with this name, and closes the connection when all
    /// others have exited.
    Terminate { excluded: String },
    /// Opens a file of the home for reading. The path is absolute, relative to the home, or starts with `~/`.
    OpenFile { path: String },
    /// Creates a temporary file and opens it for writing. After the server has sent one more byte, the agent moves the
    /// file into a folder of the home and replaces a file of the same name.
    PlaceFile { folder: String, name: String },
    /// Connects to a server inside the computer by the path of the server's socket, as soon as the server listens.
    Connect { path: String, listen_timeout_ms: u64 },
    /// Opens the agent's network namespace.
    OpenNetwork,
    /// Passes the device with which the server opens a terminal in the box.
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
    /// Whether the process runs a Python program. Such a request comes with two descriptors. The agent copies the first
    /// descriptor, the source, to a file that exists while the process runs, and appends the path of the file to the
    /// arguments. The process inherits the second descriptor and writes its report to it.
    pub(crate) script: bool,
}

/// The destination of a process's output. The stdin of a process without a terminal is empty.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stdio {
    /// A terminal that the server has opened. The slave side of the terminal is the first descriptor of the request.
    /// The process inherits it only as stdin, stdout and stderr.
    Terminal { cols: u16, rows: u16 },
    /// Stdout and stderr go to the same pipe, so their order is kept.
    Merged,
    /// Stdout goes to a pipe, and stderr is discarded. The process is a helper of the server, and does not appear in
    /// the list of processes.
    Output,
    /// Stdout and stderr are appended to a file.
    Log { path: String },
}

/// A message of the agent about a process.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpawnReply {
    Started,
    Failed {
        #[serde(deserialize_with = "reason")]
        message: String,
        /// Whether the computer has reached a limit on processes, threads or memory.
        exhausted: bool,
    },
    Exited(Exit),
}

/// The way in which a process exited.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Exit {
    /// The exit code, or 128 + the signal number if a signal ended the process, as in a shell.
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

/// A change in a watched folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct FolderChange {
    /// The folder, as the request named it.
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
    /// Returns the name of the action in the protocol of the events channel.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
        }
    }
}

/// A reply to any request that does not start a process.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Refused(Refusal),
}

/// The reason why the agent refused a request.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    #[error("the file does not exist")]
    NotFound,
    #[error("the path is outside of the home")]
    OutsideHome,
    #[error("it is not a regular file")]
    NotAFile,
    /// The mode of the file, or of a folder above it, does not allow the user to read the file.
    #[error("the computer's user has no permission to read it")]
    NotReadable,
    #[error("{0}")]
    Failed(#[serde(deserialize_with = "reason")] String),
}

/// Deserializes a string and removes control characters from it, because the server logs the string and returns it to
/// clients.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(printable(&String::deserialize(deserializer)?))
}
