//! The browser binding: a [`Platform`](orgo_core::driver::Platform) for pages and workers, and the conversions between the
//! core's values and JavaScript's. The core implements the protocol. The exports are the interface `Binding` in
//! `npm/src/binding.ts`, which documents them for their callers.
//!
//! It runs wherever `fetch`, `WebSocket`, `performance` and `setTimeout` are global: pages, workers, Node.
//!
//! The features `rest`, `channels` and `node` are parts of the module. The linker removes the code of the core that a module does
//! not use, so only the exports depend on the features.
//!
//! With `channels`, the module also runs the connections of live screens, which are in the module of the crate `orgo-screen-wasm`
//! (`foreign.rs`).

#[cfg(feature = "channels")]
mod audio;
#[cfg(feature = "rest")]
mod call;
#[cfg(feature = "channels")]
mod channel;
mod client;
mod convert;
#[cfg(feature = "channels")]
mod foreign;
mod platform;
mod promise;
mod task;
#[cfg(all(test, feature = "rest", feature = "channels", feature = "node"))]
mod tests;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "channels")]
pub use audio::{level, wav_encode, wav_header};
#[cfg(feature = "rest")]
pub use call::PendingCall;
#[cfg(feature = "channels")]
pub use channel::Channel;
pub use client::Client;
#[cfg(feature = "channels")]
pub use foreign::ScreenObject;

/// This allocator is less than half as large as the one of the standard library. It exists only for WebAssembly.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen(start)]
fn start() {
    #[cfg(feature = "rest")]
    promise::reject_on_panic(call::take_settles);
    #[cfg(not(feature = "rest"))]
    promise::reject_on_panic(Vec::new);
}

/// Returns the name of this binding.
#[wasm_bindgen]
#[must_use]
pub fn kind() -> String {
    "wasm".to_owned()
}

/// Returns the version of the Rust code.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
