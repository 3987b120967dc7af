//! The agent: a process of this program inside each computer, which starts processes and opens files for the server.
//!
//! The server cannot start a process in a box unless it is root there, and must not open files that the computer's user
//! can replace. It sends requests to the agent instead. Each request uses a separate Unix socket, over which the agent
//! also returns descriptors. The connection of a process is also its lifeline: when the server closes this connection,
//! the agent kills the process and the processes that it started.

mod children;
mod client;
mod connect;
mod descriptor;
mod files;
mod folders;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod harden;
mod kill;
mod process_list;
mod protocol;
mod script;
mod serve;
mod spawn;
mod supervise;

pub(crate) use client::{Agent, AgentError, FileError, Process, TerminalDevice};
pub(crate) use descriptor::Descriptor;
pub(crate) use harden::MAX_PROCESSES;
pub(crate) use kill::{ProcessIdentity, Stat, descendants, kill_descendants};
pub(crate) use protocol::{Exit, FolderChange, ProcessChange, Refusal, Spawn, Stdio};
pub(crate) use serve::{AgentPaths, serve};
pub(crate) use spawn::SYSTEM_PATH;
