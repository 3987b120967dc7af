//! Conversions between the values of JavaScript and of the core.
//!
//! Plain data is passed as JSON text, which the engine parses and writes faster than the addon can access objects field
//! by field. The core parses and writes the text on the I/O thread.

use std::ptr;

use napi::bindgen_prelude::{
    Float32ArraySlice, FromNapiValue, Function, JsObjectValue as _, Object, Result, ToNapiValue,
    Uint8ArraySlice, Unknown, sys,
};
use napi::{Env, Error, JsValue as _, Status, ValueType, check_status};
use orgo_core::driver::Channel;
use orgo_core::encoding::plain::{Fields, Payload, PlainObject};
use orgo_core::error;

use crate::mailbox::{Environment, Mailbox};
use crate::memory::{MIN_BYTES, Memory};

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
        Environment::of(&Env::from_raw(env))?.parse(&text)
    }
}

/// Objects that are converted to a JavaScript array, or to a single object. They are prepared on the I/O thread, so that
/// the JavaScript thread has little work.
pub(crate) enum Objects {
    /// Objects without payloads, as JSON text of their array.
    Json(String),
    /// Objects of which at least one has a payload.
    Array(Vec<Prepared>),
    Alone(Prepared),
}

/// An object with its payload.
pub(crate) struct Prepared {
    fields: PreparedFields,
    payload: Option<(&'static str, Content)>,
}

enum PreparedFields {
    Type(&'static str),
    Json(String),
}

/// The content of a payload.
enum Content {
    /// ASCII text, which JavaScript stores in the same form.
    Ascii(String),
    /// Other text in the form in which JavaScript stores it.
    Utf16(Vec<u16>),
    /// Samples, and the channel that uses their memory again.
    Samples(Vec<f32>, Option<Channel>),
    Bytes(Vec<u8>),
    Memory(Memory),
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Text(text) if text.is_ascii() => Self::Ascii(text),
            Payload::Text(text) => Self::Utf16(text.encode_utf16().collect()),
            Payload::Samples(samples) => Self::Samples(samples, None),
            Payload::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

impl ToNapiValue for Content {
    unsafe fn to_napi_value(raw: sys::napi_env, content: Self) -> Result<sys::napi_value> {
        let env = Env::from_raw(raw);
        let mut value = ptr::null_mut();
        let length =
            |length: usize| isize::try_from(length).map_err(|_| Error::from_status(Status::InvalidArg));
        match content {
            // SAFETY: the caller passes a live environment of this thread, and the text has this length.
            Self::Ascii(text) => check_status!(unsafe {
                sys::napi_create_string_latin1(raw, text.as_ptr().cast(), length(text.len())?, &raw mut value)
            })?,
            // SAFETY: as above.
            Self::Utf16(text) => check_status!(unsafe {
                sys::napi_create_string_utf16(raw, text.as_ptr(), length(text.len())?, &raw mut value)
            })?,
            // Memory that JavaScript owns can be transferred to a worker, unlike Rust's memory.
            // SAFETY: as above.
            Self::Samples(samples, channel) => unsafe {
                value = ToNapiValue::to_napi_value(raw, Float32ArraySlice::copy_from(&env, &samples)?)?;
                if let Some(channel) = channel {
                    channel.recycle(Payload::Samples(samples));
                }
            },
            Self::Bytes(bytes) if bytes.len() >= MIN_BYTES => {
                // SAFETY: as above.
                value = unsafe { Memory::copied(raw, &bytes)?.into_array(raw)? };
            }
            // SAFETY: as above.
            Self::Bytes(bytes) => unsafe {
                value = ToNapiValue::to_napi_value(raw, Uint8ArraySlice::copy_from(&env, bytes)?)?;
            },
            // SAFETY: as above. The memory belongs to the environment for which the content was prepared.
            Self::Memory(memory) => value = unsafe { memory.into_array(raw) }?,
        }
        Ok(value)
    }
}

impl Objects {
    /// Prepares a single object. Large content moves to memory of JavaScript.
    pub(crate) async fn alone(mut object: PlainObject, mailbox: &Mailbox) -> Self {
        if let Some((name, Payload::Bytes(bytes))) = &object.payload
            && bytes.len() >= MIN_BYTES
            && let Some(memory) = Memory::filled(mailbox, bytes).await
        {
            let payload = Some((*name, Content::Memory(memory)));
            object.payload = None;
            return Self::Alone(Prepared { payload, ..object.into() });
        }
        Self::Alone(object.into())
    }
}

impl From<PlainObject> for Prepared {
    fn from(PlainObject { fields, payload }: PlainObject) -> Self {
        let fields = match fields {
            Fields::Type(name) => PreparedFields::Type(name),
            Fields::Json(text) => PreparedFields::Json(text),
            Fields::Value(fields) => PreparedFields::Json(fields.to_string()),
        };
        Self { fields, payload: payload.map(|(name, payload)| (name, payload.into())) }
    }
}

impl Objects {
    /// Prepares the items of a channel.
    pub(crate) fn items(objects: Vec<PlainObject>, channel: &Channel) -> Self {
        if objects.iter().any(|object| object.payload.is_some()) {
            let mut objects: Vec<_> = objects.into_iter().map(Prepared::from).collect();
            for object in &mut objects {
                if let Some((_, Content::Samples(_, owner))) = &mut object.payload {
                    *owner = Some(channel.clone());
                }
            }
            return Self::Array(objects);
        }
        let size = |object: &PlainObject| match &object.fields {
            Fields::Json(text) => text.len() + 1,
            Fields::Type(_) | Fields::Value(_) => 0,
        };
        let mut json = String::with_capacity(2 + objects.iter().map(size).sum::<usize>());
        json.push('[');
        for (index, PlainObject { fields, .. }) in objects.into_iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            match fields {
                Fields::Json(text) => json.push_str(&text),
                fields => json.push_str(&fields.to_string()),
            }
        }
        json.push(']');
        Self::Json(json)
    }
}

impl ToNapiValue for Prepared {
    unsafe fn to_napi_value(raw: sys::napi_env, Self { fields, payload }: Self) -> Result<sys::napi_value> {
        let env = Env::from_raw(raw);
        let value = match fields {
            PreparedFields::Json(text) => Environment::of(&env)?.parse(&text)?,
            PreparedFields::Type(name) => {
                let mut object = Object::new(&env)?;
                object.set_named_property("type", name)?;
                object.raw()
            }
        };
        if let Some((name, content)) = payload {
            // SAFETY: the caller passes a live environment of this thread, and `value` is a value of it.
            unsafe { Object::from_napi_value(raw, value) }?.set_named_property(name, content)?;
        }
        Ok(value)
    }
}

impl ToNapiValue for Objects {
    unsafe fn to_napi_value(raw: sys::napi_env, objects: Self) -> Result<sys::napi_value> {
        match objects {
            Self::Json(text) => Environment::of(&Env::from_raw(raw))?.parse(&text),
            // SAFETY: promised by the caller.
            Self::Alone(object) => unsafe { Prepared::to_napi_value(raw, object) },
            // SAFETY: as above.
            Self::Array(objects) => unsafe { Vec::to_napi_value(raw, objects) },
        }
    }
}

/// Throws a plain `ErrorRecord`. The result reports to napi that an exception is pending: napi itself throws only
/// instances of `Error`.
pub(crate) fn thrown(env: &Env, error: &error::Error) -> Error {
    let thrown = || {
        let record = Environment::of(env)?.parse(&error.record().to_string())?;
        // SAFETY: `record` is a value of the current environment.
        check_status!(unsafe { sys::napi_throw(env.raw(), record) })
    };
    match thrown() {
        Ok(()) => Error::new(Status::PendingException, String::new()),
        Err(error) => error,
    }
}
