//! The JSON writer.

use std::fmt;

use super::value::Value;
use crate::encoding::text::part;

impl fmt::Display for Value {
    /// Writes JSON without spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Value {
    /// Returns JSON without spaces. Needs less code than `to_string`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Most values are small. A text that grows from nothing would be moved several times.
        let mut text = String::with_capacity(128);
        write(self, &mut text);
        text
    }
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(number.as_str()),
        Value::String(value) => write_quoted(value, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_quoted(name, text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}

/// Returns text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    write_quoted(text, &mut quoted);
    quoted
}

fn write_quoted(value: &str, text: &mut String) {
    text.push('"');
    let mut rest = value;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        text.push_str(part(rest, ..at));
        match part(rest, at..).chars().next() {
            Some(character @ ('"' | '\\')) => text.extend(['\\', character]),
            Some(character) => write_escape(character, text),
            None => {}
        }
        rest = part(rest, at + 1..);
    }
    text.push_str(rest);
    text.push('"');
}

/// Writes a character as an escape: `\n`, `\r`, `\t`, or a form such as `\u001b`. A character above U+FFFF needs two
/// escapes.
pub(crate) fn write_escape(character: char, text: &mut String) {
    let short = match character {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => "",
    };
    text.push_str(short);
    if short.is_empty() {
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str("\\u");
            for shift in [12, 8, 4, 0] {
                text.push(char::from(b"0123456789abcdef"[usize::from(*unit >> shift & 15)]));
            }
        }
    }
}
