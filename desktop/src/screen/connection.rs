//! One connection to an X server: the root window, the atoms in use and the events.

use std::{
    cell::Cell,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        damage::ConnectionExt as _,
        xproto::{ConnectionExt as _, Window},
        xtest::ConnectionExt as _,
    },
};

use super::{
    bounded::BoundedConnection,
    dial::Endpoint,
    error::ScreenError,
    manners::{Manners, Unread},
    patience::Patience,
    stream::wait_for,
};

x11rb::atom_manager! {
    /// The atoms that this module names.
    pub(super) Atoms: AtomsCookie {
        CLIPBOARD,
        INCR,
        TARGETS,
        TEXT_PLAIN_UTF8: b"text/plain;charset=utf-8",
        UTF8_STRING,
        WM_PROTOCOLS,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_NAME,
        _NET_WM_PING,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DESKTOP,
        _NET_WM_WINDOW_TYPE_DOCK,
        _NET_WORKAREA,
        _ORGO_SELECTION,
        _XROOTPMAP_ID,
    }
}

/// An open connection to the X server and what nearly every request needs.
#[derive(Debug)]
pub(super) struct Display {
    pub(super) conn: BoundedConnection,
    pub(super) endpoint: Endpoint,
    pub(super) root: Window,
    pub(super) atoms: Atoms,
    pub(super) manners: Cell<Manners>,
    pub(super) unread: Cell<Option<Unread>>,
}

impl Display {
    /// Connects. The time limit includes all requests until the next operation.
    pub(super) fn connect(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let conn = BoundedConnection::open(endpoint, endpoint.limits.operation)?;
        let atoms = Atoms::new(&conn)?.reply()?;
        // x11rb checks that there is one.
        let root = conn.setup().roots[0].root;
        let endpoint = endpoint.clone();
        Ok(Self { conn, endpoint, root, atoms, manners: Cell::default(), unread: Cell::default() })
    }

    /// A connection that learns what windows draw.
    pub(super) fn connect_to_watch_drawing(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Self::connect(endpoint)?;
        display.conn.damage_query_version(1, 1)?.reply()?;
        Ok(display)
    }

    /// A connection for pointer and keyboard.
    pub(super) fn connect_for_input(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Self::connect_to_watch_drawing(endpoint)?;
        display.conn.xtest_get_version(2, 2)?.reply()?;
        display.release_everything()?;
        Ok(display)
    }

    /// Size of the screen in pixels, as it is now: an X server resizes its root window by RandR.
    pub(super) fn size(&self) -> Result<(u16, u16), ScreenError> {
        let root = self.conn.get_geometry(self.root)?.reply()?;
        Ok((root.width, root.height))
    }

    /// Waits until the server has executed everything sent so far.
    pub(super) fn sync(&self) -> Result<(), ScreenError> {
        self.conn.get_input_focus()?.reply()?;
        Ok(())
    }

    /// The next event, or `None` from `deadline` on.
    pub(super) fn next_event(&self, deadline: Instant) -> Result<Option<Event>, ScreenError> {
        self.event_while(|| (Instant::now() < deadline).then_some(deadline))
    }

    /// The next event, or `None` once `patience` is over.
    pub(super) fn next_event_within(&self, patience: &mut Patience) -> Result<Option<Event>, ScreenError> {
        self.event_while(|| patience.next_look())
    }

    /// The next event, or `None` once `next_look` says so; until then it says how long to wait before it is asked again.
    fn event_while(
        &self,
        mut next_look: impl FnMut() -> Option<Instant>,
    ) -> Result<Option<Event>, ScreenError> {
        self.conn.flush()?;
        while let Some(look) = next_look() {
            if let Some(event) = self.conn.poll_for_event()? {
                return Ok(Some(event));
            }
            let look = look.min(self.conn.next_look()?);
            wait_for(&mut [PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)], Some(look))?;
        }
        Ok(None)
    }

    /// Throws away the events received so far (keymap notices reach every client, asked for or not).
    pub(super) fn discard_events(&self) -> Result<(), ScreenError> {
        while self.conn.poll_for_event()?.is_some() {}
        Ok(())
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.conn.as_fd()
    }
}

/// A connection that a [`Link`] can keep.
pub(super) trait Linked {
    fn conn(&self) -> &BoundedConnection;
}

impl Linked for Display {
    fn conn(&self) -> &BoundedConnection {
        &self.conn
    }
}

/// A connection that is opened again after it was lost.
#[derive(Debug)]
pub(super) struct Link<T> {
    endpoint: Endpoint,
    connect: fn(&Endpoint) -> Result<T, ScreenError>,
    open: Option<T>,
    /// Kept until there is a new one: an X server that hung and goes on reads only what came by a connection that is still
    /// open, and the last of it is what lets go of buttons and keys.
    lost: Option<T>,
}

impl<T: Linked> Link<T> {
    pub(super) fn open(
        endpoint: &Endpoint,
        connect: fn(&Endpoint) -> Result<T, ScreenError>,
    ) -> Result<Self, ScreenError> {
        let open = Some(connect(endpoint)?);
        Ok(Self { open, ..Self::closed(endpoint, connect) })
    }

    /// Opened when it is first needed.
    pub(super) fn closed(endpoint: &Endpoint, connect: fn(&Endpoint) -> Result<T, ScreenError>) -> Self {
        Self { endpoint: endpoint.clone(), connect, open: None, lost: None }
    }

    /// Runs `action`, which has a duration of `time`, on the connection. After an action that loses the connection or wears it
    /// out, the next action reconnects.
    pub(super) fn run<R>(
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
        if matches!(result, Err(ScreenError::Lost(_) | ScreenError::BrokenOff(_))) {
            self.lost = self.open.take();
        } else if open.conn().is_worn() {
            self.open = None;
        }
        result
    }
}
