//! Waiting until the application with the keyboard has dealt with what was sent to it.

use std::{
    thread,
    time::{Duration, Instant},
};

use x11rb::protocol::{
    Event,
    xproto::{ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask, Window},
};

use super::{
    connection::Display,
    error::ScreenError,
    focus::{self, Focus},
    manners::{Manners, Unread},
    paint::Unseen,
    patience::Patience,
    reread,
};

/// What to grant a window that cannot say when it has read its keys, from the last one on.
const SILENT_WINDOW_PAUSE: Duration = Duration::from_millis(120);
/// For the first answer of a window that promises none, and may never give one.
const FIRST_ANSWER_LIMIT: Duration = Duration::from_millis(1500);
/// For any other answer of such a window. It cannot be asked again after that: a late answer would be taken for that to the
/// next question.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// As many characters a window that never answers is taken to have before it.
const MUTE_WINDOW_BURST: usize = 100;
/// Marks our pings apart from those of the window manager, which counts from 1.
const PING_ID: u32 = 0x4f52_474f;

/// Notes that the focused window was just sent keys.
pub(super) fn keys_sent(display: &Display) -> Result<(), ScreenError> {
    match focus::focus(display)? {
        Focus::Nothing => {}
        Focus::Pingable(window) if display.manners.get() != Manners::Mute(window) => {}
        Focus::Silent(window) | Focus::Pingable(window) => {
            display.unread.set(Some(Unread { window, by: Instant::now() + SILENT_WINDOW_PAUSE }));
        }
    }
    Ok(())
}

/// Returns once every application has handled the keys sent to it, at the latest after `limit` (or [`ANSWER_LIMIT`], for a
/// window that promises no answers and has given one).
///
/// The focused one is asked if it can answer. An application takes its events in order, so its answer to a
/// `_NET_WM_PING` follows the keys before it. One without that protocol is asked in the other way that there is
/// and gets a fixed pause if it does not know that either, and one that promises to answer and did not the time until it
/// has stopped drawing. `false`: it may still have events to handle.
pub(super) fn wait(display: &Display, limit: Duration) -> Result<bool, ScreenError> {
    let focus = focus::focus(display)?;
    let mut unread = display.unread.take();
    if let Focus::Silent(window) = focus
        && answers_by_rereading(display, window)?
    {
        unread = unread.filter(|unread| unread.window != window);
    }
    if let Some(unread) = unread {
        thread::sleep(unread.by.saturating_duration_since(Instant::now()));
    }
    match focus {
        Focus::Nothing | Focus::Silent(_) => Ok(true),
        Focus::Pingable(window) if display.manners.get() == Manners::Mute(window) => {
            Unseen::in_window(window, MUTE_WINDOW_BURST).wait(display)?;
            Ok(true)
        }
        Focus::Pingable(window) => ask(display, window, limit),
    }
}

/// As [`wait`], but only for what answers: `false` when something else may still have keys to read.
pub(super) fn wait_for_answer(display: &Display, limit: Duration) -> Result<bool, ScreenError> {
    match focus::focus(display)? {
        Focus::Pingable(window) if display.manners.get() != Manners::Mute(window) => {
            Ok(ask(display, window, limit)? && display.unread.get().is_none())
        }
        _ => Ok(false),
    }
}

fn answers_by_rereading(display: &Display, window: Window) -> Result<bool, ScreenError> {
    let manners = display.manners.get();
    if manners == Manners::Mute(window) {
        return Ok(false);
    }
    let limit = if manners == Manners::Answers(window) { ANSWER_LIMIT } else { FIRST_ANSWER_LIMIT };
    let answered = reread::ask(display, window, Instant::now() + limit)?;
    display.manners.set(if answered { Manners::Answers(window) } else { Manners::Mute(window) });
    Ok(answered)
}

fn ask(display: &Display, window: Window, limit: Duration) -> Result<bool, ScreenError> {
    // An answer is sent to the root window: as news of a window below it by most, of itself by Qt 5.
    let answers = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
    listen(display, display.root, answers)?;
    listen(display, window, EventMask::STRUCTURE_NOTIFY)?;
    let answered = ping(display, window, Patience::new(limit));
    listen(display, window, EventMask::NO_EVENT)?;
    listen(display, display.root, EventMask::NO_EVENT)?;
    let answered = answered?;
    if answered {
        display.manners.set(Manners::Answers(window));
    } else if display.manners.get() != Manners::Answers(window) {
        display.manners.set(Manners::Mute(window));
    }
    Ok(answered)
}

fn ping(display: &Display, target: Window, mut patience: Patience) -> Result<bool, ScreenError> {
    let atoms = &display.atoms;
    let data = [atoms._NET_WM_PING, PING_ID, target, 0, 0];
    let message = ClientMessageEvent::new(32, target, atoms.WM_PROTOCOLS, data);
    display.conn.send_event(false, target, EventMask::NO_EVENT, message)?;
    while let Some(event) = display.next_event_within(&mut patience)? {
        match event {
            Event::ClientMessage(answer)
                if answer.type_ == atoms.WM_PROTOCOLS && answer.data.as_data32()[..3] == data[..3] =>
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

fn listen(display: &Display, window: Window, mask: EventMask) -> Result<(), ScreenError> {
    let attributes = ChangeWindowAttributesAux::new().event_mask(mask);
    // A window that closed in the meantime answers with an error, which is then of no interest.
    display.conn.change_window_attributes(window, &attributes)?.ignore_error();
    Ok(())
}
