//! Reconnects to the X server after a connection was lost.

use std::time::Duration;

use super::{Display, bounded::BoundedConnection, endpoint::Endpoint};
use crate::screen::ScreenError;

/// A value that owns a connection.
pub(in crate::screen) trait HasConnection {
    fn conn(&self) -> &BoundedConnection;
}

impl HasConnection for Display {
    fn conn(&self) -> &BoundedConnection {
        &self.conn
    }
}

/// A connection that is reopened by the next action after it was lost.
#[derive(Debug)]
pub(in crate::screen) struct Reconnecting<T> {
    endpoint: Endpoint,
    connect: fn(&Endpoint) -> Result<T, ScreenError>,
    open: Option<T>,
    /// The lost connection, which stays open until the next connection is established. An X server that hangs and then
    /// continues reads pending requests only from open connections. The last pending requests release buttons and keys.
    lost: Option<T>,
}

impl<T: HasConnection> Reconnecting<T> {
    pub(in crate::screen) fn open(
        endpoint: &Endpoint,
        connect: fn(&Endpoint) -> Result<T, ScreenError>,
    ) -> Result<Self, ScreenError> {
        let open = Some(connect(endpoint)?);
        Ok(Self { open, ..Self::closed(endpoint, connect) })
    }

    /// Returns a value that connects on first use.
    pub(in crate::screen) fn closed(
        endpoint: &Endpoint,
        connect: fn(&Endpoint) -> Result<T, ScreenError>,
    ) -> Self {
        Self { endpoint: endpoint.clone(), connect, open: None, lost: None }
    }

    /// Runs `action`, which has an expected duration of `time`. First reconnects if the connection was lost during the
    /// last action, or had to be replaced after it.
    pub(in crate::screen) fn run<R>(
        &mut self,
        time: Duration,
        action: impl FnOnce(&mut T) -> Result<R, ScreenError>,
    ) -> Result<R, ScreenError> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                let open = (self.connect)(&self.endpoint)?;
                self.lost = None;
                closed.insert(open)
            }
        };
        open.conn().begin_operation(time);
        let result = action(open);
        if matches!(result, Err(ScreenError::Lost(_) | ScreenError::Interrupted(_))) {
            self.lost = self.open.take();
        } else if open.conn().needs_replacement() {
            self.open = None;
        }
        result
    }
}
