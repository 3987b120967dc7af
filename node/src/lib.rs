//! The Node binding: a [`Platform`](orgo_core::driver::Platform) on a separate thread, and the conversions between the
//! core's values and JavaScript's. The core implements the protocol. The exports are the interface `Binding` in
//! `npm/src/binding.ts`, which documents them for their callers.

#![allow(missing_debug_implementations, reason = "only JavaScript uses the public types")]

pub mod call;
pub mod channel;
pub mod client;
pub mod log;
pub mod pcm;
pub mod values;

mod abort;
mod allocator;
mod body;
mod clock;
mod connect;
mod decode;
mod download;
mod error;
mod file;
mod io_thread;
mod mailbox;
mod memory;
mod network;
mod panic;
mod pooled;
mod promise;
mod proxies;
mod reuse;
mod socket;
mod tcp;
mod tls;

use napi_derive::napi;

/// Returns the name of this binding.
#[napi(catch_unwind)]
pub fn kind() -> &'static str {
    "native"
}

/// Returns the version of the Rust code.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
