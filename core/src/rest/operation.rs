//! The declaration of a REST call, and the encoder of its parameters.
//!
//! The macro `endpoint!` declares a call. One declaration defines the typed Rust request, the encoding and the
//! decoding. `orgo-describe` also writes the TypeScript types and the reference from this declaration.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::diagnostics::mask::in_quotes;
use crate::encoding::json::{self, Map, Number, Value};
use crate::encoding::percent::percent_encode;
use crate::encoding::text::{digits, join, take_field};
use crate::error::{Error, describe};
use crate::rest::http::Method;
use crate::rest::schema::{Field, Rule, Type, as_integer, expected};

/// The effect of a call that reaches the server more than once. The effect decides when the call is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call changes nothing, so it may be retried.
    Read,
    /// A repetition has no further effect, so the call may be retried.
    Idempotent,
    /// A repetition has a further effect, so the call is retried only if the first request had no effect.
    Once,
}

/// How the parameters outside the path are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterEncoding {
    /// The parameters are in the query of the URL.
    Query,
    /// The parameters are in a JSON body.
    Json,
    /// The parameters are in a `multipart/form-data` body, together with a file.
    Multipart,
}

/// The content of a successful response.
#[derive(Debug, Clone, Copy)]
pub enum ResponseKind {
    /// A JSON value. Some generations of the service wrap the value in an object.
    Value {
        /// The type of the value.
        ty: Type,
        /// The possible names of the value in the wrapper object.
        under: &'static [&'static str],
    },
    /// An image in any documented form: base64, a data URL, a link, or the bytes of the image.
    Screenshot,
    /// A link. The result of the call is the content that the link refers to.
    Content,
    /// A link, like [`Content`](Self::Content). The result is a stream of the content.
    Stream,
    /// Any JSON value, or the bytes of a body that is not JSON.
    Any,
}

/// The time that a call can take on the server. A parameter of the call determines the time.
#[derive(Debug, Clone, Copy)]
pub struct ServerTime {
    /// The name of the parameter.
    pub field: &'static str,
    /// The server's default for the parameter.
    pub default: f64,
    /// The unit of the parameter.
    pub unit: TimeUnit,
}

/// The unit of a parameter that determines how long a call takes.
#[derive(Debug, Clone, Copy)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds for each character of the text in the named parameter.
    MillisecondsPerCharacter(&'static str),
}

/// The longest time that a desktop takes to type one character, in milliseconds, as measured with Chinese characters on
/// a busy machine.
const CHARACTER: f64 = 50.0;

/// A REST call, as data.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The name in this library, such as `computers.click`.
    pub name: &'static str,
    /// The name of the Rust struct. The TypeScript type of the parameters has the same name with the suffix `Params`.
    ///
    #[cfg(feature = "describe")]
    pub type_name: &'static str,
    /// What the call does.
    #[cfg(feature = "describe")]
    pub doc: &'static str,
    /// The sources of the declaration, as tags of docs/protocol.md; empty if the source is the specification.
    #[cfg(feature = "describe")]
    pub source: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The parameters in the path, in their order.
    pub path_fields: &'static [Field],
    /// The other parameters.
    pub fields: &'static [Field],
    /// How the other parameters are encoded.
    pub encoding: ParameterEncoding,
    /// The effect of a repetition.
    pub effect: Effect,
    /// The content of a successful response.
    pub response: ResponseKind,
    /// Query parameters that are always sent.
    pub constant: &'static [(&'static str, &'static str)],
    /// How long the call can take on the server; `None` for a short call.
    pub server_time: Option<ServerTime>,
}

/// A REST call as a Rust type. A value of the type contains the parameters.
pub trait Endpoint: Serialize {
    /// The declaration.
    const OPERATION: &'static Operation;
    /// The type of the result.
    type Response: DeserializeOwned;

    /// Returns the parameters as a JSON object, for [`Operation::encode`].
    ///
    /// # Errors
    /// [`Error::Encode`] if serde cannot serialize the parameters, for example because of a number that is not finite.
    fn params(&self) -> Result<Map, Error> {
        let refuse = |problem: String| Error::encode(Self::OPERATION.name, "parameters", problem);
        let json =
            serde_json::to_vec(self).map_err(|error| refuse(format!("cannot be serialized: {error}")))?;
        match json::parse(&json) {
            Ok(Value::Object(params)) => Ok(params),
            Ok(_) => Err(refuse("must serialize as an object".to_owned())),
            Err(error) => Err(refuse(format!("do not serialize as JSON: {error}"))),
        }
    }
}

/// Checked parameters, encoded for the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The path and the query, relative to the base URL.
    pub target: String,
    /// The fields of a JSON or multipart body.
    pub fields: Vec<(&'static str, Value)>,
}

/// A checked call, before the settings of the client are added.
pub(super) struct Prepared<'a> {
    /// The name in errors and log entries.
    pub(super) name: String,
    pub(super) operation: &'static Operation,
    pub(super) method: Method,
    pub(super) effect: Effect,
    pub(super) params: &'a Map,
    pub(super) encoded: Encoded,
    pub(super) body: Option<Value>,
}

impl<'a> Prepared<'a> {
    /// Checks the parameters of a declared call.
    pub(super) fn declared(operation: &'static Operation, params: &'a Map) -> Result<Self, Error> {
        let mut encoded = operation.encode(params)?;
        let body =
            (operation.encoding == ParameterEncoding::Json && operation.method == Method::Post).then(|| {
                let fields = encoded.fields.drain(..);
                Value::Object(fields.collect())
            });
        let Operation { name, method, effect, .. } = *operation;
        Ok(Self { name: name.to_owned(), operation, method, effect, params, encoded, body })
    }
}

impl Operation {
    /// Checks and encodes the parameters.
    ///
    /// # Errors
    /// [`Error::Encode`] for the first parameter that is missing, unknown or invalid.
    pub fn encode(&self, params: &Map) -> Result<Encoded, Error> {
        let known = || self.path_fields.iter().chain(self.fields);
        if let Some(unknown) =
            params.iter().map(|(name, _)| name).find(|name| !known().any(|field| field.name == *name))
        {
            let names = join(&mut known().map(|field| field.name), ", ");
            let problem = if names.is_empty() {
                "is not a parameter of this call, which takes none".to_owned()
            } else {
                format!("is not a parameter of this call, which takes {names}")
            };
            return Err(Error::encode(self.name, unknown, problem));
        }

        let mut target = String::with_capacity(2 * self.path.len());
        let mut rest = self.path;
        for field in self.path_fields {
            target.push_str(take_field(&mut rest, b"{"));
            take_field(&mut rest, b"}");
            // The rule of path fields requires at least one character. URL parsers treat `.` and `..` as path segments
            // with a special meaning.
            let value = self.checked_value(params, field)?;
            let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            if text == "." || text == ".." {
                return Err(Error::encode(self.name, field.name, "must be an id"));
            }
            target.push_str(&percent_encode(text));
        }
        target.push_str(rest);

        let mut fields = Vec::new();
        for field in self.fields {
            if let Some(value) = self.checked_value(params, field)? {
                if !field.with.is_empty() && params.get(field.with).is_none_or(Value::is_null) {
                    return Err(Error::encode(
                        self.name,
                        field.with,
                        format!("is required with `{}`", field.name),
                    ));
                }
                match field.wire {
                    [] => fields.push((field.name, value)),
                    names => fields.extend(names.iter().map(|name| (*name, value.clone()))),
                }
            }
        }
        let mut query: Vec<String> =
            self.constant.iter().map(|(name, value)| format!("{name}={}", percent_encode(value))).collect();
        if self.encoding == ParameterEncoding::Query {
            query.extend(fields.drain(..).map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{name}={}", percent_encode(&text))
            }));
        }
        if !query.is_empty() {
            target.push('?');
            target.push_str(&join(&mut query.iter().map(String::as_str), "&"));
        }
        Ok(Encoded { target, fields })
    }

    /// Returns the checked value of one parameter. Returns `None` for an absent optional parameter.
    fn checked_value(&self, params: &Map, field: &Field) -> Result<Option<Value>, Error> {
        let value = match params.get(field.name) {
            None | Some(Value::Null) if field.optional => return Ok(None),
            None | Some(Value::Null) => {
                let problem = format!("is required: {}", accepted_values(field));
                return Err(Error::encode(self.name, field.name, problem));
            }
            Some(value) => value,
        };
        check_value(field, value).map(Some).ok_or_else(|| {
            Error::encode(
                self.name,
                field.name,
                format!("must be {}, not {}", accepted_values(field), describe_refused(value)),
            )
        })
    }

    /// Returns whether the caller sets the time limit of the server.
    #[must_use]
    pub fn sets_server_limit(&self, params: &Map) -> bool {
        self.server_time.is_some_and(|limit| params.get(limit.field).is_some_and(|value| !value.is_null()))
    }

    /// Returns the longest time that the server can take for the call, in milliseconds. Returns `None` for a short
    /// call.
    #[must_use]
    pub fn server_limit(&self, params: &Map) -> Option<crate::Millis> {
        let time = self.server_time?;
        let value = params.get(time.field).and_then(Value::as_f64).unwrap_or(time.default);
        let milliseconds = match time.unit {
            TimeUnit::Seconds => value * 1000.0,
            TimeUnit::MillisecondsPerCharacter(text) => {
                let text = params.get(text).and_then(Value::as_str).unwrap_or_default();
                #[allow(clippy::cast_precision_loss, reason = "a text of 9 PB does not fit into memory")]
                let characters = text.chars().count() as f64;
                characters * (value.max(0.0) + CHARACTER)
            }
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day")]
        Some(milliseconds.clamp(0.0, 86_400_000.0) as crate::Millis)
    }
}

/// Converts the value to the form on the wire. Returns `None` if the field does not allow the value.
fn check_value(field: &Field, value: &Value) -> Option<Value> {
    let value = match (&field.ty, value) {
        (Type::Boolean, Value::Bool(_)) | (Type::String | Type::Secret, Value::String(_)) => value.clone(),
        (Type::Integer, Value::Number(number)) => written_as_integer(number, value)?,
        (Type::Number, Value::Number(number)) => {
            written_as_integer(number, value).unwrap_or_else(|| value.clone())
        }
        (Type::Choice(choice), Value::String(name)) if choice.values.contains(&name.as_str()) => {
            value.clone()
        }
        _ => return None,
    };
    let number = || value.as_f64();
    let fits = match field.rule {
        Rule::Any => true,
        Rule::Min(min) => number()? >= min,
        Rule::Range(min, max) => (min..=max).contains(&number()?),
        Rule::OneOf(values) => values.contains(&number()?),
        Rule::NotEmpty => !value.as_str()?.is_empty(),
        Rule::Resolution => is_resolution(value.as_str()?),
    };
    fits.then_some(value)
}

/// Returns a whole number without a fraction and an exponent. Returns `None` for other numbers.
fn written_as_integer(number: &Number, value: &Value) -> Option<Value> {
    let integer = as_integer(number)?;
    let is_written = number.as_str().bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_written { value.clone() } else { integer.into() })
}

fn is_resolution(text: &str) -> bool {
    let mut rest = text;
    let mut side = || {
        let side = digits(take_field(&mut rest, b"x"));
        side.is_some_and(|side| (1..=u16::MAX.into()).contains(&side))
    };
    side() && side() && side() && text.bytes().filter(|byte| *byte == b'x').count() == 2
}

/// Describes the values that a field accepts, such as "a number from 0 to 60".
#[must_use]
pub fn accepted_values(field: &Field) -> String {
    let list = |values: &mut dyn Iterator<Item = String>| {
        let values: Vec<String> = values.collect();
        join(&mut values.iter().map(String::as_str), ", ")
    };
    let figure =
        |number: f64| Number::rounded(number).map_or_else(String::new, |number| number.as_str().to_owned());
    match (field.rule, &field.ty) {
        (_, Type::Choice(choice)) => {
            format!("one of {}", list(&mut choice.values.iter().map(|name| in_quotes(name))))
        }
        (Rule::Any, ty) => expected(ty).to_owned(),
        (Rule::Min(min), ty) => format!("{} of at least {}", expected(ty), figure(min)),
        (Rule::Range(min, max), ty) => format!("{} from {} to {}", expected(ty), figure(min), figure(max)),
        (Rule::OneOf(values), _) => {
            format!("one of {}", list(&mut values.iter().map(|value| figure(*value))))
        }
        (Rule::NotEmpty, _) => "a string of at least one character".to_owned(),
        (Rule::Resolution, _) => "WIDTHxHEIGHTxDEPTH, such as 1280x720x24".to_owned(),
    }
}

/// Describes a refused value in an error message. Leaves out long text.
fn describe_refused(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.len() <= 40 => in_quotes(text),
        _ => describe(value),
    }
}

/// Declares a REST call: the struct of its parameters and its [`Operation`]. `#[source("...")]` after a doc comment is
/// the source of the fact, by the tags of docs/protocol.md.
macro_rules! endpoint {
    (
        $(#[doc = $doc:literal])+
        $(#[source($source:literal)])?
        $name:ident = $wire_name:literal;
        $method:ident $path:literal, $effect:ident, $encoding:ident => $response:ty, $response_kind:expr;
        $( constant: $constant:expr; )?
        $( server_time: $server_time:expr; )?
        path { $( $(#[doc = $path_doc:literal])+ $path_field:ident, )* }
        fields { $( $(#[doc = $field_doc:literal])+ $(#[source($field_source:literal)])? $field:ident : $ty:ty $( { $($key:ident : $value:expr),+ $(,)? } )? , )* }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
        pub struct $name {
            $( $(#[doc = $path_doc])+ pub $path_field: String, )*
            $( $(#[doc = $field_doc])+ pub $field: $ty, )*
        }

        impl $crate::rest::operation::Endpoint for $name {
            #[allow(clippy::needless_update, reason = "some declarations set every key")]
            const OPERATION: &'static $crate::rest::operation::Operation = &$crate::rest::operation::Operation {
                name: $wire_name,
                #[cfg(feature = "describe")]
                type_name: concat!(stringify!($name)),
                #[cfg(feature = "describe")]
                doc: concat!($($doc, "\n"),+),
                #[cfg(feature = "describe")]
                source: concat!($($source)?),
                method: $crate::rest::http::Method::$method,
                path: $path,
                path_fields: &[$( $crate::rest::schema::Field {
                    name: stringify!($path_field),
                    #[cfg(feature = "describe")]
                    doc: concat!($($path_doc, "\n"),+),
                    #[cfg(feature = "describe")]
                    source: "",
                    ty: $crate::rest::schema::Type::String,
                    optional: false,
                    rule: $crate::rest::schema::Rule::NotEmpty,
                    default: "",
                    wire: &[],
                    with: "",
                } ),*],
                fields: &[$( $crate::rest::schema::Field {
                    $( $($key: $crate::rest::schema::declared!($key, $value),)+ )?
                    ..$crate::rest::schema::Field {
                        name: stringify!($field),
                        #[cfg(feature = "describe")]
                        doc: concat!($($field_doc, "\n"),+),
                        #[cfg(feature = "describe")]
                        source: concat!($($field_source)?),
                        ty: <$ty as $crate::rest::schema::Typed>::TYPE,
                        optional: <$ty as $crate::rest::schema::Typed>::OPTIONAL,
                        rule: $crate::rest::schema::Rule::Any,
                        default: "",
                        wire: &[],
                        with: "",
                    }
                } ),*],
                encoding: $crate::rest::operation::ParameterEncoding::$encoding,
                effect: $crate::rest::operation::Effect::$effect,
                response: $response_kind,
                $( constant: $constant, )?
                $( server_time: Some($server_time), )?
                ..$crate::rest::operation::BLANK
            };
            type Response = $response;
        }
    };
}
pub(crate) use endpoint;

/// The defaults of a declaration.
pub(crate) const BLANK: Operation = Operation {
    name: "",
    #[cfg(feature = "describe")]
    type_name: "",
    #[cfg(feature = "describe")]
    doc: "",
    #[cfg(feature = "describe")]
    source: "",
    method: Method::Get,
    path: "",
    path_fields: &[],
    fields: &[],
    encoding: ParameterEncoding::Json,
    effect: Effect::Once,
    response: ResponseKind::Content,
    constant: &[],
    server_time: None,
};

/// Declares a response that is a JSON value without a wrapper object.
pub(crate) const fn bare(ty: Type) -> ResponseKind {
    ResponseKind::Value { ty, under: &[] }
}
