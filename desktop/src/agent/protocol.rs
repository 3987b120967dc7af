//! What the server and the agent say to each other: one JSON object per line, the server's line first.
//!
//! Before its first line the agent sends one byte, which carries the file descriptor of the process's output if it has one,
//! or of the file that was asked for.

use serde::{Deserialize, Serialize};

/// The one request of a connection.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Start a process and report how it ends.
    Spawn(Spawn),
    /// Report every process that starts or ends from now on.
    WatchProcesses,
    /// Ask every process of the box to end, but for those of one name, and close the connection when they have.
    Terminate { spared: String },
    /// Open a file of the home for reading: an absolute path, one from the home, or one that begins with `~/`.
    OpenFile { path: String },
    /// Open a new file for writing. When the server says that it is complete, by one more byte, it gets its name in a
    /// folder of the home, in place of another of that name.
    PlaceFile { folder: String, name: String },
}

/// A process to start.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Spawn {
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) stdio: Stdio,
}

/// Where the output of a process goes. Its input is empty, except with a terminal.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stdio {
    /// A terminal of its own, whose other end the server gets.
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
pub(crate) enum Reply {
    Started,
    Failed {
        message: String,
    },
    /// The exit code; 128 + the signal's number when a signal ended it, as a shell counts.
    Exited {
        code: i32,
    },
}

/// A change in the list of processes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TableChange {
    Started { pid: u32, name: String },
    Ended { pid: u32, name: String },
}

/// What the agent answers about a file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileReply {
    Done,
    Refused(FileRefusal),
}

/// Why the agent did not open a file.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileRefusal {
    #[error("there is no such file")]
    NotFound,
    #[error("the path leads out of the home")]
    OutsideHome,
    #[error("it is not a file")]
    NotAFile,
    #[error("{0}")]
    Failed(String),
}
