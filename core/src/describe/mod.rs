//! Writes what is derived from the declarations for readers outside of Rust.

mod reference;
mod typescript;

pub use reference::reference;
pub use typescript::{channels, operations, types};

use crate::api::OPERATIONS;
use crate::channel::EVENTS;
use crate::endpoint::{Answer, Operation};
use crate::schema::{Choice, Field, Object, Type};

/// Every named type that the declarations reach, each once, in the order of its first use.
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
            if let Answer::Value { ty, .. } = operation.answer {
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

/// A doc comment as running text: one paragraph on one line.
fn prose(doc: &str) -> String {
    doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Every parameter of a call.
fn parameters(operation: &Operation) -> impl Iterator<Item = &'static Field> {
    operation.path_fields.iter().chain(operation.fields)
}
