//! Files that clients upload and that are taken from computers: their content, and the links to it.

mod content;
mod link;

pub(crate) use content::{Arrival, Contents};
pub(crate) use link::{Linker, Signature};
