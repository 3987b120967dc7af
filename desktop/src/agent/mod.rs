//! The agent: this same program run inside a computer, in its box if it has one, where it starts processes and opens files on the server's
//! behalf.
//!
//! The server cannot fork into a box without being root there, and must not open what a computer's user can replace, so it asks:
//! one Unix connection per request, by which descriptors come back. The connection of a process is also its life line: when
//! the server lets go of it, whatever the process started is ended.

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

pub(crate) use client::{Agent, AgentError, FileError, Process, Terminals};
pub(crate) use descriptor::Descriptor;
pub(crate) use harden::MAX_PROCESSES;
pub(crate) use kill::{Identity, Stat, descendants, kill_descendants};
pub(crate) use protocol::{Exit, FolderChange, ProcessChange, Refusal, Spawn, Stdio};
pub(crate) use serve::{AgentPaths, serve};
pub(crate) use spawn::SYSTEM_PATH;
