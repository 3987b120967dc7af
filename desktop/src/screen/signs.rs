//! Telling that a desktop is there to be seen, from what its programs write on the root window.

use std::time::Instant;

use x11rb::protocol::xproto::{AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

use super::{connection::Display, error::ScreenError, property};

/// Something that a part of the desktop does when it is at work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign {
    /// The window manager is at work.
    WindowManager,
    /// The wallpaper is drawn, and the panel has taken its place at an edge.
    Desktop,
}

/// Waits for a sign; `false` when it has not come by `deadline`.
pub(super) fn wait_for(display: &Display, sign: Sign, deadline: Instant) -> Result<bool, ScreenError> {
    // Asked for before the first look, so that no change falls between the two.
    let changes = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    display.conn.change_window_attributes(display.root, &changes)?;
    while !shows(display, sign)? {
        if display.next_event(deadline)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn shows(display: &Display, sign: Sign) -> Result<bool, ScreenError> {
    let root = |atom, kind| property::list(display, display.root, atom, kind);
    let atoms = &display.atoms;
    Ok(match sign {
        // It announces itself before it is at work; what it leaves to windows it says then.
        Sign::WindowManager => {
            !root(atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW)?.is_empty()
                && !root(atoms._NET_WORKAREA, AtomEnum::CARDINAL)?.is_empty()
        }
        Sign::Desktop => {
            let wallpaper = !root(atoms._XROOTPMAP_ID, AtomEnum::PIXMAP)?.is_empty();
            // x, y, width, height of what the panel leaves to windows.
            let work_area = root(atoms._NET_WORKAREA, AtomEnum::CARDINAL)?;
            let (width, height) = display.size()?;
            let size = [width, height].map(u32::from);
            wallpaper && work_area.get(2..4).is_some_and(|left| left != size)
        }
    })
}
