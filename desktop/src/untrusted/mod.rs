//! Everything that a computer's user can change, as the server touches it.
//!
//! The server may be root, and code inside a computer may rename, link, replace and fill whatever its user can write. So the
//! server never follows a path there. It either holds a descriptor and goes on from that one name at a time, without links
//! ([`Folder`]), or it asks the agent inside the computer, which has the user's own rights, and checks what comes back:
//! descriptors by their kind ([`descriptor`]), texts by their length ([`Lines`]).
//!
//! Whether calls block is shared by all duplicates of a descriptor, so no thread that is missed elsewhere may depend on it:
//! pipes are opened anew, terminals are opened by the server, and calls to sockets say themselves that they must not block.
//!
//! `clippy.toml` closes the functions of the standard library that take paths to every other module of this crate; a module
//! that works with files of the server's own opens them again for itself, with its reason.

mod connection;
pub(crate) mod descriptor;
mod folder;
mod lines;
pub(crate) mod transfer;

pub(crate) use connection::Connection;
pub(crate) use folder::Folder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use lines::LINE_LIMIT;
pub(crate) use lines::{Lines, printable};
