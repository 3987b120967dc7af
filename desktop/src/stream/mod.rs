//! Streaming a computer's screen and sound to an RTMP server.

mod broadcast;
mod connections;
mod encoder;

pub(crate) use broadcast::{Broadcast, StartError, Status};
pub(crate) use connections::{Connection, Connections, ConnectionsError};
pub(crate) use encoder::Stage;
