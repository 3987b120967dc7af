//! Detects whether the focused application has handled its keys, and whether it has drawn their effect; and whether the
//! application under the pointer has handled the events of the pointer.

pub(super) mod barrier;
mod focus;
mod mapping_probe;
pub(super) mod pointed;
pub(super) mod redraw;
pub(super) mod responsiveness;
