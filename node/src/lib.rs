//! The Node binding: carries out what `orgo-core` asks for on a thread of its own, and converts values between
//! JavaScript and the core. It decides nothing about the protocol.
//!
//! Values cross as JSON text, so that the work of parsing stays off the JavaScript thread; bytes, samples and long
//! text cross beside it. The TypeScript face adapts these classes to its `Binding` interface.

#![allow(
    missing_debug_implementations,
    unreachable_pub,
    reason = "napi exports only what is `pub`, and no Rust code can reach it"
)]

mod batch;
mod call;
mod channel;
mod client;
mod clock;
mod convert;
mod dial;
mod guard;
mod io_thread;
mod network;
mod socket;
mod tls;
mod wav;

use napi_derive::napi;

/// The version of the Rust code.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
