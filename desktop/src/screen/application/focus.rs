//! Finds the window with the keyboard focus.

use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use crate::screen::{
    ScreenError,
    connection::{Display, property},
};

/// The values of the input focus that are not windows: None and PointerRoot.
const NO_WINDOW: std::ops::RangeInclusive<Window> = 0..=1;

/// The maximum number of examined ancestors of the focused window. Toolkits nest a few dozen windows.
const MAX_DEPTH: usize = 256;

/// The window that receives keyboard events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    NoWindow,
    /// The nearest window that announces `_NET_WM_PING`: the focused window or one of its ancestors.
    Pingable(Window),
    /// The focused window, if neither it nor an ancestor announces `_NET_WM_PING`.
    WithoutPing(Window),
}

pub(super) fn current(display: &Display) -> Result<Focus, ScreenError> {
    let focused = display.conn.get_input_focus()?.reply()?.focus;
    if NO_WINDOW.contains(&focused) || focused == display.root {
        return Ok(Focus::NoWindow);
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
            Err(ScreenError::XError(_)) => return Ok(Focus::NoWindow),
            Err(error) => return Err(error),
        };
    }
    Ok(Focus::WithoutPing(focused))
}
