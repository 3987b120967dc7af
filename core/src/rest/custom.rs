//! Requests to undeclared paths, with the retries, errors and masking of a declared call.

use crate::encoding::json::{Map, Value};
use crate::encoding::percent::percent_encode;
use crate::error::Error;
use crate::rest::http::Method;
use crate::rest::operation::{BLANK, Effect, Encoded, Operation, ResponseKind};

/// The name that selects such a request in [`Call::new`](crate::rest::call::Call::new).
pub const NAME: &str = "request";

const METHODS: [(&str, Method, Effect); 5] = [
    ("GET", Method::Get, Effect::Read),
    ("POST", Method::Post, Effect::Once),
    ("PUT", Method::Put, Effect::Idempotent),
    ("PATCH", Method::Patch, Effect::Once),
    ("DELETE", Method::Delete, Effect::Idempotent),
];
const EFFECTS: [(&str, Effect); 3] =
    [("read", Effect::Read), ("idempotent", Effect::Idempotent), ("once", Effect::Once)];

/// A checked request.
pub(super) struct Custom {
    /// The method and the path, for errors and logs.
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) encoded: Encoded,
    pub(super) body: Option<Value>,
}

/// Reads the parameters: `method`, `path`, and optionally `query`, `body` and `effect`.
pub(super) fn read(params: &Map) -> Result<Custom, Error> {
    const KNOWN: [&str; 5] = ["method", "path", "query", "body", "effect"];
    if let Some((unknown, _)) = params.iter().find(|(name, _)| !KNOWN.contains(name)) {
        let problem = format!("is not a parameter of this call, which takes {}", KNOWN.join(", "));
        return Err(refused(unknown, problem));
    }
    let given = |name: &str| params.get(name).filter(|value| !value.is_null());
    let text = |name: &str| given(name).and_then(Value::as_str);

    let (method_name, method, usual_effect) =
        METHODS.into_iter().find(|(name, ..)| text("method") == Some(*name)).ok_or_else(|| {
            refused("method", format!("must be one of {}", quoted(METHODS.map(|(name, ..)| name))))
        })?;
    let path = text("path").unwrap_or_default();
    check_path(path)?;
    let effect = match given("effect") {
        None => usual_effect,
        Some(value) => EFFECTS
            .into_iter()
            .find(|(name, _)| value.as_str() == Some(*name))
            .map(|(_, effect)| effect)
            .ok_or_else(|| {
                refused("effect", format!("must be one of {}", quoted(EFFECTS.map(|(name, _)| name))))
            })?,
    };
    let body = given("body").cloned();
    if body.is_some() && method == Method::Get {
        return Err(refused("body", "must be absent: a GET request has no body".to_owned()));
    }

    let mut target = path.to_owned();
    if let Some(query) = given("query") {
        let query = query_string(query)?;
        if !query.is_empty() {
            target.push('?');
            target.push_str(&query);
        }
    }
    Ok(Custom {
        name: format!("{NAME} {method_name} {path}"),
        operation: Operation { name: NAME, method, effect, response: ResponseKind::Any, ..BLANK },
        encoded: Encoded { target, fields: Vec::new() },
        body,
    })
}

/// Checks that a path stays below the base URL and is encoded as RFC 3986 requires.
fn check_path(path: &str) -> Result<(), Error> {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/%-._~!$&'()*+,;=:@".contains(&byte);
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(refused("path", "must start with one slash, such as /computers".to_owned()));
    }
    if !path.bytes().all(is_path) {
        let problem =
            "must be a path without a query, encoded by encodeURIComponent: put a query into `query`";
        return Err(refused("path", problem.to_owned()));
    }
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if path.split('/').any(is_dots) {
        return Err(refused("path", "must not contain the segments `.` and `..`".to_owned()));
    }
    Ok(())
}

fn query_string(query: &Value) -> Result<String, Error> {
    let wrong =
        || refused("query", "must be an object of strings, numbers, booleans or lists of them".to_owned());
    let Value::Object(fields) = query else { return Err(wrong()) };
    let mut pairs = Vec::new();
    for (name, value) in fields.iter() {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(wrong()),
            };
            pairs.push(format!("{}={}", percent_encode(name), percent_encode(&text)));
        }
    }
    Ok(pairs.join("&"))
}

fn quoted<const N: usize>(names: [&str; N]) -> String {
    names.map(|name| format!("{name:?}")).join(", ")
}

fn refused(field: &str, problem: String) -> Error {
    Error::encode(NAME, field, problem)
}
