//! The types of the protocol as data. The encoder and the decoder check values against them; `orgo-describe` writes the
//! TypeScript types and the reference from them.

use crate::encoding::json::{Map, Number, Value};
use crate::error::Mismatch;

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// An integer.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A secret string. Errors do not show its value.
    Secret,
    /// One of several names. A response may contain an unlisted name, which is kept unchanged.
    Choice(&'static Choice),
    /// An object with declared fields. Other fields are kept.
    Object(&'static Object),
    /// A list.
    List(&'static Self),
    /// Any JSON object, unchanged.
    Map,
}

/// A list of names. A parameter must be one of these names. A response may contain other names.
#[derive(Debug)]
pub struct Choice {
    /// The name of the Rust enum and of the TypeScript type.
    #[cfg(feature = "describe")]
    pub name: &'static str,
    /// The meaning of the choice.
    #[cfg(feature = "describe")]
    pub doc: &'static str,
    /// The source of the names, as a tag of docs/protocol.md; empty if the source is the specification.
    #[cfg(feature = "describe")]
    pub source: &'static str,
    /// The names on the wire.
    pub values: &'static [&'static str],
}

/// An object with known fields.
#[derive(Debug)]
pub struct Object {
    /// The name of the Rust struct and of the TypeScript type.
    #[cfg(feature = "describe")]
    pub name: &'static str,
    /// The meaning of the object.
    #[cfg(feature = "describe")]
    pub doc: &'static str,
    /// The fields of the object, in the order of the documentation.
    pub fields: &'static [Field],
}

/// One field of an object, or one parameter of a call.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The name in this library.
    pub name: &'static str,
    /// The meaning of the field, with its unit.
    #[cfg(feature = "describe")]
    pub doc: &'static str,
    /// The source of the field, as a tag of docs/protocol.md; empty if the source is the specification.
    #[cfg(feature = "describe")]
    pub source: &'static str,
    /// The type.
    pub ty: Type,
    /// Whether the field may be absent.
    pub optional: bool,
    /// The restriction on the values of a parameter, in addition to the type.
    pub rule: Rule,
    /// The server's default, in the form of the documentation; empty if there is no default, and without the feature `describe`.
    pub default: &'static str,
    /// The names on the wire, if they differ from `name`. The value is sent under each of them.
    pub wire: &'static [&'static str],
    /// Another parameter that is required together with this parameter; empty if there is none.
    pub with: &'static str,
}

impl Field {
    /// Returns the names of the field on the wire.
    pub fn wire_names(&self) -> impl Iterator<Item = &'static str> {
        let own = if self.wire.is_empty() { Some(self.name) } else { None };
        own.into_iter().chain(self.wire.iter().copied())
    }
}

/// The restriction on the values of a parameter, in addition to the type.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Any value of the type.
    Any,
    /// A number of at least this value.
    Min(f64),
    /// A number from the first to the second value, inclusive.
    Range(f64, f64),
    /// One of these numbers.
    OneOf(&'static [f64]),
    /// Text of at least one character.
    NotEmpty,
    /// Text of the form `WIDTHxHEIGHTxDEPTH`.
    Resolution,
}

/// A Rust type that has a type in the schema.
pub trait Typed {
    /// The type on the wire.
    const TYPE: Type;
    /// Whether a field of this type may be absent.
    const OPTIONAL: bool = false;
}

macro_rules! typed {
    ($($rust:ty => $ty:expr),* $(,)?) => {
        $(impl Typed for $rust { const TYPE: Type = $ty; })*
    };
}

typed! {
    bool => Type::Boolean,
    i64 => Type::Integer,
    u64 => Type::Integer,
    f64 => Type::Number,
    String => Type::String,
    Map => Type::Map,
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
    const OPTIONAL: bool = true;
}

impl<T: Typed> Typed for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);
}

/// Declares an object: a Rust struct, and the same fields as data. `#[source("...")]` after a doc comment is the source
/// of the fact, by the tags of docs/protocol.md.
macro_rules! object {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $( $(#[doc = $field_doc:literal])+ $(#[source($field_source:literal)])? $field:ident : $ty:ty, )* }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(default)]
        pub struct $name { $( $(#[doc = $field_doc])+ pub $field: $ty, )* }

        impl $crate::rest::schema::Typed for $name {
            const TYPE: $crate::rest::schema::Type = $crate::rest::schema::Type::Object(&$crate::rest::schema::Object {
                #[cfg(feature = "describe")]
                name: concat!(stringify!($name)),
                #[cfg(feature = "describe")]
                doc: concat!($($doc, "\n"),+),
                fields: &[$( $crate::rest::schema::Field {
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
                } ),*],
            });
        }
    )+};
}
pub(crate) use object;

/// Declares a choice: a Rust enum that keeps an unknown name, and the same names as data. `#[source("...")]` is the
/// source of the fact.
macro_rules! choice {
    ($(
        $(#[doc = $doc:literal])+
        $(#[source($source:literal)])?
        $name:ident { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $wire:literal, )+ }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[doc = $variant_doc])+ $variant, )+
            /// A name that this version does not know, unchanged.
            Other(String),
        }

        impl $name {
            /// Returns the name on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $( Self::$variant => $wire, )+ Self::Other(name) => name }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $crate::rest::schema::first!($(Self::$variant),+)
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                match name.as_str() { $( $wire => Self::$variant, )+ _ => Self::Other(name) }
            }
        }

        impl From<$name> for String {
            fn from(choice: $name) -> Self {
                choice.as_str().to_owned()
            }
        }

        impl $crate::rest::schema::Typed for $name {
            const TYPE: $crate::rest::schema::Type = $crate::rest::schema::Type::Choice(&$crate::rest::schema::Choice {
                #[cfg(feature = "describe")]
                name: concat!(stringify!($name)),
                #[cfg(feature = "describe")]
                doc: concat!($($doc, "\n"),+),
                #[cfg(feature = "describe")]
                source: concat!($($source)?),
                values: &[$($wire),+],
            });
        }
    )+};
}
pub(crate) use choice;

macro_rules! first {
    ($first:expr $(, $rest:expr)*) => {
        $first
    };
}
pub(crate) use first;

/// Returns the value of a key in a declaration. Only the documentation needs the server's default.
macro_rules! declared {
    (default, $value:expr) => {
        if cfg!(feature = "describe") { $value } else { "" }
    };
    ($key:ident, $value:expr) => {
        $value
    };
}
pub(crate) use declared;

/// Checks a response against its type, and normalizes the response: removes a `null` in an optional field, and keeps
/// only the last of several fields with the same name.
///
/// # Errors
/// [`Mismatch`] with the path of the first value that does not match, such as `desktops[3].ram`.
pub fn normalize(value: &mut Value, ty: &Type) -> Result<(), Mismatch> {
    match (ty, &mut *value) {
        (Type::Boolean, Value::Bool(_))
        | (Type::Number, Value::Number(_))
        | (Type::String | Type::Secret | Type::Choice(_), Value::String(_))
        | (Type::Map, Value::Object(_)) => Ok(()),
        (Type::Integer, Value::Number(number)) => match as_integer(number) {
            Some(integer) => {
                *value = integer.into();
                Ok(())
            }
            None => Err(Mismatch::new("a whole number", value)),
        },
        (Type::Object(object), Value::Object(fields)) => {
            for field in object.fields {
                fields.remove_duplicates(field.name);
                match fields.get_mut(field.name) {
                    Some(Value::Null) if field.optional => {}
                    Some(value) => normalize(value, &field.ty).map_err(|error| error.inside(field.name))?,
                    None if field.optional => {}
                    None => return Err(Mismatch::missing(expected(&field.ty)).inside(field.name)),
                }
            }
            let optional =
                |name: &str| object.fields.iter().any(|field| field.name == name && field.optional);
            fields.retain(|name, value| !value.is_null() || !optional(name));
            Ok(())
        }
        (Type::List(item), Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                normalize(value, item).map_err(|error| error.at(index))?;
            }
            Ok(())
        }
        // `Mismatch::new` would show the value if it is a number, which can be a secret.
        (Type::Secret, _) => Err(Mismatch {
            path: String::new(),
            problem: format!("expected {}, found something else", expected(ty)),
        }),
        (ty, value) => Err(Mismatch::new(expected(ty), value)),
    }
}

/// Returns the number as an integer, if it is a whole number. Servers and JavaScript write both `4` and `4.0`.
#[must_use]
pub fn as_integer(number: &Number) -> Option<i64> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64();
        #[allow(clippy::cast_possible_truncation, reason = "within the range where every whole f64 is exact")]
        (float.fract() == 0.0 && float.abs() <= SAFE).then_some(float as i64)
    })
}

/// Describes a type in an error message.
#[must_use]
pub fn expected(ty: &Type) -> &'static str {
    match ty {
        Type::Boolean => "true or false",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::String | Type::Secret | Type::Choice(_) => "a string",
        Type::Object(_) | Type::Map => "an object",
        Type::List(_) => "a list",
    }
}
