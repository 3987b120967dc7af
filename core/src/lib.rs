//! The Orgo protocol without input or output.
//!
//! In scope: every REST call as a declaration ([`api`]), its encoding and the judgement of its answer
//! ([`call`]), the file that an upload carries ([`upload`]), the WebSocket channels as state machines ([`channel`]),
//! PCM sound ([`audio`]), the errors ([`error`]), what of a text they may show ([`mask`]), the policy of retries
//! ([`retry`]) and what a log is told ([`note`]).
//!
//! Out of scope: sockets, clocks, randomness, threads and async runtimes. Time is a number of milliseconds
//! that the caller passes in, randomness is a seed given at construction, and what must happen in the world
//! comes out as a value. The optional feature `driver` adds the async loops which the browser and the Node
//! binding share; it is generic over a platform and opens nothing by itself.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod address;
pub mod api;
pub mod audio;
pub mod auth;
pub mod call;
pub mod channel;
pub mod config;
#[cfg(feature = "describe")]
pub mod describe;
#[cfg(feature = "driver")]
pub mod driver;
pub mod endpoint;
pub mod error;
pub mod http;
pub mod image;
pub mod json;
pub mod mask;
pub mod note;
mod percent;
pub mod reason;
pub mod retry;
pub mod schema;
mod text;
pub mod upload;

/// Milliseconds: a point on the caller's monotonic clock, or a span of it. The zero point is the caller's.
pub type Millis = u64;
