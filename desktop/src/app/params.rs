//! Parameter extractors. Their errors name the parameter and describe a valid value.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use super::error::ApiError;

/// The maximum body size in bytes, sufficient for a long program or text.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The maximum number of bytes that the server reads of an oversized body before it closes the connection.
const MAX_DRAINED_BYTES: usize = 16 * MAX_BODY_BYTES;
/// The time limit for receiving a whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// An extractor for the JSON body. Ignores the `Content-Type`, and reads an empty body as an empty object.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = timeout(BODY_TIMEOUT, receive(request)).await.map_err(|_| {
            let message = format!("The body did not arrive within {} s", BODY_TIMEOUT.as_secs());
            ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
        })??;
        read(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

/// An extractor for the parameters of the query string.
#[derive(Debug)]
pub(crate) struct QueryParams<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri).map(|Query(options)| Self(options)).map_err(|error| {
            // Only the source of the error contains the details.
            let cause =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            ApiError::bad_request(match cause.split_once(": ") {
                Some((name, problem)) => format!("{name}: {}", plain_message(problem)),
                None => cause,
            })
        })
    }
}

/// Receives the whole body. Drains part of a body that is too large, since a client that is still sending when the
/// connection closes does not receive the response.
async fn receive(request: Request) -> Result<Vec<u8>, ApiError> {
    let mut chunks = request.into_body().into_data_stream();
    let mut body = Vec::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|error| ApiError::bad_request(format!("The body could not be received: {error}")))?;
        length += chunk.len();
        if length <= MAX_BODY_BYTES {
            body.extend_from_slice(&chunk);
        } else if length > MAX_DRAINED_BYTES {
            break;
        }
    }
    if length > MAX_BODY_BYTES {
        let message = format!("The body is larger than {} KiB", MAX_BODY_BYTES / 1024);
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(body)
}

pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, ApiError> {
    let invalid = |cause| ApiError::bad_request(format!("The body is not valid JSON: {cause}"));
    // serde also deserializes a struct from an array that contains the fields in the order of their declaration.
    let first = json.trim_ascii_start().first();
    if first == Some(&b'[') || first != Some(&b'{') && serde_json::from_slice::<IgnoredAny>(json).is_ok() {
        return Err(ApiError::bad_request("The body must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            ApiError::bad_request(explain(&path, &cause))
        } else if path != "." && is_lone_surrogate(&cause) {
            let problem = "contains a lone surrogate, such as half of an emoji";
            ApiError::bad_request(format!("{path}: {problem}"))
        } else {
            invalid(cause)
        }
    })?;
    // Refuses data after the object, which serde_json would otherwise ignore.
    deserializer.end().map_err(invalid)?;
    Ok(value)
}

/// Returns whether the cause is an unpaired surrogate in a string, such as the escape `\ud83d` without its other half.
/// serde_json has no error code for this case, only a message.
fn is_lone_surrogate(cause: &serde_json::Error) -> bool {
    let text = cause.to_string();
    ["lone leading surrogate", "unexpected end of hex escape"].iter().any(|start| text.starts_with(start))
}

fn explain(path: &str, cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    // The position in the JSON does not help a caller whose library wrote the JSON.
    let text = text.split_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return format!("{field} is required");
    }
    let text = plain_message(text);
    if path == "." { text } else { format!("{path}: {text}") }
}

/// Rewrites a message of serde. Omits the names of Rust types and the invalid value, which may be long.
fn plain_message(text: &str) -> String {
    if let Some((_, expected)) =
        text.strip_prefix("unknown variant `").and_then(|text| text.rsplit_once("expected "))
    {
        return format!("must be {}", expected.replace('`', ""));
    }
    let found = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    let Some((found, expected)) = found.and_then(|text| text.rsplit_once(", expected ")) else {
        return text.to_owned();
    };
    let expected = match expected {
        "f64" => "a number",
        "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a boolean" => "true or false",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    };
    let found = match found.split(' ').next().unwrap_or_default() {
        "null" | "Option" => "null",
        "boolean" => "a boolean",
        "integer" | "floating" => "a number",
        "string" | "character" => "a string",
        "sequence" => "a list",
        "map" => "an object",
        _ => return format!("must be {expected}"),
    };
    format!("must be {expected}, not {found}")
}

/// Deserializes an integer. Also accepts `40.0`, because some clients write integers that way.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // The comparison detects a lossy conversion.
    #[expect(clippy::cast_possible_truncation, reason = "checked on the next line")]
    let integer = number as i32;
    if f64::from(integer) == number {
        Ok(integer)
    } else {
        Err(D::Error::custom(format!("{number} is not a whole number")))
    }
}

/// Like [`integer`], for a parameter that may be absent or null.
pub(crate) fn optional_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    #[derive(Deserialize)]
    struct Integer(#[serde(deserialize_with = "integer")] i32);

    Ok(Option::<Integer>::deserialize(deserializer)?.map(|Integer(integer)| integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Point {
        #[serde(deserialize_with = "integer")]
        x: i32,
        #[serde(default, deserialize_with = "optional_integer")]
        y: Option<i32>,
    }

    #[derive(Debug, Deserialize)]
    struct Text {
        #[expect(dead_code, reason = "the tests only check whether it is accepted")]
        text: String,
    }

    #[test]
    fn a_lone_surrogate_is_refused_with_the_name_of_the_parameter() {
        for half in [r"\ud83d", r"a\ude00b", r"\ud83d\ud83d\ude00", r"\ud83dx", r"\ud83d\n"] {
            let json = format!(r#"{{"text": "{half}"}}"#);
            let refusal = format!("{:?}", read::<Text>(json.as_bytes()).expect_err("the surrogate is alone"));
            assert!(refusal.contains("text: contains a lone surrogate"), "{half}: {refusal}");
        }
        assert!(read::<Text>(br#"{"text": "\ud83d\ude00"}"#).is_ok());
    }

    fn refusal(json: &str) -> String {
        format!("{:?}", read::<Point>(json.as_bytes()).expect_err("the value is not valid"))
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let point: Point = read(br#"{"x": 40.0, "y": null}"#).map_err(|_| ()).expect("the body is valid");
        assert_eq!((point.x, point.y), (40, None));
    }

    #[test]
    fn an_error_names_the_parameter() {
        assert!(refusal("{}").contains("x is required"));
        assert!(refusal(r#"{"x": "a"}"#).contains("x: must be a number, not a string"));
        assert!(refusal(r#"{"x": true}"#).contains("x: must be a number, not a boolean"));
        assert!(refusal(r#"{"x": null}"#).contains("x: must be a number, not null"));
        assert!(refusal(r#"{"x": {"x": 1}}"#).contains("x: must be a number, not an object"));
        let text =
            |json: &str| format!("{:?}", read::<Text>(json.as_bytes()).expect_err("the value is not valid"));
        assert!(text(r#"{"text": 5}"#).contains("text: must be a string, not a number"));
        assert!(text(r#"{"text": ["a"]}"#).contains("text: must be a string, not a list"));
        assert!(refusal(r#"{"x": 1.5}"#).contains("x: 1.5 is not a whole number"));
        assert!(refusal(r#"{"x": 1, "y": 1e99}"#).contains("y: "));
        assert!(refusal("{").contains("not valid JSON"));
        assert_eq!(
            plain_message("unknown variant `gif`, expected one of `png`, `jpeg`"),
            "must be one of png, jpeg"
        );
        assert_eq!(plain_message("unknown variant `, expected `, expected `a` or `b`"), "must be a or b");
    }

    #[test]
    fn the_body_must_be_exactly_one_object() {
        for json in ["[40]", " [[", "null", "40", "\"x\"", "true"] {
            assert!(refusal(json).contains("The body must be a JSON object"), "{json}");
        }
        for json in [r#"{"x": 1} x"#, r#"{"x": 1}{"x": 2}"#, r#"{"x": 1},"#, "x", ""] {
            assert!(refusal(json).contains("The body is not valid JSON"), "{json}");
        }
        assert!(read::<Point>(b" {\"x\": 1} \r\n").is_ok());
    }
}
