//! Converts between values of the core and JavaScript values.

#[cfg(feature = "rest")]
use js_sys::Object;
use js_sys::{Float32Array, JSON, Reflect, Uint8Array, parse_float};
use orgo_core::client::fields::read_object;
#[cfg(feature = "channels")]
use orgo_core::client::fields::read_value;
use orgo_core::encoding::json::{Map, Value};
use orgo_core::encoding::plain::{Payload, PlainObject};
use orgo_core::error::Error;
#[cfg(feature = "rest")]
use orgo_core::rest::upload::{Content, Data};
use serde::{Serialize, Serializer};
use serde_wasm_bindgen::Serializer as JsSerializer;
#[cfg(feature = "rest")]
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "rest")]
use crate::platform::Source;

/// Converts a small value whose fields the core names, such as a state or an error.
pub(crate) fn to_js(value: &Value) -> JsValue {
    // This cannot fail, because serde supports every JSON value.
    Plain(value).serialize(&JsSerializer::json_compatible()).unwrap_or_default()
}

/// A value for serde-wasm-bindgen. The JavaScript engine parses its numbers, because Rust's own parser of fractions
/// contains 10 kB of tables.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => serializer.serialize_f64(parse_float(number.as_str())),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, Plain(value))))
            }
        }
    }
}

/// Parses valid JSON. Content of the service passes through its text: one call of `JSON.parse` is faster than creating each
/// object, and creates a field `__proto__` like every other field, while an assignment would set the prototype.
fn parse(json: &str) -> JsValue {
    JSON::parse(json).unwrap_or_default()
}

/// Converts an object. Its payload is copied out of the module's memory.
pub(crate) fn object_to_js(PlainObject { fields, payload }: PlainObject) -> JsValue {
    let object = parse(&fields.into_json());
    if let Some((name, payload)) = payload {
        let content = match payload {
            Payload::Text(text) => text.into(),
            Payload::Samples(samples) => Float32Array::from(samples.as_slice()).into(),
            Payload::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            Payload::Shared(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            Payload::Host(text) => text.get::<JsValue>().cloned().unwrap_or_default(),
        };
        // Setting a field of a new object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &content);
    }
    object
}

/// Converts an error to a plain `ErrorRecord`.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    to_js(&error.record())
}

/// Reads an object of plain data; `undefined` becomes an empty object. The object passes through JSON, as in Node, so
/// that both bindings omit or refuse the same values.
///
/// # Errors
/// [`Error::Encode`] for anything else.
pub(crate) fn map_from_js(owner: &str, name: &str, value: &JsValue) -> Result<Map, Error> {
    if value.is_undefined() { Ok(Map::new()) } else { read_object(owner, name, to_json(value).as_deref()) }
}

/// Reads plain data; `undefined` becomes `null`. A string may be long, so it does not pass through JSON.
///
/// # Errors
/// [`Error::Encode`] for anything else.
#[cfg(feature = "channels")]
pub(crate) fn value_from_js(owner: &str, name: &str, value: &JsValue) -> Result<Value, Error> {
    match value.as_string() {
        Some(text) => Ok(text.into()),
        None if value.is_undefined() => Ok(Value::Null),
        None => read_value(owner, name, to_json(value).as_deref()),
    }
}

/// Converts a value to JSON text. Returns `None` for a cyclic value, for which `JSON.stringify` throws, and for a
/// function, which JSON cannot represent.
fn to_json(value: &JsValue) -> Option<String> {
    stringify(value).ok()?
}

#[wasm_bindgen]
extern "C" {
    /// Unlike that of `js_sys`, its result is a string of Rust, which saves a call.
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn stringify(value: &JsValue) -> Result<Option<String>, JsValue>;
}

/// Reads the content of an upload. Returns `None` if there is none.
///
/// # Errors
/// [`Error::Encode`] unless the content consists of a name, a type and bytes.
#[cfg(feature = "rest")]
pub(crate) fn content_from_js(operation: &str, content: Option<&Object>) -> Result<Option<Content>, Error> {
    let Some(content) = content else { return Ok(None) };
    let field = |name: &str| Reflect::get(content, &name.into()).unwrap_or_default();
    let data = field("data").dyn_ref::<Uint8Array>().map(|data| data.to_vec().into());
    let source = || {
        file_from_js(Some(content)).map(|source| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size of a file")]
            let size = source.size().map(|size| size as u64);
            Data::External { size, repeatable: source.repeatable() }
        })
    };
    let data = data.or_else(source);
    Content::read(operation, field("name").as_string(), field("content_type").as_string(), data).map(Some)
}

/// Returns the source of an upload. Returns `None` if its bytes are in memory, and for a call without an upload.
#[cfg(feature = "rest")]
pub(crate) fn file_from_js(content: Option<&Object>) -> Option<Source> {
    let source = Reflect::get(content?, &"source".into()).ok()?;
    source.is_object().then(|| source.unchecked_into())
}

/// Returns whether JavaScript will read the progress of an upload.
#[cfg(feature = "rest")]
pub(crate) fn reports_progress(content: Option<&Object>) -> bool {
    content.is_some_and(|content| {
        Reflect::get(content, &"reports_progress".into()).is_ok_and(|value| value.is_truthy())
    })
}
