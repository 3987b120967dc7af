//! The Orgo protocol as a sans-IO library.
//!
//! Orgo rents headless Linux desktops that AI agents control. This crate encodes the REST calls, decodes their
//! responses, and runs the WebSocket channels (terminal, audio, events, screen) as state machines. It opens no socket,
//! reads no clock and starts no thread: your program performs the I/O, reports what happened together with the current
//! time, and asks for the next step. So the same code runs with any HTTP client, with or without an async runtime, in a
//! browser, and in tests with a virtual clock.
//!
//! # A call
//!
//! A [`Call`](rest::call::Call) returns a [`Step`](rest::call::Step) until the call is done. The steps include the
//! retries, and the time limits of each request.
//!
//! ```
//! use orgo_core::client::config::{CallOptions, Config};
//! use orgo_core::client::credentials::ApiKey;
//! use orgo_core::rest::call::{Call, Step};
//! use orgo_core::rest::calls::actions::RunBash;
//! use orgo_core::rest::http::{Request, Response, SendFailure};
//!
//! /// Your HTTP client. This one always returns the same response.
//! fn send(request: &Request) -> Result<Response, SendFailure> {
//!     assert_eq!(request.url, "https://www.orgo.ai/api/computers/5c1e/bash");
//!     let body = br#"{ "output": "Linux\n", "exit_code": 0 }"#.to_vec();
//!     Ok(Response { status: 200, body, ..Response::default() })
//! }
//!
//! # fn main() -> Result<(), orgo_core::error::Error> {
//! let config = Config { api_key: Some(ApiKey::new("sk_live_...")), ..Config::default() };
//! let bash = RunBash { id: "5c1e".to_owned(), command: "uname".to_owned(), timeout: None };
//! let seed = 7; // A random number, for the jitter of the backoff.
//! let mut now = 0; // Milliseconds of a monotonic clock.
//! let mut call = Call::typed(&config, &bash, &CallOptions::default(), seed)?;
//! let result = loop {
//!     match call.step(now) {
//!         // The limits are time limits for this request, in milliseconds.
//!         Step::Send(request, _limits) => match send(&request) {
//!             Ok(response) => call.handle_response(response),
//!             Err(failure) => call.handle_failure(failure),
//!         },
//!         Step::Wait(milliseconds) => now += milliseconds, // Sleep here.
//!         Step::Done(result) => break result?.into_typed::<RunBash>()?,
//!     }
//! };
//! assert_eq!(result.output, "Linux\n");
//! # Ok(())
//! # }
//! ```
//!
//! # A channel
//!
//! A [`Session`](channel::Session) is one channel across all of its sockets. Report every event with a `handle_*`
//! method, then drain [`poll_action`](channel::Session::poll_action) and [`poll_item`](channel::Session::poll_item),
//! and set a timer for [`poll_timeout`](channel::Session::poll_timeout).
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use orgo_core::channel::{Action, State, Target, TerminalItem, TerminalSession};
//! use orgo_core::client::address::ComputerAddress;
//! use orgo_core::client::config::Config;
//! use orgo_core::client::credentials::Password;
//!
//! # fn main() -> Result<(), orgo_core::error::Error> {
//! let address = ComputerAddress { computer_id: "5c1e".to_owned(), ..ComputerAddress::default() };
//! let target = Target::new(&Config::default(), address, Some(Password::new("secret")));
//! let (seed, now) = (7, 0);
//! let mut session = TerminalSession::terminal(target, None, None, seed, now)?;
//!
//! // The messages that your WebSocket will receive.
//! let mut socket = VecDeque::from([
//!     r#"{ "type": "output", "data": "$ exit\r\n" }"#,
//!     r#"{ "type": "exit", "code": 0 }"#,
//! ]);
//! let mut output = String::new();
//! loop {
//!     while let Some(action) = session.poll_action() {
//!         match action {
//!             Action::Connect(url) => {
//!                 assert_eq!(url.to_string(), "wss://5c1e.orgo.dev/terminal?token=***&cols=80&rows=24");
//!                 session.handle_open(now); // After the socket has opened.
//!             }
//!             Action::Send(_message) => {} // Send it as a text message.
//!             Action::SendBinary(_message) => {} // Send it as a binary message.
//!             Action::Close(_code) => {} // Close the socket.
//!             Action::Authorize => unreachable!("the server accepts the password"),
//!         }
//!     }
//!     while let Some(item) = session.poll_item() {
//!         if let TerminalItem::Output { data } = item {
//!             output.push_str(&data);
//!         }
//!     }
//!     if let State::Closed(cause) = session.state() {
//!         assert_eq!(cause.to_string(), "the shell ended: exit code 0");
//!         break;
//!     }
//!     // Wait for a message or for the deadline, whichever comes first.
//!     match socket.pop_front() {
//!         Some(message) => session.handle_text(now, message),
//!         None => session.handle_timeout(now),
//!     }
//! }
//! assert_eq!(output, "$ exit\r\n");
//! # Ok(())
//! # }
//! ```
//!
//! `examples/blocking.rs` runs both loops over blocking sockets.
//!
//! # Modules
//!
//! - [`rest`]: REST calls. [`calls`](rest::calls) has the declarations, [`call`](rest::call) the state machine of one
//!   call, [`upload`](rest::upload) the content of an upload, [`retry`](rest::retry) the retry policy.
//! - [`channel`]: WebSocket channels. [`TerminalSession`](channel::TerminalSession),
//!   [`AudioSession`](channel::AudioSession) and [`EventsSession`](channel::EventsSession) are the three kinds.
//! - [`client`]: the [configuration](client::config), the [addresses](client::address) and the
//!   [credentials](client::credentials) of a client.
//! - [`error`]: [`Error`](error::Error), and a struct with the details of each kind of failure.
//! - [`audio`]: PCM, WAV and levels, and the jitter buffer [`playout`](audio::playout).
//! - [`encoding`]: the [JSON](encoding::json) reader and writer.
//! - [`diagnostics`]: [log](diagnostics::log) entries, and the [masking](diagnostics::mask) of secrets.
//!
//! # Time and randomness
//!
//! Every time is a [`Millis`]. You choose the zero point of `now`, which must never decrease. A `seed` is a random
//! number, from which the jitter of the waits is derived. The jitter is not a secret.
//!
//! # Features
//!
//! No feature is on by default.
//!
//! - `driver`: async loops over a platform's HTTP client, sockets and timer, which the bindings for browsers and Node
//!   share. They are generic over a `Platform` and need no runtime.
//! - `screen`: the screen channel, [`ScreenSession`](channel::ScreenSession).
//! - `screen-png`: images of the screen as PNG.
//! - `describe`: keeps the doc comments and the sources of the declarations in the program, for tools that generate
//!   documentation.
//!
//! # Stability
//!
//! The crate follows semantic versioning. Before 1.0, a minor version may contain breaking changes. Enums that may grow
//! are `#[non_exhaustive]`. [`Step`](rest::call::Step), [`Action`](channel::Action) and [`State`](channel::State) are
//! exhaustive on purpose: a program must handle each of their variants, so a new one is a breaking change. The feature
//! `driver` is for the bindings of this repository and has no stability guarantee. The texts of errors and log entries
//! may change in any version.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// An index operator of text would add 5 kB of error messages to a page: use `encoding::text::part`.
#![cfg_attr(not(test), warn(clippy::string_slice))]

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

/// A duration or a point in time, in milliseconds. A point is relative to the caller's monotonic clock, with any zero
/// point.
pub type Millis = u64;
