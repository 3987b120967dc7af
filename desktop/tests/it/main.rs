//! The real program over real desktops: every test starts a server of its own on a free port.

mod audio;
mod computer;
mod events;
mod guard;
mod life;
mod server;
mod socket;
mod terminal;
