//! Values of JavaScript: those that a program passes, and objects in the form that it receives.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use orgo_screen::{Argument, Record};

use crate::encoding::json::{Map, Value};

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

impl Fields {
    /// Returns JSON without spaces between values.
    #[must_use]
    pub fn into_json(self) -> String {
        match self {
            Self::Value(value) => value.to_json(),
            Self::Type(name) => [r#"{"type":""#, name, r#""}"#].concat(),
            Self::Json(text) => text,
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
    /// A `Uint8Array` with a copy of memory that others may read.
    Shared(Arc<Vec<u8>>),
    /// A string of JavaScript.
    Host(HostText),
}

/// A text in the form of the host, such as a string of JavaScript, which the core passes on without reading it.
#[derive(Clone)]
pub struct HostText(Arc<dyn Any + Send + Sync>);

impl HostText {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Any + Send + Sync) -> Self {
        Self(Arc::new(text))
    }

    /// Returns the text if it has this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for HostText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostText")
    }
}

/// Two texts are equal if one is a clone of the other.
impl PartialEq for HostText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HostText {}

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

impl Argument for &Value {
    fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn items(&self) -> Option<Vec<Self>> {
        if let Value::Array(items) = self { Some(items.iter().collect()) } else { None }
    }

    fn field(&self, name: &str) -> Self {
        static NULL: Value = Value::Null;
        self.get(name).unwrap_or(&NULL)
    }
}

impl PlainObject {
    /// Returns the plain fields as a value.
    pub(crate) fn into_value(self) -> Value {
        match self.fields {
            Fields::Value(value) => value,
            Fields::Type(_) | Fields::Json(_) => Value::Null,
        }
    }

    fn insert(&mut self, name: &'static str, value: Value) {
        if let Fields::Value(Value::Object(fields)) = &mut self.fields {
            fields.insert(name, value);
        }
    }
}

impl Record for PlainObject {
    fn empty() -> Self {
        Value::Object(Map::new()).into()
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.insert(name, value.into());
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.insert(name, value.into());
    }

    fn list(&mut self, name: &'static str, items: Vec<Self>) {
        self.insert(name, Value::Array(items.into_iter().map(Self::into_value).collect()));
    }

    fn long_text(&mut self, name: &'static str, value: String) {
        self.payload = Some((name, Payload::Text(value)));
    }

    fn bytes(&mut self, name: &'static str, value: Arc<Vec<u8>>) {
        self.payload = Some((name, Payload::Shared(value)));
    }
}
