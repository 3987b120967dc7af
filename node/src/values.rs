//! Conversions between the values of JavaScript and of the core.
//!
//! Plain data is passed as JSON text, which the engine parses and writes faster than the addon can access objects field
//! by field. The core parses and writes the text on the I/O thread.

use napi::bindgen_prelude::{
    Float32ArraySlice, FromNapiValue, Function, JsObjectValue as _, Object, Result, ToNapiValue,
    Uint8ArraySlice, Unknown, sys,
};
use napi::{Env, Error, JsValue as _, Status, ValueType};
use orgo_core::encoding::plain::{Payload, PlainObject};
use orgo_core::error;

/// Converts a value to JSON text, which the core then checks. Returns `None` for a cyclic value, for which
/// `JSON.stringify` throws, and for a function, which JSON cannot represent. `undefined` becomes `otherwise`.
pub(crate) fn stringify(env: &Env, value: Unknown<'_>, otherwise: &str) -> Option<String> {
    if matches!(value.get_type(), Ok(ValueType::Undefined)) {
        return Some(otherwise.to_owned());
    }
    let stringify: Function<'_, Unknown<'_>, Option<String>> =
        json(env).ok()?.get_named_property("stringify").ok()?;
    stringify.call(value).ok()?
}

fn json(env: &Env) -> Result<Object<'_>> {
    env.get_global()?.get_named_property_unchecked("JSON")
}

/// JSON text that is converted to a JavaScript value.
pub struct Json(pub(crate) String);

impl ToNapiValue for Json {
    unsafe fn to_napi_value(env: sys::napi_env, Self(text): Self) -> Result<sys::napi_value> {
        Ok(parse(&Env::from_raw(env), text)?.raw())
    }
}

fn parse(env: &Env, text: String) -> Result<Unknown<'_>> {
    let parse: Function<'_, String, Unknown<'_>> = json(env)?.get_named_property("parse")?;
    parse.call(text)
}

/// Objects that are converted to a JavaScript array, or to a single object. They are created on the I/O thread, so that
/// the JavaScript thread has little work.
pub(crate) struct Objects {
    json: String,
    /// The payloads, each with the index of its object in the array.
    payloads: Vec<(u32, &'static str, Payload)>,
    alone: bool,
}

impl From<Vec<PlainObject>> for Objects {
    fn from(objects: Vec<PlainObject>) -> Self {
        let mut payloads = Vec::new();
        let mut json = String::from("[");
        for (index, PlainObject { fields, payload }) in (0..).zip(objects) {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&fields.to_string());
            payloads.extend(payload.map(|(name, payload)| (index, name, payload)));
        }
        json.push(']');
        Self { json, payloads, alone: false }
    }
}

impl From<PlainObject> for Objects {
    fn from(PlainObject { fields, payload }: PlainObject) -> Self {
        let payloads = payload.map(|(name, payload)| (0, name, payload)).into_iter().collect();
        Self { json: fields.to_string(), payloads, alone: true }
    }
}

impl ToNapiValue for Objects {
    unsafe fn to_napi_value(env: sys::napi_env, objects: Self) -> Result<sys::napi_value> {
        let Self { json, payloads, alone } = objects;
        let environment = Env::from_raw(env);
        let root = parse(&environment, json)?;
        for (index, name, payload) in payloads {
            // SAFETY: the caller passes a live environment of this thread, and `root` is a value of it.
            let root = unsafe { Object::from_napi_value(env, root.raw()) }?;
            let mut object = if alone { root } else { root.get_element::<Object<'_>>(index)? };
            match payload {
                Payload::Text(text) => object.set_named_property(name, text)?,
                // Memory that JavaScript owns can be transferred to a worker, unlike Rust's memory.
                Payload::Samples(samples) => {
                    object.set_named_property(name, Float32ArraySlice::copy_from(&environment, samples)?)?;
                }
                Payload::Bytes(bytes) => {
                    object.set_named_property(name, Uint8ArraySlice::copy_from(&environment, bytes)?)?;
                }
            }
        }
        Ok(root.raw())
    }
}

/// Throws a plain `ErrorRecord`. The result reports to napi that an exception is pending: napi itself throws only
/// instances of `Error`.
pub(crate) fn thrown(env: &Env, error: &error::Error) -> Error {
    match parse(env, error.record().to_string()).and_then(|record| env.throw(record)) {
        Ok(()) => Error::new(Status::PendingException, String::new()),
        Err(error) => error,
    }
}
