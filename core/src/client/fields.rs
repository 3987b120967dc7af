//! Reads the plain objects that a binding receives from JavaScript: settings, options, targets.

use std::fmt;

use orgo_screen::MUST_BE_TEXTS;

use crate::encoding::json::{self, Map, Value};
use crate::error::Error;

/// The fields of an object for `owner`, which is a call or an object of the library. Errors contain the name of a
/// field, but not its value, which can be a secret.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    owner: &'a str,
    fields: &'a Map,
}

/// Shows only the names, because values can be secrets.
impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|(name, _)| name)).finish()
    }
}

impl<'a> Fields<'a> {
    /// Creates a reader for `fields`. Errors contain the name of `owner`.
    #[must_use]
    pub fn new(owner: &'a str, fields: &'a Map) -> Self {
        Self { owner, fields }
    }

    /// Returns the value of a field; `null` if it is absent.
    #[cfg(feature = "screen")]
    pub(crate) fn value(&self, name: &str) -> &'a Value {
        static NULL: Value = Value::Null;
        self.fields.get(name).unwrap_or(&NULL)
    }

    /// Reads a string. Returns `None` if the field is absent or `null`.
    ///
    /// # Errors
    /// [`Error::Encode`] for a value of another type.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(name, "must be a string", |value| value.as_str().map(str::to_owned))
    }

    /// Reads a number. Returns `None` if the field is absent or `null`.
    ///
    /// # Errors
    /// See [`text`](Self::text).
    pub fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        self.read(name, "must be a number", Value::as_f64)
    }

    /// Reads a number for a caller that checks its range. Returns NaN, which is in no range, for a value of another type,
    /// so that the error of the caller names the range.
    #[must_use]
    pub(crate) fn any_number(&self, name: &str) -> Option<f64> {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// Reads a flag. Returns `false` if the field is absent or `null`.
    ///
    /// # Errors
    /// See [`text`](Self::text).
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        let flag = |value: &Value| if let Value::Bool(flag) = value { Some(*flag) } else { None };
        self.read(name, "must be true or false", flag).map(Option::unwrap_or_default)
    }

    /// Reads a list of strings. Returns an empty list if the field is absent or `null`.
    ///
    /// # Errors
    /// See [`text`](Self::text).
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        self.read(name, MUST_BE_TEXTS, texts).map(Option::unwrap_or_default)
    }

    /// Reads an object. Returns an empty object if the field is absent or `null`.
    ///
    /// # Errors
    /// See [`text`](Self::text).
    pub fn map(&self, name: &str) -> Result<Map, Error> {
        let map = |value: &Value| if let Value::Object(map) = value { Some(map.clone()) } else { None };
        self.read(name, "must be an object", map).map(Option::unwrap_or_default)
    }

    fn read<T>(
        &self,
        name: &str,
        problem: &str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| Error::encode(self.owner, name, problem)),
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::Array(items) = value else { return None };
    items.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Reads the argument `name` of `owner` as a list of strings. For a field of an argument, use [`Fields::texts`].
pub(crate) fn list_of_texts(owner: &str, name: &str, value: &Value) -> Result<Vec<String>, Error> {
    texts(value).ok_or_else(|| Error::encode(owner, name, MUST_BE_TEXTS))
}

/// Parses an argument of `owner` to an object. `json` is the result of `JSON.stringify`. It is `None` if there is no
/// result, because the argument is a function or contains itself.
///
/// # Errors
/// [`Error::Encode`] if the argument is not an object, or contains an unpaired surrogate, which no server can receive.
pub fn read_object(owner: &str, name: &str, json: Option<&str>) -> Result<Map, Error> {
    match read_value(owner, name, json)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::encode(owner, name, MUST_BE_PLAIN)),
    }
}

/// Parses an argument as [`read_object`] does, to a value of any type.
///
/// # Errors
/// [`Error::Encode`] if the argument is not JSON, or contains an unpaired surrogate.
pub fn read_value(owner: &str, name: &str, json: Option<&str>) -> Result<Value, Error> {
    let refused = |problem: &str| Error::encode(owner, name, problem);
    let json = json.ok_or_else(|| refused(MUST_BE_PLAIN))?;
    if has_unpaired_surrogate(json) {
        return Err(refused("must not contain half of a surrogate pair: pass whole characters"));
    }
    json::parse(json.as_bytes()).map_err(|error| match error.exceeded {
        Some(_) => refused(&error.to_string()),
        None => refused(MUST_BE_PLAIN),
    })
}

const MUST_BE_PLAIN: &str = "must be an object of plain data";

/// Returns whether the text contains an escape such as `\ud83d`. `JSON.stringify` escapes only unpaired surrogates.
fn has_unpaired_surrogate(json: &str) -> bool {
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && bytes.next() == Some(b'u') && matches!(bytes.next(), Some(b'd' | b'D')) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_wrong_type_hides_the_value() {
        let map =
            read_object("Orgo", "options", Some(r#"{"api_key":["sk_secret"],"n":1,"off":null}"#)).unwrap();
        let fields = Fields::new("Orgo", &map);
        let error = fields.text("api_key").unwrap_err();
        assert_eq!(error.to_string(), "Orgo: `api_key` must be a string");
        assert_eq!(fields.number("n").unwrap(), Some(1.0));
        assert_eq!(fields.number("off").unwrap(), None);
        assert!(!fields.flag("absent").unwrap());
        assert!(fields.texts("n").is_err() && fields.map("n").is_err() && fields.flag("n").is_err());
    }

    #[test]
    fn only_an_object_of_plain_data_is_accepted() {
        for wrong in [None, Some("[1]"), Some("null"), Some("\"text\"")] {
            let error = read_object("computers.click", "params", wrong).unwrap_err();
            assert_eq!(error.to_string(), "computers.click: `params` must be an object of plain data");
        }
    }

    #[test]
    fn unpaired_surrogates_are_refused_at_any_depth() {
        for half in [r#"{"a":[{"b":"\ud83d"}]}"#, r#"{"\uDE00":1}"#] {
            assert!(read_object("o", "params", Some(half)).is_err(), "{half}");
        }
        // These texts contain an escaped backslash before the letters, and a different escape.
        for whole in [r#"{"a":"\\ud83d"}"#, r#"{"a":"\u001b😀"}"#] {
            assert!(read_object("o", "params", Some(whole)).is_ok(), "{whole}");
        }
    }
}
