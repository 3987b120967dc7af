//! Connections to the untrusted X server. They limit time and bytes, check packets, and reconnect.

pub(super) mod bounded;
pub(super) mod checked_reply;
pub(super) mod endpoint;
mod framing;
pub(super) mod limits;
pub(super) mod property;
pub(super) mod reconnecting;
pub(super) mod stream;
pub(super) mod time_budget;

use std::{
    cell::Cell,
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
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

use self::{bounded::BoundedConnection, endpoint::Endpoint, stream::wait_for, time_budget::TimeBudget};
use crate::screen::{
    ScreenError,
    application::responsiveness::{Responsiveness, UnreadKeys},
};

x11rb::atom_manager! {
    /// The atoms that this program uses.
    pub(in crate::screen) Atoms: AtomsCookie {
        CLIPBOARD,
        INCR,
        TARGETS,
        TEXT_PLAIN_UTF8: b"text/plain;charset=utf-8",
        UTF8_STRING,
        WM_PROTOCOLS,
        XdndSelection,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_FRAME_EXTENTS,
        _NET_REQUEST_FRAME_EXTENTS,
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

/// An open connection to the X server, with its root window and atoms.
#[derive(Debug)]
pub(in crate::screen) struct Display {
    pub(in crate::screen) conn: BoundedConnection,
    pub(in crate::screen) endpoint: Endpoint,
    pub(in crate::screen) root: Window,
    pub(in crate::screen) atoms: Atoms,
    pub(in crate::screen) responsiveness: Cell<Responsiveness>,
    pub(in crate::screen) unread_keys: Cell<Option<UnreadKeys>>,
}

impl Display {
    /// Connects to `endpoint`. The timeout also applies to all requests until the next operation starts.
    pub(in crate::screen) fn connect(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let conn = BoundedConnection::open(endpoint, endpoint.limits.operation)?;
        let atoms = Atoms::new(&conn)?.reply()?;
        // x11rb checks that the server has a screen.
        let root = conn.setup().roots[0].root;
        let endpoint = endpoint.clone();
        Ok(Self {
            conn,
            endpoint,
            root,
            atoms,
            responsiveness: Cell::default(),
            unread_keys: Cell::default(),
        })
    }

    /// Connects with the DAMAGE extension, which reports what windows draw.
    pub(in crate::screen) fn connect_with_damage(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Self::connect(endpoint)?;
        display.conn.damage_query_version(1, 1)?.reply()?;
        Ok(display)
    }

    /// Connects for pointer and keyboard input.
    pub(in crate::screen) fn connect_for_input(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Self::connect_with_damage(endpoint)?;
        display.conn.xtest_get_version(2, 2)?.reply()?;
        display.release_everything()?;
        Ok(display)
    }

    /// Requests the current size of the screen in pixels. The size in the connection setup may be outdated, because
    /// RandR can change it.
    pub(in crate::screen) fn size(&self) -> Result<(u16, u16), ScreenError> {
        let root = self.conn.get_geometry(self.root)?.reply()?;
        Ok((root.width, root.height))
    }

    /// Waits until the server has executed all earlier requests.
    pub(in crate::screen) fn sync(&self) -> Result<(), ScreenError> {
        self.conn.get_input_focus()?.reply()?;
        Ok(())
    }

    /// Waits for the next event. Returns `None` at `deadline`.
    pub(in crate::screen) fn next_event(&self, deadline: Instant) -> Result<Option<Event>, ScreenError> {
        self.event_while(|| (Instant::now() < deadline).then_some(deadline))
    }

    /// Waits for the next event. Returns `None` when `budget` is used up.
    pub(in crate::screen) fn next_event_within_budget(
        &self,
        budget: &mut TimeBudget,
    ) -> Result<Option<Event>, ScreenError> {
        self.event_while(|| budget.next_check())
    }

    /// Waits for the next event while `next_check` returns a time. Calls `next_check` again at the returned time.
    fn event_while(
        &self,
        mut next_check: impl FnMut() -> Option<Instant>,
    ) -> Result<Option<Event>, ScreenError> {
        self.conn.flush()?;
        while let Some(time) = next_check() {
            if let Some(event) = self.conn.poll_for_event()? {
                return Ok(Some(event));
            }
            let time = time.min(self.conn.next_check()?);
            wait_for(&mut [PollFd::from_borrowed_fd(self.fd(), PollFlags::IN)], Some(time))?;
        }
        Ok(None)
    }

    /// Discards the events that have arrived. Every client receives events about keymap changes, even if it has not
    /// selected them.
    pub(in crate::screen) fn discard_events(&self) -> Result<(), ScreenError> {
        while self.conn.poll_for_event()?.is_some() {}
        Ok(())
    }

    pub(in crate::screen) fn fd(&self) -> BorrowedFd<'_> {
        self.conn.as_fd()
    }
}
