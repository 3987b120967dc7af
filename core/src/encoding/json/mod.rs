//! JSON, as the protocol needs it.
//!
//! A page downloads this code, so it is small: a number keeps the text that it came as, which spares the conversion
//! of floating-point numbers in both directions and loses no digit of any. The typed Rust API goes through serde.

mod read;
#[cfg(test)]
mod tests;
mod typed;
mod value;
mod write;

pub use read::{MAX_VALUES, SyntaxError, parse};
pub(crate) use read::{members, text};
pub(crate) use typed::serialize_as_json;
pub use value::{Map, Number, Value};
pub(crate) use write::{quote, write_escape};
