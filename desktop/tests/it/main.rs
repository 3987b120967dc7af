//! The real program over real desktops: every test starts a server of its own on a free port.

#![allow(clippy::disallowed_methods, reason = "tests work with files of their own")]

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
mod guard;
mod hostile;
mod inside;
mod isolation;
mod kill;
mod life;
mod limits;
mod python;
mod random;
mod repair;
mod server;
mod socket;
mod stream;
mod terminal;
mod unboxed;
