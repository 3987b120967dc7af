//! Requests to undeclared paths, with the retries, errors and masking of a declared call.

use crate::encoding::json::{Map, Value};
use crate::encoding::percent::percent_encode;
use crate::error::Error;
use crate::rest::http::Method;
use crate::rest::operation::{BLANK, Effect, Encoded, Operation, Prepared, ResponseKind};

/// The name that selects a request to an undeclared path in [`Call::new`](crate::rest::call::Call::new).
pub const NAME: &str = "request";

/// The operation of every request to an undeclared path. The method and the effect come from the request.
const OPERATION: &Operation = &Operation { name: NAME, response: ResponseKind::Any, ..BLANK };

const METHODS: [(Method, Effect); 5] = [
    (Method::Get, Effect::Read),
    (Method::Post, Effect::Once),
    (Method::Put, Effect::Idempotent),
    (Method::Patch, Effect::Once),
    (Method::Delete, Effect::Idempotent),
];
const EFFECTS: [(&str, Effect); 3] =
    [("read", Effect::Read), ("idempotent", Effect::Idempotent), ("once", Effect::Once)];

/// Reads the parameters: `method`, `path`, and optionally `query`, `body` and `effect`.
pub(super) fn read(params: &Map) -> Result<Prepared<'_>, Error> {
    let known = |name: &str| matches!(name, "method" | "path" | "query" | "body" | "effect");
    if let Some((unknown, _)) = params.iter().find(|(name, _)| !known(name)) {
        let problem = "is not a parameter of this call, which takes method, path, query, body, effect";
        return Err(refused(unknown, problem));
    }
    let given = |name: &str| params.get(name).filter(|value| !value.is_null());
    let text = |name: &str| given(name).and_then(Value::as_str).unwrap_or_default();

    let method = text("method");
    let Some((method, usual_effect)) = METHODS.into_iter().find(|(known, _)| known.as_str() == method) else {
        return Err(refused("method", "must be one of \"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\""));
    };
    let path = text("path");
    if let Some(problem) = path_problem(path) {
        return Err(refused("path", problem));
    }
    let effect = match given("effect") {
        None => usual_effect,
        Some(_) => {
            let effect = text("effect");
            let Some((_, effect)) = EFFECTS.into_iter().find(|(name, _)| *name == effect) else {
                return Err(refused("effect", "must be one of \"read\", \"idempotent\", \"once\""));
            };
            effect
        }
    };
    // `null` is a body too.
    let body = params.get("body").cloned();
    if body.is_some() && method == Method::Get {
        return Err(refused("body", "must be absent: a GET request has no body"));
    }
    let mut target = path.to_owned();
    if let Some(query) = given("query") {
        add_query(&mut target, query).ok_or_else(|| {
            refused("query", "must be an object of strings, numbers, booleans or lists of them")
        })?;
    }
    let name = [NAME, " ", method.as_str(), " ", path].concat();
    let encoded = Encoded { target, fields: Vec::new() };
    Ok(Prepared { name, operation: OPERATION, method, effect, params, encoded, body })
}

/// Returns why a path does not stay below the base URL, or is not encoded as RFC 3986 requires.
fn path_problem(path: &str) -> Option<&'static str> {
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/%-._~!$&'()*+,;=:@".contains(byte);
    let path = path.as_bytes();
    if !path.starts_with(b"/") || path.starts_with(b"//") {
        Some("must start with one slash, such as /computers")
    } else if !path.iter().all(is_path) || has_broken_escape(path) {
        Some("must be a path without a query, encoded by encodeURIComponent: put a query into `query`")
    } else if path.split(|byte| *byte == b'/').any(is_dot_segment) {
        Some("must not contain the segments `.` and `..`")
    } else {
        None
    }
}

/// Returns whether a percent sign is not followed by two hexadecimal digits.
fn has_broken_escape(path: &[u8]) -> bool {
    let escapes = path.split(|byte| *byte == b'%').skip(1);
    escapes.into_iter().any(|rest| rest.len() < 2 || !rest[..2].iter().all(u8::is_ascii_hexdigit))
}

/// Returns whether a URL parser interprets the segment as `.` or `..`.
fn is_dot_segment(mut segment: &[u8]) -> bool {
    let mut dots = 0;
    loop {
        segment = match segment {
            [] => return dots == 1 || dots == 2,
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
}

/// Adds the query to a target. Returns `None` for a query that is not acceptable.
fn add_query(target: &mut String, query: &Value) -> Option<()> {
    let Value::Object(fields) = query else { return None };
    let mut separator = '?';
    for (name, value) in fields.iter() {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => percent_encode(text),
                Value::Number(_) | Value::Bool(_) => percent_encode(&value.to_string()),
                Value::Array(_) | Value::Object(_) => return None,
            };
            target.push(separator);
            target.push_str(&percent_encode(name));
            target.push('=');
            target.push_str(&text);
            separator = '&';
        }
    }
    Some(())
}

fn refused(field: &str, problem: &str) -> Error {
    Error::encode(NAME, field, problem)
}
