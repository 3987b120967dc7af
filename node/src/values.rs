//! Conversions between the values of JavaScript and of the core.
//!
//! Plain data is passed as JSON text, which the engine parses and writes faster than the addon can access objects field
//! by field. The core parses and writes the text on the I/O thread.

use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{
    Float32ArraySlice, FromNapiValue, Function, JsObjectValue as _, Object, Result, ToNapiValue,
    Uint8ArraySlice, Unknown, sys,
};
use napi::{Env, Error, Status, ValueType, check_status};
use orgo_core::driver::Channel;
use orgo_core::encoding::plain::{Fields, Payload, PlainObject};
use orgo_core::error;

use crate::mailbox::{Environment, Form, Mailbox, Parts};
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

/// The value of a promise. It is prepared on the I/O thread, so that the JavaScript thread has little work.
pub(crate) enum Prepared {
    Undefined,
    Null,
    Bool(bool),
    Text(&'static str),
    /// JSON text of any value, such as a list of objects without payloads.
    Json(String),
    Object(PreparedObject),
    List(Vec<PreparedObject>),
}

/// An object with its payload.
pub(crate) struct PreparedObject {
    fields: Fields,
    payload: Option<(&'static str, Content)>,
}

/// The content of a payload.
enum Content {
    /// ASCII text, which JavaScript stores in the same form, and the channel that uses its memory again.
    Ascii(String, Option<Channel>),
    /// Other text in the form in which JavaScript stores it.
    Utf16(Vec<u16>),
    /// Samples, and the channel that uses their memory again.
    Samples(Vec<f32>, Option<Channel>),
    Bytes(Vec<u8>),
    Shared(Arc<Vec<u8>>),
    Memory(Memory),
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Text(text) if text.is_ascii() => Self::Ascii(text, None),
            Payload::Text(text) => Self::Utf16(text.encode_utf16().collect()),
            Payload::Samples(samples) => Self::Samples(samples, None),
            Payload::Bytes(bytes) => Self::Bytes(bytes),
            Payload::Shared(bytes) => Self::Shared(bytes),
            // The network of the addon does not decode messages.
            Payload::Host(_) => Self::Utf16(Vec::new()),
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
            Self::Ascii(text, channel) => {
                // SAFETY: the caller passes a live environment of this thread, and the text has this length.
                check_status!(unsafe {
                    sys::napi_create_string_latin1(
                        raw,
                        text.as_ptr().cast(),
                        length(text.len())?,
                        &raw mut value,
                    )
                })?;
                if let Some(channel) = channel {
                    channel.recycle(Payload::Text(text));
                }
            }
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
            // SAFETY: as above.
            Self::Bytes(bytes) => value = unsafe { array_of(&env, &bytes) }?,
            // SAFETY: as above.
            Self::Shared(bytes) => value = unsafe { array_of(&env, &bytes) }?,
            // SAFETY: as above. The memory belongs to the environment for which the content was prepared.
            Self::Memory(memory) => value = unsafe { memory.into_array(raw) }?,
        }
        Ok(value)
    }
}

/// Copies bytes to a `Uint8Array`.
///
/// # Safety
/// `env` is a live environment of this thread.
unsafe fn array_of(env: &Env, bytes: &[u8]) -> Result<sys::napi_value> {
    let raw = env.raw();
    if bytes.len() >= MIN_BYTES {
        // SAFETY: promised by the caller.
        unsafe { Memory::copied(raw, bytes)?.into_array(raw) }
    } else {
        // SAFETY: as above.
        unsafe { ToNapiValue::to_napi_value(raw, Uint8ArraySlice::copy_from(env, bytes)?) }
    }
}

impl From<()> for Prepared {
    fn from((): ()) -> Self {
        Self::Undefined
    }
}

impl From<bool> for Prepared {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&'static str> for Prepared {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl From<Json> for Prepared {
    fn from(Json(text): Json) -> Self {
        Self::Json(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Prepared {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<PlainObject> for PreparedObject {
    fn from(PlainObject { fields, payload }: PlainObject) -> Self {
        Self { fields, payload: payload.map(|(name, payload)| (name, payload.into())) }
    }
}

impl Prepared {
    /// Prepares a single object. Large content moves to memory of JavaScript.
    pub(crate) async fn alone(mut object: PlainObject, mailbox: &Mailbox) -> Self {
        if let Some((name, Payload::Bytes(bytes))) = &object.payload
            && bytes.len() >= MIN_BYTES
            && let Some(memory) = Memory::filled(mailbox, bytes).await
        {
            let payload = Some((*name, Content::Memory(memory)));
            object.payload = None;
            return Self::Object(PreparedObject { payload, ..object.into() });
        }
        match object {
            PlainObject { fields, payload: None } => Self::Json(fields.into_json()),
            object => Self::Object(object.into()),
        }
    }

    /// Prepares the items of a channel.
    pub(crate) fn items(objects: Vec<PlainObject>, channel: &Channel) -> Self {
        if objects.iter().any(|object| object.payload.is_some()) {
            let mut objects: Vec<_> = objects.into_iter().map(PreparedObject::from).collect();
            for object in &mut objects {
                if let Some((_, Content::Samples(_, owner) | Content::Ascii(_, owner))) = &mut object.payload
                {
                    *owner = Some(channel.clone());
                }
            }
            return Self::List(objects);
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
            json.push_str(&fields.into_json());
        }
        json.push(']');
        Self::Json(json)
    }

    /// Converts the value on the JavaScript thread, and adds it to the arguments that settle its promise.
    pub(crate) fn add_to(self, parts: &mut Parts<'_>) -> Result<()> {
        let raw = parts.environment().raw();
        let mut value = ptr::null_mut();
        match self {
            Self::Undefined => {
                // SAFETY: this is the thread of the environment.
                check_status!(unsafe { sys::napi_get_undefined(raw, &raw mut value) })?;
            }
            // SAFETY: as above.
            Self::Null => check_status!(unsafe { sys::napi_get_null(raw, &raw mut value) })?,
            // SAFETY: as above.
            Self::Bool(flag) => check_status!(unsafe { sys::napi_get_boolean(raw, flag, &raw mut value) })?,
            Self::Text(text) => value = parts.environment().text(text)?,
            Self::Json(text) => {
                let text = parts.environment().text(&text)?;
                return parts.add_single(Form::Json, text);
            }
            Self::Object(object) => {
                let (form, content) = object.convert(parts.environment())?;
                return parts.add_single(form, content);
            }
            Self::List(objects) => {
                parts.add_list(objects.len())?;
                for object in objects {
                    let (form, content) = object.convert(parts.environment())?;
                    parts.add_item(form, content)?;
                }
                return Ok(());
            }
        }
        parts.add_single(Form::Value, value)
    }
}

impl PreparedObject {
    /// Converts the content of the object, from which the script makes the object.
    fn convert(self, environment: &Environment) -> Result<(Form, sys::napi_value)> {
        let raw = environment.raw();
        match self {
            Self { fields: Fields::Type(kind), payload: Some((name, content)) } => {
                // SAFETY: this is the thread of the environment.
                Ok((Form::Object(kind, name), unsafe { Content::to_napi_value(raw, content) }?))
            }
            Self { fields, payload: Some((name, content)) } => {
                let value = environment.parse(&fields.into_json())?;
                // SAFETY: as above, and `value` is a value of the environment.
                unsafe { Object::from_napi_value(raw, value) }?.set_named_property(name, content)?;
                Ok((Form::Value, value))
            }
            Self { fields, payload: None } => Ok((Form::Json, environment.text(&fields.into_json())?)),
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
