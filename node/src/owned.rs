//! Typed arrays whose memory JavaScript owns: unlike memory of Rust's they can be transferred to a worker. The price is
//! one copy, at the speed of memory.

use napi::Env;
use napi::bindgen_prelude::{Float32ArraySlice, Result, ToNapiValue, Uint8ArraySlice, sys};

/// A `Uint8Array` to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

/// A `Float32Array` to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples(pub Vec<f32>);

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, Self(bytes): Self) -> Result<sys::napi_value> {
        let array = Uint8ArraySlice::copy_from(&Env::from_raw(env), bytes)?;
        // SAFETY: the caller promises a live environment of this thread, and the array was made in it.
        unsafe { ToNapiValue::to_napi_value(env, array) }
    }
}

impl ToNapiValue for Samples {
    unsafe fn to_napi_value(env: sys::napi_env, Self(samples): Self) -> Result<sys::napi_value> {
        let array = Float32ArraySlice::copy_from(&Env::from_raw(env), samples)?;
        // SAFETY: the caller promises a live environment of this thread, and the array was made in it.
        unsafe { ToNapiValue::to_napi_value(env, array) }
    }
}
