//! Tests of the real program with real desktops. Every test starts its own server on a free port.

#![allow(clippy::disallowed_methods, reason = "tests use their own files")]

mod access;
mod audio;
mod browser;
mod computer;
mod deploy;
mod disk;
mod doctor;
mod environment;
mod events;
mod faults;
mod files;
mod hostile;
mod inside;
mod isolation;
mod kill;
mod lifecycle;
mod limits;
mod pixels;
mod python;
mod random;
mod repair;
mod screen;
mod server;
mod socket;
mod stream;
mod terminal;
mod unboxed;
