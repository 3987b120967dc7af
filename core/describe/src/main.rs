//! Writes the generated files, or with `--check` lists those that are stale.

mod reference;
mod sources;
mod typescript;

use std::path::Path;
use std::process::ExitCode;

use orgo_core::channel::EVENTS;
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::operation::{Operation, ResponseKind};
use orgo_core::rest::schema::{Choice, Field, Object, Type};

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = [
        ("npm/src/generated/types.ts", typescript::types()),
        ("npm/src/generated/operations.ts", typescript::operations()),
        ("npm/src/generated/channels.ts", typescript::channels()),
        ("docs/reference.md", reference::reference()),
        ("docs/sources.md", sources::sources()),
    ];
    let mut stale = false;
    for (path, text) in files {
        let file = root.join(path);
        if check {
            if std::fs::read_to_string(&file).ok().as_deref() != Some(&text) {
                eprintln!("{path} is stale: run `npm run types` and commit it");
                stale = true;
            }
        } else if let Err(error) =
            file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, text))
        {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Each named type of the declarations once, in the order of first use.
#[derive(Default)]
struct Named {
    objects: Vec<&'static Object>,
    choices: Vec<&'static Choice>,
}

impl Named {
    fn collect() -> Self {
        let mut named = Self::default();
        for operation in OPERATIONS {
            named.fields(operation.fields);
            if let ResponseKind::Value { ty, .. } = operation.response {
                named.visit(ty);
            }
        }
        for event in EVENTS {
            named.visit(event.data);
        }
        named
    }

    fn fields(&mut self, fields: &'static [Field]) {
        for field in fields {
            self.visit(field.ty);
        }
    }

    fn visit(&mut self, ty: Type) {
        match ty {
            Type::Object(object) if !self.objects.iter().any(|known| known.name == object.name) => {
                self.objects.push(object);
                self.fields(object.fields);
            }
            Type::Choice(choice) if !self.choices.iter().any(|known| known.name == choice.name) => {
                self.choices.push(choice);
            }
            Type::List(item) => self.visit(*item),
            _ => {}
        }
    }
}

/// Joins the lines of a doc comment to one line of text.
fn prose(doc: &str) -> String {
    doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns all parameters of a call.
fn parameters(operation: &Operation) -> impl Iterator<Item = &'static Field> {
    operation.path_fields.iter().chain(operation.fields)
}
