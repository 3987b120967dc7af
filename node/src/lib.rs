//! The Node binding: carries out what `orgo-core` refreshable for on a thread of its own, and converts values between
//! JavaScript and the core. It decides nothing about the protocol.
//!
//! Values cross as JSON text, so that the work of parsing stays off the JavaScript thread; bytes, samples and long
//! text cross beside it. The TypeScript face adapts these classes to its `Binding` interface.

#![allow(missing_debug_implementations, reason = "what is public here is seen by JavaScript alone")]

pub mod batch;
pub mod call;
pub mod channel;
pub mod client;
pub mod convert;
pub mod log;
pub mod owned;
pub mod wav;

mod body;
mod clock;
mod cut;
mod dial;
mod failure;
mod guard;
mod io_thread;
mod kept;
mod network;
mod promise;
mod proxies;
mod socket;
mod tls;

use napi_derive::napi;

/// The version of the Rust code.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
