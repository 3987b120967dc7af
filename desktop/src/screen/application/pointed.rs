//! Waits until the application under the pointer has handled the events of the pointer.

use tokio_util::sync::CancellationToken;
use x11rb::{
    NONE,
    protocol::xproto::{AtomEnum, ConnectionExt as _, Window},
};

use super::barrier;
use crate::screen::{
    ScreenError,
    connection::{Display, property, time_budget::TimeBudget},
    input::cancellation,
};

/// The maximum number of examined windows, from the root window to the window under the pointer.
const MAX_DEPTH: usize = 64;
/// The number of pings. A response means that the process of the window has handled its events. A browser handles them in
/// other processes too, which have had their share of a busy CPU after several responses.
const PINGS: u32 = 5;

/// Returns the window under the pointer that announces `_NET_WM_PING`, if there is one.
pub(in crate::screen) fn window(display: &Display) -> Result<Option<Window>, ScreenError> {
    let mut window = display.root;
    for _ in 0..MAX_DEPTH {
        window = match display.conn.query_pointer(window)?.reply().map_err(ScreenError::from) {
            Ok(pointer) if pointer.child != NONE => pointer.child,
            // The window has no child at this place, or is closed.
            Ok(_) | Err(ScreenError::XError(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let protocols = property::list(display, window, display.atoms.WM_PROTOCOLS, AtomEnum::ATOM)?;
        if protocols.contains(&display.atoms._NET_WM_PING) {
            return Ok(Some(window));
        }
    }
    Ok(None)
}

/// Waits until the applications of `windows` have handled all events that were sent to them, or until `budget` is used up.
pub(in crate::screen) fn wait(
    display: &Display,
    windows: impl IntoIterator<Item = Window>,
    budget: &mut TimeBudget,
    canceled: &CancellationToken,
) -> Result<(), ScreenError> {
    for window in windows {
        for _ in 0..PINGS {
            cancellation::check(canceled)?;
            // A window that does not respond is not marked as unresponsive: it has had less time than a window with keys.
            if !barrier::exchange_ping(display, window, budget)? {
                break;
            }
        }
    }
    Ok(())
}
