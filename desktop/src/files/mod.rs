//! The content of uploaded and exported files and of linked screenshots, and signed links to it.

mod content;
mod link;

pub(crate) use content::{Contents, IncomingFile};
pub(crate) use link::{LinkQuery, LinkSigner};
