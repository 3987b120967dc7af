//! Telling that a desktop is there to be seen, from what its programs write on the root window.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};
use x11rb::rust_connection::{DefaultStream, RustConnection};

/// How often the properties are looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// Something that a part of the desktop does when it is at work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// The window manager has announced itself.
    WindowManager,
    /// The wallpaper is drawn, and the panel has taken its place at an edge.
    Desktop,
}

/// Waits for a sign, for ever if it does not come.
pub(super) async fn wait_for(x_socket: PathBuf, sign: Sign) -> io::Result<()> {
    loop {
        let socket = x_socket.clone();
        // X calls block; each of these takes well under a millisecond.
        let seen = tokio::task::spawn_blocking(move || Root::connect(&socket)?.shows(sign)).await;
        if seen.map_err(io::Error::other)?? {
            return Ok(());
        }
        sleep(INTERVAL).await;
    }
}

struct Root {
    connection: RustConnection,
    window: Window,
    size: [u32; 2],
}

impl Root {
    fn connect(socket: &std::path::Path) -> io::Result<Self> {
        let (stream, _) = DefaultStream::from_unix_stream(UnixStream::connect(socket)?)?;
        let connection = RustConnection::connect_to_stream(stream, 0).map_err(io::Error::other)?;
        let screen = &x11rb::connection::Connection::setup(&connection).roots[0];
        let window = screen.root;
        let size = [screen.width_in_pixels, screen.height_in_pixels].map(u32::from);
        Ok(Self { connection, window, size })
    }

    fn shows(&self, sign: Sign) -> io::Result<bool> {
        let shows = || -> Result<bool, ReplyError> {
            Ok(match sign {
                Sign::WindowManager => !self.property("_NET_SUPPORTING_WM_CHECK")?.is_empty(),
                Sign::Desktop => {
                    let wallpaper = !self.property("_XROOTPMAP_ID")?.is_empty();
                    // x, y, width, height of what the panel leaves to windows.
                    let work_area = self.property("_NET_WORKAREA")?;
                    wallpaper && work_area.get(2..4).is_some_and(|left| left != self.size)
                }
            })
        };
        shows().map_err(io::Error::other)
    }

    fn property(&self, name: &str) -> Result<Vec<u32>, ReplyError> {
        let atom = self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom;
        let value = self.connection.get_property(false, self.window, atom, AtomEnum::ANY, 0, 4)?.reply()?;
        Ok(value.value32().into_iter().flatten().collect())
    }
}
