//! Waits until the focused application has handled all keys that were sent to it.

use std::{
    thread,
    time::{Duration, Instant},
};

use x11rb::protocol::{
    Event,
    xproto::{ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask, Window},
};

use super::{
    focus::{self, Focus},
    mapping_probe,
    redraw::PendingRedraw,
    responsiveness::{Responsiveness, UnreadKeys},
};
use crate::screen::{
    ScreenError,
    connection::{Display, time_budget::TimeBudget},
};

/// The pause after the last key for a window that cannot confirm that it has read its keys.
const PAUSE_WITHOUT_PING: Duration = Duration::from_millis(120);
/// The timeout of the first mapping probe of a window. Some windows never respond to a probe.
const FIRST_RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// The timeout of later mapping probes of a window that has responded once. After a timeout, the window is not probed
/// again, because its late response would look like the response to the next probe.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// The assumed number of unhandled characters of an unresponsive window.
const UNRESPONSIVE_WINDOW_BACKLOG: usize = 100;
/// The id of the pings of this module. It differs from the ids of the window manager, which count from 1.
const PING_ID: u32 = 0x4f52_474f;

/// Records that keys were just sent to the focused window.
pub(in crate::screen) fn note_keys_sent(display: &Display) -> Result<(), ScreenError> {
    match focus::current(display)? {
        Focus::NoWindow => {}
        Focus::Pingable(window) if display.responsiveness.get() != Responsiveness::Unresponsive(window) => {}
        Focus::WithoutPing(window) | Focus::Pingable(window) => {
            display.unread_keys.set(Some(UnreadKeys { window, until: Instant::now() + PAUSE_WITHOUT_PING }));
        }
    }
    Ok(())
}

/// Waits until applications have handled all keys. Returns `false` if the focused application may still have unhandled
/// keys.
///
/// An application handles events in order, so it responds to a `_NET_WM_PING` only after it has handled all earlier
/// keys. There are two other cases:
///
/// - If the window does not announce `_NET_WM_PING`, this function uses a [mapping probe](mapping_probe), or a fixed
///   pause if the window does not respond to the probe.
/// - If the window announces `_NET_WM_PING` but does not respond, this function waits until the window stops drawing.
///
/// `limit` is the timeout of the ping. A mapping probe takes at most [`RESPONSE_TIMEOUT`].
pub(in crate::screen) fn wait(display: &Display, limit: Duration) -> Result<bool, ScreenError> {
    let focus = focus::current(display)?;
    let mut unread_keys = display.unread_keys.take();
    if let Focus::WithoutPing(window) = focus
        && responds_to_mapping_notify(display, window)?
    {
        unread_keys = unread_keys.filter(|unread_keys| unread_keys.window != window);
    }
    if let Some(unread_keys) = unread_keys {
        thread::sleep(unread_keys.until.saturating_duration_since(Instant::now()));
    }
    match focus {
        Focus::NoWindow | Focus::WithoutPing(_) => Ok(true),
        Focus::Pingable(window) if display.responsiveness.get() == Responsiveness::Unresponsive(window) => {
            PendingRedraw::of_window(window, UNRESPONSIVE_WINDOW_BACKLOG).wait(display)?;
            Ok(true)
        }
        Focus::Pingable(window) => request_pong(display, window, limit),
    }
}

/// Waits for the response to a ping. Returns `false` if there is no response, or if another window may have unread
/// keys.
pub(in crate::screen) fn wait_for_pong(display: &Display, limit: Duration) -> Result<bool, ScreenError> {
    match focus::current(display)? {
        Focus::Pingable(window) if display.responsiveness.get() != Responsiveness::Unresponsive(window) => {
            Ok(request_pong(display, window, limit)? && display.unread_keys.get().is_none())
        }
        _ => Ok(false),
    }
}

fn responds_to_mapping_notify(display: &Display, window: Window) -> Result<bool, ScreenError> {
    let responsiveness = display.responsiveness.get();
    if responsiveness == Responsiveness::Unresponsive(window) {
        return Ok(false);
    }
    let limit = if responsiveness == Responsiveness::Responsive(window) {
        RESPONSE_TIMEOUT
    } else {
        FIRST_RESPONSE_TIMEOUT
    };
    let responded = mapping_probe::probe(display, window, Instant::now() + limit)?;
    display.responsiveness.set(if responded {
        Responsiveness::Responsive(window)
    } else {
        Responsiveness::Unresponsive(window)
    });
    Ok(responded)
}

fn request_pong(display: &Display, window: Window, limit: Duration) -> Result<bool, ScreenError> {
    let responded = exchange_ping(display, window, &mut TimeBudget::new(limit))?;
    if responded {
        display.responsiveness.set(Responsiveness::Responsive(window));
    } else if display.responsiveness.get() != Responsiveness::Responsive(window) {
        display.responsiveness.set(Responsiveness::Unresponsive(window));
    }
    Ok(responded)
}

/// Sends a ping to a window. Returns whether it has responded, or is closed, before `budget` is used up.
pub(super) fn exchange_ping(
    display: &Display,
    window: Window,
    budget: &mut TimeBudget,
) -> Result<bool, ScreenError> {
    // Applications send the response to the root window. Most of them use the event mask SubstructureNotify, but Qt 5
    // uses StructureNotify.
    let responses = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
    select_events(display, display.root, responses)?;
    select_events(display, window, EventMask::STRUCTURE_NOTIFY)?;
    let responded = ping(display, window, budget);
    select_events(display, window, EventMask::NO_EVENT)?;
    select_events(display, display.root, EventMask::NO_EVENT)?;
    responded
}

fn ping(display: &Display, target: Window, budget: &mut TimeBudget) -> Result<bool, ScreenError> {
    let atoms = &display.atoms;
    let data = [atoms._NET_WM_PING, PING_ID, target, 0, 0];
    let message = ClientMessageEvent::new(32, target, atoms.WM_PROTOCOLS, data);
    display.conn.send_event(false, target, EventMask::NO_EVENT, message)?;
    while let Some(event) = display.next_event_within_budget(budget)? {
        match event {
            Event::ClientMessage(response)
                if response.type_ == atoms.WM_PROTOCOLS && response.data.as_data32()[..3] == data[..3] =>
            {
                return Ok(true);
            }
            Event::DestroyNotify(gone) if gone.window == target => return Ok(true),
            Event::UnmapNotify(gone) if gone.window == target => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

fn select_events(display: &Display, window: Window, mask: EventMask) -> Result<(), ScreenError> {
    let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
    // The window may have closed in the meantime.
    display.conn.change_window_attributes(window, &attributes)?.ignore_error();
    Ok(())
}
