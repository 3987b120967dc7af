//! Writes the reference of the REST calls and the events.

use std::fmt::Write as _;

use super::{parameters, prose};
use orgo_core::channel::EVENTS;
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::operation::{Effect, ResponseKind, accepted_values};
use orgo_core::rest::schema::{Field, Type};

/// Returns the text of `reference.md`: every call with its parameters, and every event.
#[must_use]
pub(crate) fn reference() -> String {
    let mut out = String::from(
        "<!-- Written by orgo-describe (npm run types) from the declarations in core/. Do not edit. -->\n\n\
         # Reference\n\n## Calls\n\n\
         *Effect* determines when a failed call is retried automatically. A call with the effect `read` or \
         `idempotent` is retried after every temporary failure (a network failure, an expired time limit, a \
         response that is not JSON, or the status 408, 429, 500, 502, 503 or 504). A call with the effect \
         `once` is retried only if it had no effect (a refused connection, an unknown host, a failed TLS \
         handshake, the status 429, or an error code of a computer that is not awake yet).\n\n\
         | call | request | effect | response |\n|---|---|---|---|\n",
    );
    for operation in OPERATIONS {
        let _ = writeln!(
            out,
            "| [`{}`](#{}) | `{} {}` | {} | {} |",
            operation.name,
            anchor(operation.name),
            operation.method.as_str(),
            operation.path,
            effect(operation.effect),
            response(&operation.response)
        );
    }
    for operation in OPERATIONS {
        let _ = write!(out, "\n### {}\n\n{}\n", operation.name, prose(operation.doc));
        if parameters(operation).next().is_some() {
            out.push_str("\n| parameter | accepts | default | |\n|---|---|---|---|\n");
        }
        for field in parameters(operation) {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                name(field),
                accepted_values(field),
                default(field),
                prose(field.doc)
            );
        }
    }
    out.push_str("\n## Events\n\n| type | `data` | |\n|---|---|---|\n");
    for event in EVENTS {
        let data = match event.data {
            Type::Object(object) if !object.fields.is_empty() => {
                object.fields.iter().map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ")
            }
            _ => "empty".to_owned(),
        };
        let _ = writeln!(out, "| `{}` | {data} | {} |", event.name, prose(event.doc));
    }
    out
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace('.', "")
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Idempotent => "idempotent",
        Effect::Once => "once",
    }
}

fn response(kind: &ResponseKind) -> String {
    match kind {
        ResponseKind::Value { ty: Type::List(Type::Object(object)), .. } => {
            format!("list of `{}`", object.name)
        }
        ResponseKind::Value { ty: Type::Object(object), .. } => format!("`{}`", object.name),
        ResponseKind::Value { .. } => "a JSON value".to_owned(),
        ResponseKind::Screenshot => "an image".to_owned(),
        ResponseKind::Content => "bytes".to_owned(),
        ResponseKind::Stream => "a stream of bytes".to_owned(),
        ResponseKind::Any => "any JSON value, or bytes".to_owned(),
    }
}

fn name(field: &Field) -> String {
    let own = if field.optional { format!("`{}`?", field.name) } else { format!("`{}`", field.name) };
    if field.wire.is_empty() {
        return own;
    }
    let wire: Vec<String> = field.wire.iter().map(|name| format!("`{name}`")).collect();
    format!("{own} (on the wire {})", wire.join(" and "))
}

fn default(field: &Field) -> String {
    if field.default.is_empty() { String::new() } else { format!("`{}`", field.default) }
}
