//! Streams a computer's screen and audio to an RTMP server.

mod broadcast;
mod connections;
mod encoder;
mod launcher;
mod listeners;
mod relay;

pub(crate) use broadcast::{Broadcast, StartError, Status};
pub(crate) use connections::{Connection, Connections, ConnectionsError};
pub(crate) use encoder::{Setup, Source};
pub(crate) use launcher::launch;
pub(crate) use relay::ComputerSocket;
