//! One connection to an X server: bounded waits, the root window and the atoms in use.

use std::{
    cell::Cell,
    io::{self, IoSlice},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use std::sync::Arc;

use super::dial::Dial;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        damage::ConnectionExt as _,
        xproto::{ConnectionExt as _, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::{DefaultStream, PollMode, RustConnection, Stream},
    utils::RawFdContainer,
};

use super::{
    error::ScreenError,
    manners::{Manners, Unread},
    patience::Patience,
};

/// How long a reply may take. A server that crashed closes the socket at once; this bounds one that hangs.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

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

/// An X socket on which no single wait lasts longer than [`REPLY_LIMIT`], and none beyond `end`.
#[derive(Debug)]
pub(super) struct BoundedStream {
    stream: DefaultStream,
    end: Option<Instant>,
}

impl Stream for BoundedStream {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, mode.readable());
        flags.set(PollFlags::OUT, mode.writable());
        let mut patience = Patience::new(REPLY_LIMIT);
        while let Some(look) = patience.next_look() {
            let look = self.end.map_or(look, |end| end.min(look));
            if wait_for(&mut [PollFd::new(&self.stream, flags)], Some(look))? {
                return Ok(());
            }
            if self.end.is_some_and(|end| end <= Instant::now()) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
            }
        }
        let text = format!("no answer within {} seconds", REPLY_LIMIT.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    }

    fn read(&self, buf: &mut [u8], fd_storage: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.read(buf, fd_storage)
    }

    fn write(&self, buf: &[u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write(buf, fds)
    }

    fn write_vectored(&self, bufs: &[IoSlice<'_>], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write_vectored(bufs, fds)
    }
}

/// Waits until one of `fds` is ready; `false` when `deadline` comes first. `None` waits without end.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
        });
        match poll(fds, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A plain connection; with an `end`, one on which no wait lasts beyond it.
pub(super) fn open(
    socket: &Arc<dyn Dial>,
    end: Option<Instant>,
) -> Result<RustConnection<BoundedStream>, ScreenError> {
    let stream = socket.dial()?;
    let (stream, _) = DefaultStream::from_unix_stream(stream)?;
    Ok(RustConnection::connect_to_stream(BoundedStream { stream, end }, 0)?)
}

/// An open connection to the X server and what nearly every request needs.
#[derive(Debug)]
pub(super) struct Display {
    pub(super) conn: RustConnection<BoundedStream>,
    pub(super) socket: Arc<dyn Dial>,
    pub(super) root: Window,
    pub(super) atoms: Atoms,
    pub(super) manners: Cell<Manners>,
    pub(super) unread: Cell<Option<Unread>>,
}

impl Display {
    pub(super) fn connect(socket: &Arc<dyn Dial>) -> Result<Self, ScreenError> {
        let conn = open(socket, None)?;
        let atoms = Atoms::new(&conn)?.reply()?;
        let root = conn.setup().roots[0].root;
        let socket = Arc::clone(socket);
        Ok(Self { conn, socket, root, atoms, manners: Cell::default(), unread: Cell::default() })
    }

    /// A connection that learns what windows draw.
    pub(super) fn connect_to_watch_drawing(socket: &Arc<dyn Dial>) -> Result<Self, ScreenError> {
        let display = Self::connect(socket)?;
        display.conn.damage_query_version(1, 1)?.reply()?;
        Ok(display)
    }

    /// A connection for pointer and keyboard.
    pub(super) fn connect_for_input(socket: &Arc<dyn Dial>) -> Result<Self, ScreenError> {
        let display = Self::connect_to_watch_drawing(socket)?;
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
        self.conn.stream().stream.as_fd()
    }
}

/// A connection that is opened again after it was lost.
#[derive(Debug)]
pub(super) struct Link<T> {
    socket: Arc<dyn Dial>,
    connect: fn(&Arc<dyn Dial>) -> Result<T, ScreenError>,
    open: Option<T>,
    /// Kept until there is a new one: an X server that hung and goes on reads only what came by a connection that is still
    /// open, and the last of it is what lets go of buttons and keys.
    lost: Option<T>,
}

impl<T> Link<T> {
    pub(super) fn open(
        socket: &Arc<dyn Dial>,
        connect: fn(&Arc<dyn Dial>) -> Result<T, ScreenError>,
    ) -> Result<Self, ScreenError> {
        let open = Some(connect(socket)?);
        Ok(Self { open, ..Self::closed(socket, connect) })
    }

    /// Opened when it is first needed.
    pub(super) fn closed(
        socket: &Arc<dyn Dial>,
        connect: fn(&Arc<dyn Dial>) -> Result<T, ScreenError>,
    ) -> Self {
        Self { socket: Arc::clone(socket), connect, open: None, lost: None }
    }

    /// Runs `action` on the connection; an action that finds it lost leaves the next one to reconnect.
    pub(super) fn run<R>(
        &mut self,
        action: impl FnOnce(&mut T) -> Result<R, ScreenError>,
    ) -> Result<R, ScreenError> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                let open = (self.connect)(&self.socket)?;
                self.lost = None;
                closed.insert(open)
            }
        };
        let result = action(open);
        if matches!(result, Err(ScreenError::Lost(_) | ScreenError::BrokenOff(_))) {
            self.lost = self.open.take();
        }
        result
    }
}
