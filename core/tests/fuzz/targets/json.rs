//! Tests that the JSON parser of the core agrees with `serde_json` on any bytes, and that a value does not change when
//! it is written and parsed.

use orgo_core::encoding::json::{Value, parse};

pub(crate) fn run(data: &[u8]) {
    match parse(data) {
        Ok(value) => {
            let text = value.to_string();
            assert_eq!(parse(text.as_bytes()), Ok(value.clone()), "a written value is read back");
            match serde_json::from_slice::<serde_json::Value>(data) {
                Ok(expected) => {
                    let written = serde_json::from_str::<serde_json::Value>(&text);
                    assert_eq!(written.ok(), Some(expected), "the same value");
                }
                // The core accepts three things that serde_json refuses: invalid Unicode (as U+FFFD), numbers beyond
                // the range of a double, and a depth of 128.
                Err(_) => assert!(
                    text.contains('\u{fffd}') || has_huge_number(&value) || depth(&value) == 128,
                    "not refused: {text}"
                ),
            }
        }
        Err(error) => {
            assert!(error.at <= data.len(), "the offset is within the text");
            let reference = serde_json::from_slice::<serde_json::Value>(data);
            assert!(reference.is_err(), "refused at {}: {reference:?}", error.at);
        }
    }
}

pub(super) fn has_huge_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_str().parse::<f64>().is_ok_and(f64::is_infinite),
        Value::Array(items) => items.iter().any(has_huge_number),
        Value::Object(fields) => fields.iter().any(|(_, value)| has_huge_number(value)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Returns the nesting depth of lists and objects.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
