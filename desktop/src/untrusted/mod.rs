//! Safe access to everything that a computer's user can change.
//!
//! The server may run as root, and code inside a computer may rename, link, replace and fill everything that its user
//! can write to. So the server never follows a path there. Either it opens entries by one name at a time, relative to a
//! descriptor and without following links ([`Folder`]), or it asks the agent inside the computer, which has the same
//! rights as the user, and checks the results: descriptors by their type ([`descriptor`]), lines by their length
//! ([`Lines`]).
//!
//! All duplicates of a descriptor share its non-blocking flag, so the server does not rely on it: it opens pipes again,
//! opens terminals itself, and passes `MSG_DONTWAIT` to socket calls.
//!
//! `clippy.toml` forbids the functions of the standard library that take paths. A module that works with the server's
//! own files allows them for itself, with a reason.

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
