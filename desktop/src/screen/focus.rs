//! Which window has the keyboard.

use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use super::{connection::Display, error::ScreenError, property};

/// Values of the input focus that are no window: None and PointerRoot.
const NO_WINDOW: std::ops::RangeInclusive<Window> = 0..=1;

/// Most ancestors of the focused window that are examined. Toolkits nest a few dozen windows.
const MAX_DEPTH: usize = 256;

/// Who reads the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    Nothing,
    /// A top-level window that answers `_NET_WM_PING`.
    Pingable(Window),
    /// The focused window itself, when no window above it answers.
    Silent(Window),
}

pub(super) fn focus(display: &Display) -> Result<Focus, ScreenError> {
    let focused = display.conn.get_input_focus()?.reply()?.focus;
    if NO_WINDOW.contains(&focused) || focused == display.root {
        return Ok(Focus::Nothing);
    }
    let mut window = focused;
    for _ in 0..MAX_DEPTH {
        if window == display.root {
            break;
        }
        let protocols = property::list(display, window, display.atoms.WM_PROTOCOLS, AtomEnum::ATOM)?;
        if protocols.contains(&display.atoms._NET_WM_PING) {
            return Ok(Focus::Pingable(window));
        }
        window = match display.conn.query_tree(window)?.reply().map_err(ScreenError::from) {
            Ok(tree) => tree.parent,
            Err(ScreenError::Refused(_)) => return Ok(Focus::Nothing),
            Err(error) => return Err(error),
        };
    }
    Ok(Focus::Silent(focused))
}
