//! Detects whether parts of the desktop are ready, by the properties that they set on the root window.

use std::time::Instant;

use x11rb::protocol::xproto::{AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

use crate::screen::{
    ScreenError,
    connection::{Display, property},
};

/// A part of the desktop that sets properties when it is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DesktopPart {
    WindowManager,
    /// The wallpaper and the panel. They are ready when the wallpaper is drawn and the panel has reserved space at an
    /// edge of the screen.
    WallpaperAndPanel,
}

/// Waits until a part is ready. Returns `false` if the part is not ready at `deadline`.
pub(super) fn wait_until_ready(
    display: &Display,
    part: DesktopPart,
    deadline: Instant,
) -> Result<bool, ScreenError> {
    // Selects events before the first check. Otherwise, a change between the check and the selection would be missed.
    let changes = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    display.conn.change_window_attributes(display.root, &changes)?;
    while !is_ready(display, part)? {
        if display.next_event(deadline)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_ready(display: &Display, part: DesktopPart) -> Result<bool, ScreenError> {
    let root = |atom, kind| property::list(display, display.root, atom, kind);
    let atoms = &display.atoms;
    Ok(match part {
        // The window manager sets the first property before it is ready, and the second property when it is ready.
        DesktopPart::WindowManager => {
            !root(atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW)?.is_empty()
                && !root(atoms._NET_WORKAREA, AtomEnum::CARDINAL)?.is_empty()
        }
        DesktopPart::WallpaperAndPanel => {
            let wallpaper = !root(atoms._XROOTPMAP_ID, AtomEnum::PIXMAP)?.is_empty();
            // The value is x, y, width and height of the area without the panel.
            let work_area = root(atoms._NET_WORKAREA, AtomEnum::CARDINAL)?;
            let (width, height) = display.size()?;
            let size = [width, height].map(u32::from);
            wallpaper && work_area.get(2..4).is_some_and(|area| area != size)
        }
    })
}
