//! JSON, base64, percent-encoding and text search, each small enough for a web page.

pub(crate) mod base64;
pub mod json;
pub(crate) mod percent;
pub mod plain;
pub mod text;
