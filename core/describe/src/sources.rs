//! Writes the table of the sources of the declarations.

use std::fmt::Write as _;

use super::{Named, parameters};
use orgo_core::channel::EVENTS;
use orgo_core::rest::calls::OPERATIONS;

/// Returns the text of `sources.md`: every declaration with a `#[source(...)]`.
#[must_use]
pub(crate) fn sources() -> String {
    let mut out = String::from(
        "<!-- Written by orgo-describe (npm run types) from the declarations in core/. Do not edit. -->\n\n\
         # Sources of the declarations\n\n\
         The source of each declared call, parameter, field, name and event, by the [tags](protocol.md#sources) of the\n\
         protocol notes. Declarations that are not listed are from the specification.\n\n\
         | declaration | source |\n|---|---|\n",
    );
    let mut row = |declaration: String, source: &str| {
        if !source.is_empty() {
            let _ = writeln!(out, "| `{declaration}` | {source} |");
        }
    };
    for operation in OPERATIONS {
        row(operation.name.to_owned(), operation.source);
        for field in parameters(operation) {
            row(format!("{}: {}", operation.name, field.name), field.source);
        }
    }
    let named = Named::collect();
    for object in named.objects {
        for field in object.fields {
            row(format!("{}.{}", object.name, field.name), field.source);
        }
    }
    for choice in named.choices {
        row(choice.name.to_owned(), choice.source);
    }
    for event in EVENTS {
        row(format!("event {}", event.name), event.source);
    }
    out
}
