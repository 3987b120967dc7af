//! The playout on every kind of network and clock, exactly and in virtual time.

mod network;
mod patterns;
mod properties;
mod quality;
#[path = "../simulation/random.rs"]
#[allow(dead_code, reason = "the sessions' simulation uses the rest")]
mod random;
