//! The Orgo protocol without input or output.
//!
//! In scope: every REST call as a declaration ([`rest::calls`]), its encoding and the judgement of its answer
//! ([`rest::call`]), the file that an upload carries ([`rest::upload`]), the WebSocket channels as state machines ([`channel`]),
//! PCM sound ([`audio`]), the errors ([`error`]), what of a text they may show ([`diagnostics::mask`]), the policy of retries
//! ([`rest::retry`]) and what a log is told ([`diagnostics::log`]).
//!
//! Out of scope: sockets, clocks, randomness, threads and async runtimes. Time is a number of milliseconds
//! that the caller passes in, randomness is a seed given at construction, and what must happen in the world
//! comes out as a value. The optional feature `driver` adds the async loops which the browser and the Node
//! binding share; it is generic over a platform and opens nothing by itself.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod audio;
pub mod channel;
pub mod client;
pub mod diagnostics;
#[cfg(feature = "driver")]
pub mod driver;
pub mod encoding;
pub mod error;
pub mod rest;

/// Milliseconds: a point on the caller's monotonic clock, or a span of it. The zero point is the caller's.
pub type Millis = u64;
