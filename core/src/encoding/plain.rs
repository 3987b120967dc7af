//! Objects in the form that JavaScript receives.

use std::fmt;

use crate::encoding::json::Value;

/// An object with plain fields, and at most one additional field whose content is too large to pass through JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainObject {
    /// The plain fields.
    pub fields: Fields,
    /// The name and the content of the additional field.
    pub payload: Option<(&'static str, Payload)>,
}

/// A JSON object, as a value or as its text.
#[derive(Debug, Clone, PartialEq)]
pub enum Fields {
    /// A value.
    Value(Value),
    /// An object whose only field is `type`.
    Type(&'static str),
    /// The text of the server, which is valid JSON. JavaScript parses it, so it need not be decoded here.
    Json(String),
}

/// Writes JSON without spaces between values.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Type(name) => write!(f, r#"{{"type":"{name}"}}"#),
            Self::Json(text) => f.write_str(text),
        }
    }
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
    /// Creates an object with a field `type` and an additional field.
    #[must_use]
    pub fn of_type(kind: &'static str, name: &'static str, payload: Payload) -> Self {
        Self { fields: Fields::Type(kind), payload: Some((name, payload)) }
    }

    /// Creates an object with an additional field.
    #[must_use]
    pub fn with_payload(fields: Value, name: &'static str, payload: Payload) -> Self {
        Self { fields: Fields::Value(fields), payload: Some((name, payload)) }
    }
}

impl From<Value> for PlainObject {
    fn from(fields: Value) -> Self {
        Self { fields: Fields::Value(fields), payload: None }
    }
}
