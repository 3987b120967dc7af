//! A small JSON reader and writer.
//!
//! Pages download this code, so it is small. A number is kept as text, so the reader needs no conversion of
//! floating-point numbers and no digits are lost. The typed Rust API uses serde instead.

mod read;
#[cfg(test)]
mod tests;
mod typed;
mod value;
mod write;

pub use read::{Limit, MAX_VALUES, SyntaxError, parse};
pub(crate) use read::{members, text};
pub(crate) use typed::serialize_as_json;
pub use value::{Map, Name, Number, Value};
pub(crate) use write::{quote, write_escape};
