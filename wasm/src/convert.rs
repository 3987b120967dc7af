//! Values of the core as JavaScript values and back.

use js_sys::{Float32Array, JSON, Object, Reflect, Uint8Array, parse_float};
use orgo_core::channel::{AudioItem, TerminalItem};
use orgo_core::encoding::json::{self, Map, Value};
use orgo_core::error::{EncodeError, Error};
use orgo_core::rest::call::Output;
use orgo_core::rest::upload::{Content, UploadProgress};
use serde::{Serialize, Serializer};
use serde_wasm_bindgen::Serializer as JsSerializer;
use wasm_bindgen::{JsCast, JsValue};

/// A value as plain data.
pub(crate) fn to_js(value: &Value) -> JsValue {
    // Only a value that serde cannot describe would fail, and JSON is all of it.
    Plain(value).serialize(&JsSerializer::json_compatible()).unwrap_or_default()
}

/// A value for serde-wasm-bindgen. Its numbers are read by the engine, whose reader every page has already; Rust's own
/// for fractions is 10 kB of tables.
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

/// An error as a plain `ErrorRecord`.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    to_js(&error.record())
}

/// What `operation` got as `field` is not acceptable. The problem does not show the value, which may hold a secret.
pub(crate) fn refused(operation: &str, field: &str, problem: &str) -> Error {
    Error::Encode(EncodeError {
        operation: operation.to_owned(),
        field: field.to_owned(),
        problem: problem.to_owned(),
    })
}

/// Reads an object of plain data; an absent value is read as an empty one. It takes the way over JSON, as in Node: what
/// is no JSON is left out or refused by the same rules.
///
/// # Errors
/// [`Error::Encode`] for anything else.
pub(crate) fn map_from_js(operation: &str, field: &str, value: &JsValue) -> Result<Map, Error> {
    if value.is_undefined() {
        return Ok(Map::new());
    }
    // A cycle throws, and a function has no JSON.
    let json = JSON::stringify(value).ok().and_then(|json| json.as_string());
    match json.map(|json| json::parse(json.as_bytes())) {
        Some(Ok(Value::Object(fields))) => Ok(fields),
        _ => Err(refused(operation, field, "must be an object of plain data")),
    }
}

/// Reads the content of an upload; `None` where there is none.
///
/// # Errors
/// [`Error::Encode`] for anything else than a name, a type and bytes.
pub(crate) fn content_from_js(operation: &str, content: &JsValue) -> Result<Option<Content>, Error> {
    if content.is_undefined() || content.is_null() {
        return Ok(None);
    }
    let field = |name: &str| Reflect::get(content, &name.into()).unwrap_or_default();
    let text = |name: &str| field(name).as_string();
    match (text("name"), text("content_type"), field("data").dyn_ref::<Uint8Array>()) {
        (Some(name), Some(content_type), Some(data)) => {
            Ok(Some(Content { name, content_type, data: data.to_vec() }))
        }
        _ => Err(refused(operation, "file", "must have a name, a content_type and a Uint8Array as data")),
    }
}

/// How far an upload is; `null` after its end.
pub(crate) fn upload_progress_to_js(uploaded: Option<UploadProgress>) -> JsValue {
    uploaded.map_or(JsValue::NULL, |UploadProgress { loaded, total }| {
        object(&[("loaded", loaded.into()), ("total", total.into())])
    })
}

/// How a call ended, as an `Outcome`.
pub(crate) fn outcome_to_js(result: Result<Output, Error>) -> JsValue {
    let (value, bytes) = match result {
        Err(error) => return object(&[("ok", false.into()), ("error", error_to_js(&error))]),
        Ok(Output::Value(value)) => return object(&[("ok", true.into()), ("value", to_js(&value))]),
        Ok(Output::Content(bytes)) => (JsValue::NULL, bytes),
        Ok(Output::Screenshot(picture)) => {
            let value = object(&[
                ("mime_type", picture.mime_type.into()),
                ("width", picture.width.into()),
                ("height", picture.height.into()),
            ]);
            (value, picture.data)
        }
    };
    object(&[("ok", true.into()), ("value", value), ("bytes", Uint8Array::from(bytes.as_slice()).into())])
}

/// What a terminal gives. Its output, which may be much, does not take the way over JSON.
pub(crate) fn terminal_to_js(item: TerminalItem) -> JsValue {
    match item {
        TerminalItem::Output { data } => object(&[("type", "output".into()), ("data", data.into())]),
        other => to_js(&other.to_json()),
    }
}

/// A piece of sound; its samples are copied out of the module's memory.
pub(crate) fn audio_to_js(item: AudioItem) -> JsValue {
    match item {
        AudioItem::Started(format) => object(&[
            ("type", "started".into()),
            ("sample_rate", format.sample_rate.into()),
            ("channels", format.channels.into()),
        ]),
        AudioItem::Samples(samples) => {
            object(&[("type", "samples".into()), ("samples", Float32Array::from(samples.as_slice()).into())])
        }
        AudioItem::Error(message) => object(&[("type", "error".into()), ("message", message.into())]),
    }
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh object does not fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
