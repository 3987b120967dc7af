//! The content of uploaded files, exported files and linked screenshots, and the signed links to this content.

mod content;
mod link;

pub(crate) use content::{Contents, IncomingFile};
pub(crate) use link::{LinkQuery, LinkSigner};
