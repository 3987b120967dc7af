//! Writes the TypeScript types of the declarations.

use std::fmt::Write as _;

use super::{Named, prose};
use orgo_core::channel::{CloseReason, EVENTS};
use orgo_core::client::address::DEFAULT_BASE_URL;
use orgo_core::client::config::DEFAULT_TIMEOUT;
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::operation::{Operation, ResponseKind, accepted_values};
use orgo_core::rest::schema::{Field, Rule, Type};

const HEADER: &str =
    "// Written by orgo-describe (npm run types) from the declarations in core/. Do not edit.\n";

/// Returns the text of `types.ts`: every object, choice and set of parameters, and the events.
#[must_use]
pub(crate) fn types() -> String {
    let named = Named::collect();
    let mut out = String::from(HEADER);
    for choice in &named.choices {
        let values: Vec<String> = choice.values.iter().map(|value| format!("{value:?}")).collect();
        let _ = write!(
            out,
            "\n/** {} */\nexport type {} = {};\n",
            prose(choice.doc),
            choice.name,
            values.join(" | ")
        );
    }
    for object in &named.objects {
        let _ = write!(out, "\n/** {} */\nexport interface {} {{\n", prose(object.doc), object.name);
        for field in object.fields {
            property(&mut out, field, &response_type(&field.ty), &prose(field.doc));
        }
        out.push_str("}\n");
    }
    for operation in OPERATIONS.iter().filter(|operation| has_params(operation)) {
        let _ = write!(
            out,
            "\n/** Parameters of `{}`. */\nexport interface {}Params {{\n",
            operation.name, operation.type_name
        );
        for field in method_params(operation) {
            property(&mut out, field, &parameter_type(&field.ty), &parameter_doc(field));
        }
        out.push_str("}\n");
    }
    events(&mut out);
    out
}

/// The parameters that a method takes as a separate argument, before the object of the other parameters.
const ARGUMENTS: &[(&str, &str)] = &[
    ("computers.type", "text"),
    ("computers.key", "key"),
    ("computers.wait", "duration"),
    ("computers.bash", "command"),
    ("computers.exec", "code"),
    ("stream.start", "connection_name"),
    ("files.download", "id"),
    ("files.delete", "id"),
    ("files.bytes", "id"),
    ("files.stream", "id"),
];

/// Returns the parameters in the object that a method takes. Path parameters belong to the handle or are arguments.
fn method_params(operation: &Operation) -> impl Iterator<Item = &'static Field> {
    let name = operation.name;
    operation.fields.iter().filter(move |field| !ARGUMENTS.contains(&(name, field.name)))
}

fn has_params(operation: &Operation) -> bool {
    method_params(operation).next().is_some()
}

/// Returns the type of all parameters of a call.
fn call_params(operation: &Operation) -> String {
    let others = operation.fields.iter().filter(|field| ARGUMENTS.contains(&(operation.name, field.name)));
    let fields: Vec<String> = operation
        .path_fields
        .iter()
        .chain(others)
        .map(|field| format!("{}: {}", field.name, parameter_type(&field.ty)))
        .collect();
    let object = format!("{{ {} }}", fields.join("; "));
    match (fields.is_empty(), has_params(operation)) {
        (true, false) => "Record<string, never>".to_owned(),
        (true, true) => format!("{}Params", operation.type_name),
        (false, false) => object,
        (false, true) => format!("{object} & {}Params", operation.type_name),
    }
}

/// Returns the text of `operations.ts`: every call with the types of its parameters and its result.
#[must_use]
pub(crate) fn operations() -> String {
    let mut out = String::from(HEADER);
    let mut used: Vec<String> = OPERATIONS
        .iter()
        .filter(|operation| has_params(operation))
        .map(|operation| format!("{}Params", operation.type_name))
        .collect();
    let mut rows = String::new();
    for operation in OPERATIONS {
        let result = match operation.response {
            ResponseKind::Value { ty, .. } => {
                used.extend(Named::default_names(ty));
                response_type(&ty)
            }
            ResponseKind::Screenshot => "{ mime_type: string; width: number; height: number }".to_owned(),
            ResponseKind::Content => "null".to_owned(),
            ResponseKind::Stream => "{ size?: number }".to_owned(),
            ResponseKind::Any => "unknown".to_owned(),
        };
        let _ = write!(
            rows,
            "  /** {} */\n  {:?}: {{ params: {}; result: {result} }};\n",
            prose(operation.doc),
            operation.name,
            call_params(operation)
        );
    }
    used.sort();
    used.dedup();
    let _ = write!(out, "import type {{\n  {},\n}} from \"./types.js\";\n", used.join(",\n  "));
    let _ = write!(
        out,
        "\n/** Every call: its parameters, and the result that a binding returns. */\nexport interface Operations {{\n{rows}}}\n"
    );
    out.push_str(
        "\n/** Whether a call may be retried: see `Effect` in orgo-core. */\nexport const EFFECTS = {\n",
    );
    for operation in OPERATIONS {
        let effect = format!("{:?}", operation.effect).to_lowercase();
        let _ = writeln!(out, "  {:?}: {effect:?},", operation.name);
    }
    out.push_str("} as const satisfies Record<keyof Operations, \"read\" | \"idempotent\" | \"once\">;\n");
    out
}

/// Returns the text of `channels.ts`: the types of channels and errors that a binding returns.
#[must_use]
pub(crate) fn channels() -> String {
    let reasons: Vec<String> = CloseReason::ALL
        .iter()
        .map(|reason| format!("  /** {} */\n  | {:?}", capitalized(reason.describe()), reason.as_str()))
        .collect();
    let names: Vec<String> = EVENTS.iter().map(|event| format!("{:?}", event.name)).collect();
    include_str!("channels.ts.txt")
        .replace("// @header\n", HEADER)
        .replace("  // @reasons", &reasons.join("\n"))
        .replace("/* @events */", &names.join(", "))
        .replace("/* @base_url */", &format!("{DEFAULT_BASE_URL:?}"))
        .replace("/* @timeout */", &DEFAULT_TIMEOUT.to_string())
}

fn events(out: &mut String) {
    for event in EVENTS {
        let name = event_interface(event.name);
        let data = response_type(&event.data);
        let _ = write!(
            out,
            "\n/** {} */\nexport interface {name} {{\n  type: {:?};\n  /** The time of the event: ISO 8601 with milliseconds, UTC. */\n  timestamp: string;\n  data: {data};\n}}\n",
            prose(event.doc),
            event.name
        );
    }
    let names: Vec<String> = EVENTS.iter().map(|event| event_interface(event.name)).collect();
    let _ = write!(
        out,
        "\n/** An event of the desktop; `type` distinguishes the events. */\nexport type DesktopEvent =\n  | {};\n",
        names.join("\n  | ")
    );
    out.push_str("\n/** The name of an event. */\nexport type EventType = DesktopEvent[\"type\"];\n");
}

fn event_interface(name: &str) -> String {
    let words: String = name.split('_').map(capitalized).collect();
    format!("{words}Event")
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn property(out: &mut String, field: &Field, ty: &str, doc: &str) {
    let mark = if field.optional { "?" } else { "" };
    let _ = write!(out, "  /** {doc} */\n  {}{mark}: {ty};\n", field.name);
}

fn parameter_doc(field: &Field) -> String {
    let mut doc = prose(field.doc);
    if !matches!(field.rule, Rule::Any | Rule::NotEmpty) && !matches!(field.ty, Type::Choice(_)) {
        let _ = write!(doc, " Accepts {}.", accepted_values(field));
    }
    if !field.default.is_empty() {
        let _ = write!(doc, " Default: `{}`.", field.default);
    }
    doc
}

/// Returns the type of a value from the server. A choice may contain a newer name.
fn response_type(ty: &Type) -> String {
    match ty {
        Type::Choice(choice) => format!("{} | (string & {{}})", choice.name),
        Type::List(item) => format!("{}[]", response_type(item)),
        Type::Object(object) => object.name.to_owned(),
        _ => parameter_type(ty),
    }
}

fn parameter_type(ty: &Type) -> String {
    match ty {
        Type::Boolean => "boolean".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::String | Type::Secret => "string".to_owned(),
        Type::Choice(choice) => choice.name.to_owned(),
        Type::Object(object) => object.name.to_owned(),
        Type::List(item) => format!("{}[]", parameter_type(item)),
        Type::Map => "Record<string, unknown>".to_owned(),
    }
}

impl Named {
    /// Returns the names of the declared types in the TypeScript form of a type.
    fn default_names(ty: Type) -> Vec<String> {
        match ty {
            Type::Object(object) => vec![object.name.to_owned()],
            Type::Choice(choice) => vec![choice.name.to_owned()],
            Type::List(item) => Self::default_names(*item),
            _ => Vec::new(),
        }
    }
}
