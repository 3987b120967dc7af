//! Tests of the screen channel against a server that the tests implement.

mod client;
mod decoders;
mod encode;
mod hostile;
mod lifecycle;
mod random;
mod view;
