//! Objects in the form that JavaScript receives.

use crate::encoding::json::Value;

/// An object with plain fields, and at most one additional field whose content is too large to pass through JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainObject {
    /// The plain fields: a JSON object.
    pub fields: Value,
    /// The name and the content of the additional field.
    pub payload: Option<(&'static str, Payload)>,
}

/// The content of a field that does not pass through JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A string.
    Text(String),
    /// A `Float32Array`.
    Samples(Vec<f32>),
    /// A `Uint8Array`.
    Bytes(Vec<u8>),
}

impl PlainObject {
    /// Creates an object with an additional field.
    #[must_use]
    pub fn with_payload(fields: Value, name: &'static str, payload: Payload) -> Self {
        Self { fields, payload: Some((name, payload)) }
    }
}

impl From<Value> for PlainObject {
    fn from(fields: Value) -> Self {
        Self { fields, payload: None }
    }
}
