use std::collections::HashMap;

use x11rb::protocol::{
    Event,
    xproto::{Atom, AtomEnum, ConnectionExt as _, Window},
};

use crate::screen::{ScreenError, ScreenEvent, connection::Display};

/// Longest part of a title that is read, in 4-byte units.
const TITLE_LENGTH: u32 = 1024;

/// Tells of application windows, as the window manager lists them. The desktop and panels are left out.
#[derive(Debug)]
pub(super) struct Windows {
    /// Each managed window, and whether it is an application's.
    managed: HashMap<Window, bool>,
    active: Option<Window>,
}

impl Windows {
    pub(super) fn start(display: &Display) -> Result<Self, ScreenError> {
        let mut windows = Self { managed: HashMap::new(), active: active_window(display)? };
        for window in client_list(display)? {
            windows.managed.insert(window, is_application(display, window)?);
        }
        Ok(windows)
    }

    pub(super) fn handle(
        &mut self,
        display: &Display,
        event: &Event,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        let Event::PropertyNotify(change) = event else { return Ok(()) };
        if change.window != display.root {
            return Ok(());
        }
        if change.atom == display.atoms._NET_CLIENT_LIST {
            self.update_list(display, sink)?;
        } else if change.atom == display.atoms._NET_ACTIVE_WINDOW {
            // So that a window is always opened before it gets the focus.
            self.update_list(display, sink)?;
            self.update_active(display, sink)?;
        }
        Ok(())
    }

    fn update_list(&mut self, display: &Display, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let listed = client_list(display)?;
        self.managed.retain(|window, application| {
            let stays = listed.contains(window);
            if !stays && *application {
                sink(ScreenEvent::WindowClose { window_id: id(*window) });
            }
            stays
        });
        for window in listed {
            if self.managed.contains_key(&window) {
                continue;
            }
            let application = is_application(display, window)?;
            self.managed.insert(window, application);
            if application {
                let title = title(display, window)?;
                sink(ScreenEvent::WindowOpen { window_id: id(window), title });
            }
        }
        Ok(())
    }

    fn update_active(&mut self, display: &Display, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let active = active_window(display)?;
        if active == self.active {
            return Ok(());
        }
        self.active = active;
        if let Some(window) = active.filter(|window| self.managed.get(window) == Some(&true)) {
            sink(ScreenEvent::WindowFocus { window_id: id(window), title: title(display, window)? });
        }
        Ok(())
    }
}

fn id(window: Window) -> String {
    format!("{window:#x}")
}

fn client_list(display: &Display) -> Result<Vec<Window>, ScreenError> {
    display.list_property(display.root, display.atoms._NET_CLIENT_LIST, AtomEnum::WINDOW)
}

fn active_window(display: &Display) -> Result<Option<Window>, ScreenError> {
    let active = display.list_property(display.root, display.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW)?;
    Ok(active.first().copied().filter(|&window| window != x11rb::NONE))
}

fn is_application(display: &Display, window: Window) -> Result<bool, ScreenError> {
    let atoms = &display.atoms;
    let kinds = display.list_property(window, atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM)?;
    let furniture = [atoms._NET_WM_WINDOW_TYPE_DESKTOP, atoms._NET_WM_WINDOW_TYPE_DOCK];
    Ok(!kinds.iter().any(|kind| furniture.contains(kind)))
}

/// The title of a window; empty when it has none or is already gone.
fn title(display: &Display, window: Window) -> Result<String, ScreenError> {
    let atoms = &display.atoms;
    if let Some(title) = text(display, window, atoms._NET_WM_NAME)? {
        return Ok(title);
    }
    Ok(text(display, window, AtomEnum::WM_NAME.into())?.unwrap_or_default())
}

fn text(display: &Display, window: Window, property: Atom) -> Result<Option<String>, ScreenError> {
    let reply = display.conn.get_property(false, window, property, AtomEnum::ANY, 0, TITLE_LENGTH)?.reply();
    match reply.map_err(ScreenError::from) {
        Ok(reply) if reply.value.is_empty() => Ok(None),
        Ok(reply) if reply.type_ == u32::from(AtomEnum::STRING) => {
            Ok(Some(reply.value.into_iter().map(char::from).collect()))
        }
        Ok(reply) => Ok(Some(String::from_utf8_lossy(&reply.value).into_owned())),
        Err(ScreenError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
