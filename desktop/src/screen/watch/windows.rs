use std::collections::{HashMap, HashSet};

use x11rb::protocol::{
    Event,
    xproto::{AtomEnum, Window},
};

use crate::screen::{
    ScreenError, ScreenEvent,
    connection::Display,
    property::{Question, SHORT_LIST},
};

/// Longest part of a title that is read, in 4-byte units.
const TITLE_LENGTH: u32 = 1024;

/// Most windows that are tracked. Others in the window manager's list are ignored.
const MAX_WINDOWS: u32 = 1024;
/// Number of windows that are queried together; all their replies may be in memory at once.
const ASKED_TOGETHER: usize = 64;

/// Tells of application windows, as the window manager lists them. The desktop and panels are left out.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// Each managed window, and whether it is an application's.
    managed: HashMap<Window, bool>,
    active: Option<Window>,
}

impl Windows {
    pub(super) fn start(display: &Display) -> Result<Self, ScreenError> {
        let mut windows = Self::default();
        // What is there already is no news.
        windows.update(display, &|_| {})?;
        Ok(windows)
    }

    /// Whether the event may have changed the lists of windows.
    pub(super) fn may_change(display: &Display, event: &Event) -> bool {
        let Event::PropertyNotify(change) = event else { return false };
        let lists = [display.atoms._NET_CLIENT_LIST, display.atoms._NET_ACTIVE_WINDOW];
        change.window == display.root && lists.contains(&change.atom)
    }

    /// Reads both lists, so that a window is always opened before it gets the focus. What can be asked together is: where many
    /// programs run, each wait for an answer is long.
    pub(super) fn update(
        &mut self,
        display: &Display,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        let ask = |property, length| Question::ask(display, display.root, property, AtomEnum::WINDOW, length);
        let asked =
            (ask(display.atoms._NET_CLIENT_LIST, MAX_WINDOWS)?, ask(display.atoms._NET_ACTIVE_WINDOW, 1)?);
        let (listed, active) = (asked.0.list()?, active(&asked.1.list()?));
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
        for together in new.chunks(ASKED_TOGETHER) {
            let asked: Vec<_> = together
                .iter()
                .map(|&window| Ok((window, Inquiry::about(display, window)?)))
                .collect::<Result<_, ScreenError>>()?;
            for (window, inquiry) in asked {
                let (application, title) = inquiry.end(display)?;
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
                None => Inquiry::about(display, window)?.end(display)?.1,
            };
            sink(ScreenEvent::WindowFocus { window_id: id(window), title });
        }
        Ok(())
    }
}

fn id(window: Window) -> String {
    format!("{window:#x}")
}

/// What is to be known of a window.
struct Inquiry<'a> {
    kinds: Question<'a>,
    /// The one to be preferred first.
    titles: [Question<'a>; 2],
}

impl<'a> Inquiry<'a> {
    fn about(display: &'a Display, window: Window) -> Result<Self, ScreenError> {
        let atoms = &display.atoms;
        // In whatever encoding.
        let title = |property| Question::ask(display, window, property, AtomEnum::ANY, TITLE_LENGTH);
        Ok(Self {
            kinds: Question::ask(display, window, atoms._NET_WM_WINDOW_TYPE, AtomEnum::ATOM, SHORT_LIST)?,
            titles: [title(atoms._NET_WM_NAME)?, title(AtomEnum::WM_NAME.into())?],
        })
    }

    /// Whether it is an application's, and its title, which is empty when it has none or is already gone.
    fn end(self, display: &Display) -> Result<(bool, String), ScreenError> {
        let atoms = &display.atoms;
        let furniture = [atoms._NET_WM_WINDOW_TYPE_DESKTOP, atoms._NET_WM_WINDOW_TYPE_DOCK];
        let application = !self.kinds.list()?.iter().any(|kind| furniture.contains(kind));
        let [preferred, other] = self.titles;
        let title = preferred.text()?;
        let title = match (title, other.text()?) {
            (Some(title), _) | (None, Some(title)) => title,
            (None, None) => String::new(),
        };
        Ok((application, title))
    }
}

fn active(listed: &[Window]) -> Option<Window> {
    listed.first().copied().filter(|&window| window != x11rb::NONE)
}
