//! The fuzz targets: they interpret bytes as inputs of the core, and check its invariants.

mod audio;
mod events;
mod input;
mod json;
mod parameters;
mod responses;
#[cfg(feature = "screen")]
mod screen;
mod session;
mod terminal;

pub(crate) type Body = fn(&[u8]);

/// Every fuzz target by its name, which is also the name of its corpus.
pub(crate) const ALL: &[(&str, Body)] = &[
    ("json", json::run),
    ("responses", responses::run),
    ("parameters", parameters::run),
    ("terminal", terminal::run),
    ("audio", audio::run),
    ("events", events::run),
    #[cfg(feature = "screen")]
    ("screen", screen::run),
    #[cfg(feature = "screen")]
    ("screen_decoders", screen::decoders),
];
