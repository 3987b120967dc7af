//! Tests the playout on simulated networks and clocks, in virtual time.

mod network;
mod patterns;
mod properties;
mod quality;
#[path = "../simulation/random.rs"]
#[allow(dead_code, reason = "the sessions' simulation uses the rest")]
mod random;
