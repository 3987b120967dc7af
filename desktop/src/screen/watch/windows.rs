//! Reports when application windows open, close or receive the focus.

use std::collections::{HashMap, HashSet};

use x11rb::protocol::{
    Event,
    xproto::{AtomEnum, Window},
};

use crate::screen::{
    ScreenError, ScreenEvent,
    connection::{
        Display,
        property::{PropertyRequest, SHORT_LIST},
    },
};

/// The maximum length of a title in units of 4 bytes.
const TITLE_LENGTH: u32 = 1024;

/// The maximum number of tracked windows. Further windows in the window manager's list are ignored.
const MAX_WINDOWS: u32 = 1024;
/// The maximum number of windows with pending requests. The replies for all these windows may be in memory at the same
/// time.
const WINDOWS_PER_BATCH: usize = 64;

/// Reports changes of the application windows in the window manager's list. Ignores the desktop and panels.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// The managed windows. The value is `true` for an application window.
    managed: HashMap<Window, bool>,
    active: Option<Window>,
}

impl Windows {
    pub(super) fn start(display: &Display) -> Result<Self, ScreenError> {
        let mut windows = Self::default();
        // Existing windows are not reported.
        windows.update(display, &|_| {})?;
        Ok(windows)
    }

    /// Returns whether the event reports a change of the window list or of the active window.
    pub(super) fn may_change(display: &Display, event: &Event) -> bool {
        let Event::PropertyNotify(change) = event else { return false };
        let lists = [display.atoms._NET_CLIENT_LIST, display.atoms._NET_ACTIVE_WINDOW];
        change.window == display.root && lists.contains(&change.atom)
    }

    /// Reads the window list and the active window, and reports changes. A new window is reported before its focus.
    ///
    /// Sends requests in batches, because each wait for a reply is long on a busy computer.
    pub(super) fn update(
        &mut self,
        display: &Display,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        let request = |property, length| {
            PropertyRequest::send(display, display.root, property, AtomEnum::WINDOW, length)
        };
        let requests = (
            request(display.atoms._NET_CLIENT_LIST, MAX_WINDOWS)?,
            request(display.atoms._NET_ACTIVE_WINDOW, 1)?,
        );
        let (listed, active) = (requests.0.list()?, first_window(&requests.1.list()?));
        let current: HashSet<Window> = listed.iter().copied().collect();
        self.managed.retain(|window, application| {
            let stays = current.contains(window);
            if !stays && *application {
                sink(ScreenEvent::WindowClose { window_id: id(*window) });
            }
            stays
        });
        let mut new: HashSet<Window> =
            current.into_iter().filter(|window| !self.managed.contains_key(window)).collect();
        let new: Vec<Window> = listed.into_iter().filter(|window| new.remove(window)).collect();
        let mut active_title = None;
        for batch in new.chunks(WINDOWS_PER_BATCH) {
            let pending: Vec<_> = batch
                .iter()
                .map(|&window| Ok((window, WindowRequests::send(display, window)?)))
                .collect::<Result<_, ScreenError>>()?;
            for (window, requests) in pending {
                let (application, title) = requests.finish(display)?;
                self.managed.insert(window, application);
                if active == Some(window) {
                    active_title = Some(title.clone());
                }
                if application {
                    sink(ScreenEvent::WindowOpen { window_id: id(window), title });
                }
            }
        }
        if active == self.active {
            return Ok(());
        }
        self.active = active;
        if let Some(window) = active.filter(|window| self.managed.get(window) == Some(&true)) {
            let title = match active_title {
                Some(title) => title,
                None => WindowRequests::send(display, window)?.finish(display)?.1,
            };
            sink(ScreenEvent::WindowFocus { window_id: id(window), title });
        }
        Ok(())
    }
}

fn id(window: Window) -> String {
    format!("{window:#x}")
}

/// Pending requests for the properties of a window.
struct WindowRequests<'a> {
    kinds: PropertyRequest<'a>,
    /// The requests for the two title properties. The preferred property is first.
    titles: [PropertyRequest<'a>; 2],
}

impl<'a> WindowRequests<'a> {
    fn send(display: &'a Display, window: Window) -> Result<Self, ScreenError> {
        let atoms = &display.atoms;
        let title = |property| PropertyRequest::send(display, window, property, AtomEnum::ANY, TITLE_LENGTH);
        Ok(Self {
            kinds: PropertyRequest::send(
                display,
                window,
                atoms._NET_WM_WINDOW_TYPE,
                AtomEnum::ATOM,
                SHORT_LIST,
            )?,
            titles: [title(atoms._NET_WM_NAME)?, title(AtomEnum::WM_NAME.into())?],
        })
    }

    /// Returns whether the window is an application window, and the title of the window. The title is empty if the
    /// window has no title or is closed.
    fn finish(self, display: &Display) -> Result<(bool, String), ScreenError> {
        let atoms = &display.atoms;
        let desktop_types = [atoms._NET_WM_WINDOW_TYPE_DESKTOP, atoms._NET_WM_WINDOW_TYPE_DOCK];
        let application = !self.kinds.list()?.iter().any(|kind| desktop_types.contains(kind));
        let [preferred, other] = self.titles;
        let title = preferred.text()?;
        let title = match (title, other.text()?) {
            (Some(title), _) | (None, Some(title)) => title,
            (None, None) => String::new(),
        };
        Ok((application, title))
    }
}

fn first_window(listed: &[Window]) -> Option<Window> {
    listed.first().copied().filter(|&window| window != x11rb::NONE)
}
