//! Tests of the screen channel against a server that the tests implement.

mod client;
mod decoders;
mod encode;
mod hostile;
#[cfg(all(feature = "screen-jpeg", feature = "screen-quality"))]
mod jpeg;
mod lifecycle;
mod random;
mod recordings;
