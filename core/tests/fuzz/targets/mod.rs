//! Bodies of the fuzzers: bytes are read as an input of the core, and what must hold whatever they say is checked.

mod answers;
mod audio;
mod events;
mod input;
mod json;
mod parameters;
mod session;
mod terminal;

pub(crate) type Body = fn(&[u8]);

/// Every body by the name of its fuzzer and of the folder of its kept inputs.
pub(crate) const ALL: [(&str, Body); 6] = [
    ("json", json::run),
    ("answers", answers::run),
    ("parameters", parameters::run),
    ("terminal", terminal::run),
    ("audio", audio::run),
    ("events", events::run),
];
