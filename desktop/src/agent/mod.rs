//! The agent: this same program run inside a computer's box, where it starts processes and opens files on the server's
//! behalf.
//!
//! The server cannot fork into a box without being root there, so it asks: one Unix connection per process.
//! The connection is also the process's life line: when the server lets go of it, whatever the process started is ended.

mod client;
mod descriptor;
mod files;
mod kill;
mod protocol;
mod roster;
mod serve;
mod spawn;
mod supervise;
mod table;

pub(crate) use client::{Agent, AgentError, FileError, Process};
pub(crate) use descriptor::Descriptor;
pub(crate) use protocol::{FileRefusal, Spawn, Stdio, TableChange};
pub(crate) use serve::serve;
