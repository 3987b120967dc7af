//! Detects whether the focused application has handled its keys, and whether it has drawn their effect.

pub(super) mod barrier;
mod focus;
mod mapping_probe;
pub(super) mod redraw;
pub(super) mod responsiveness;
