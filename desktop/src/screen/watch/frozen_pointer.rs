//! Thaws a pointer that the window manager has left frozen.
//!
//! openbox grabs the buttons of each window synchronously: a press freezes the pointer until openbox has focused and
//! raised the window, and then replays the press with its time. The X server ignores this request without an error if
//! openbox has grabbed the keyboard after that time, for example by its key binding alt+Tab. The pointer then stays
//! frozen, its button stays pressed, and no program receives any pointer event.
//!
//! A window manager that is busy also leaves the pointer frozen for a while. So this first requests an answer that the
//! window manager gives only after it has handled all earlier events.

use std::mem;
use std::time::{Duration, Instant};

use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME, NONE,
    connection::Connection,
    protocol::{
        Event,
        xinput::{ConnectionExt as _, Device, DeviceType, EventMask as DeviceEvents, XIEventMask},
        xproto::{
            AtomEnum, BUTTON_PRESS_EVENT, ButtonPressEvent, ClientMessageEvent, ConnectionExt as _,
            CreateWindowAux, EventMask, KeyButMask, Property, Window, WindowClass,
        },
    },
};

use super::{EVENTS_PER_ROUND, Watcher};
use crate::screen::{
    ScreenError,
    connection::{Display, endpoint::Endpoint, property, property::PropertyRequest},
};

/// The time after which the window manager is asked for an answer. It usually thaws the pointer within a few milliseconds.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The maximum time between two requests for an answer.
const MAX_DELAY: Duration = Duration::from_secs(8);
/// The number of requests for one freeze. Another program may have frozen the pointer, which a request does not affect.
const MAX_REQUESTS: u32 = 16;
/// The length of the mask of a device's buttons in units of 4 bytes.
const MASK_LENGTH: usize = 8;
/// The length of the window manager's name in units of 4 bytes.
const NAME_LENGTH: u32 = 2;

/// Requests that the window manager thaws the pointer when the pointer has not processed the button events that the window
/// manager has handled.
#[derive(Debug)]
pub(super) struct FrozenPointer {
    display: Display,
    /// The window manager sets a property of this window as its answer. The window is never shown.
    probe: Window,
    backlog: Backlog,
}

impl FrozenPointer {
    pub(super) fn connect(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Display::connect(endpoint)?;
        // Older versions do not report raw events during grabs.
        display.conn.xinput_xi_query_version(2, 2)?.reply()?;
        let buttons = XIEventMask::RAW_BUTTON_PRESS | XIEventMask::RAW_BUTTON_RELEASE;
        let selected = DeviceEvents { deviceid: Device::ALL.into(), mask: vec![buttons] };
        display.conn.xinput_xi_select_events(display.root, &[selected])?;
        let probe = display.conn.generate_id()?;
        display.conn.create_window(
            COPY_DEPTH_FROM_PARENT,
            probe,
            display.root,
            0,
            0,
            1,
            1,
            0,
            WindowClass::INPUT_OUTPUT,
            COPY_FROM_PARENT,
            &CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE),
        )?;
        display.sync()?;
        Ok(Self { display, probe, backlog: Backlog::default() })
    }

    fn handle(&mut self, event: &Event, now: Instant) -> Result<(), ScreenError> {
        match event {
            Event::XinputRawButtonPress(event) | Event::XinputRawButtonRelease(event) => {
                // The pointer, whose events programs receive, processes the events of all input devices, except while it is
                // frozen.
                if event.deviceid == event.sourceid {
                    self.backlog.add(now);
                } else {
                    self.backlog.remove(now);
                }
            }
            Event::PropertyNotify(event) => {
                let is_answer =
                    event.atom == self.display.atoms._NET_FRAME_EXTENTS && event.state == Property::NEW_VALUE;
                if is_answer && self.backlog.is_frozen_at_answer() && self.is_behind()? {
                    self.request_replay()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns whether the pointer and its input devices hold different buttons. While a user drags, they hold the same ones.
    fn is_behind(&self) -> Result<bool, ScreenError> {
        let devices = self.display.conn.xinput_xi_query_device(u16::from(Device::ALL))?.reply()?.infos;
        let held = |kind: DeviceType| {
            let classes =
                devices.iter().filter(|device| device.type_ == kind).flat_map(|device| &device.classes);
            classes.filter_map(|class| class.data.as_button()).fold([0; MASK_LENGTH], |mut held, buttons| {
                held.iter_mut().zip(&buttons.state).for_each(|(held, state)| *held |= state);
                held
            })
        };
        let pointer = held(DeviceType::MASTER_POINTER);
        let inputs = held(DeviceType::SLAVE_POINTER);
        Ok(pointer != inputs)
    }

    /// Requests that the window manager sets the sizes of the frame that the probe would have.
    fn request_answer(&self) -> Result<(), ScreenError> {
        let Display { conn, root, atoms, .. } = &self.display;
        let message = ClientMessageEvent::new(32, self.probe, atoms._NET_REQUEST_FRAME_EXTENTS, [0; 5]);
        let managers = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        conn.send_event(false, *root, managers, message)?.ignore_error();
        Ok(())
    }

    /// Sends a press to openbox that has no effect, except that openbox then replays the press that froze the pointer,
    /// with the current time. A press for an openbox that is only busy would end the drag that is about to start.
    fn request_replay(&self) -> Result<(), ScreenError> {
        let Display { conn, root, atoms, .. } = &self.display;
        let first_window = |property| {
            let windows = property::list(&self.display, *root, property, AtomEnum::WINDOW)?;
            Ok::<_, ScreenError>(windows.first().copied())
        };
        let manager = first_window(atoms._NET_SUPPORTING_WM_CHECK)?;
        let (Some(manager), Some(managed)) = (manager, first_window(atoms._NET_CLIENT_LIST)?) else {
            return Ok(());
        };
        let name =
            PropertyRequest::send(&self.display, manager, atoms._NET_WM_NAME, AtomEnum::ANY, NAME_LENGTH)?;
        if name.text()?.as_deref() != Some("Openbox") {
            return Ok(());
        }
        tracing::debug!("the pointer of a computer is frozen");
        let press = ButtonPressEvent {
            response_type: BUTTON_PRESS_EVENT,
            // A wheel button does not close a menu, and no binding has all these modifiers.
            detail: 4,
            state: KeyButMask::SHIFT
                | KeyButMask::CONTROL
                | KeyButMask::MOD1
                | KeyButMask::MOD3
                | KeyButMask::MOD4
                | KeyButMask::MOD5,
            // openbox requests the time from the X server, when it handles the event.
            time: CURRENT_TIME,
            root: *root,
            event: managed,
            child: NONE,
            same_screen: true,
            ..ButtonPressEvent::default()
        };
        // Without an event mask, the client that created the window receives the event.
        conn.send_event(false, manager, EventMask::NO_EVENT, press)?.ignore_error();
        Ok(())
    }
}

impl Watcher for FrozenPointer {
    fn display(&self) -> &Display {
        &self.display
    }

    fn reconnect(&mut self) -> Result<(), ScreenError> {
        *self = Self::connect(&self.display.endpoint)?;
        Ok(())
    }

    fn round(&mut self) -> Result<bool, ScreenError> {
        self.display.conn.begin_operation(Duration::ZERO);
        let now = Instant::now();
        let mut handled = 0;
        while handled < EVENTS_PER_ROUND
            && let Some(event) = self.display.conn.poll_for_event()?
        {
            handled += 1;
            self.handle(&event, now)?;
        }
        if handled == 0 && self.backlog.needs_request(now) {
            self.request_answer()?;
        }
        self.display.conn.flush()?;
        Ok(handled > 0)
    }

    fn deadline(&self) -> Option<Instant> {
        self.backlog.deadline
    }
}

/// The button events that the pointer has not processed, and the time of the next request.
#[derive(Debug, Default)]
struct Backlog {
    events: u64,
    /// The number of requests for an answer since the pointer has processed an event.
    requests: u32,
    /// Whether the pointer has processed no event since the last request, which was not answered yet.
    waits: bool,
    deadline: Option<Instant>,
}

impl Backlog {
    /// Adds an event of an input device.
    fn add(&mut self, now: Instant) {
        self.events = self.events.saturating_add(1);
        self.deadline.get_or_insert(now + FIRST_DELAY);
    }

    /// Removes an event that the pointer has processed, so that the pointer is not frozen.
    fn remove(&mut self, now: Instant) {
        let events = self.events.saturating_sub(1);
        *self = Self { events, deadline: (events > 0).then(|| now + FIRST_DELAY), ..Self::default() };
    }

    /// Returns whether a request is due. The delay after each request is twice as long, because the window manager may
    /// be stopped, and then handles all requests later.
    fn needs_request(&mut self, now: Instant) -> bool {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return false;
        }
        if self.requests == MAX_REQUESTS {
            *self = Self::default();
            return false;
        }
        self.deadline = Some(now + FIRST_DELAY.saturating_mul(2 << self.requests).min(MAX_DELAY));
        self.requests += 1;
        self.waits = true;
        true
    }

    /// Returns whether the pointer is frozen when the window manager answers. The X server reports the events of a thawed
    /// pointer before the answer.
    fn is_frozen_at_answer(&mut self) -> bool {
        mem::take(&mut self.waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_that_processes_its_events_needs_no_request() {
        let mut backlog = Backlog::default();
        let now = Instant::now();
        for _ in 0..3 {
            backlog.add(now);
            backlog.add(now);
            backlog.remove(now);
            assert!(!backlog.needs_request(now + FIRST_DELAY / 2));
            backlog.remove(now);
            assert!(!backlog.needs_request(now + MAX_DELAY));
            assert_eq!(backlog.deadline, None);
        }
    }

    #[test]
    fn a_request_is_due_after_a_delay_without_a_processed_event() {
        let mut backlog = Backlog::default();
        let now = Instant::now();
        backlog.add(now);
        backlog.add(now + FIRST_DELAY / 2);
        assert!(!backlog.needs_request(now + FIRST_DELAY / 2));
        assert!(backlog.needs_request(now + FIRST_DELAY));
        // Each processed event starts a new delay.
        let now = now + FIRST_DELAY;
        backlog.remove(now);
        assert!(!backlog.needs_request(now + FIRST_DELAY / 2));
        assert!(backlog.needs_request(now + FIRST_DELAY));
    }

    #[test]
    fn only_the_first_answer_after_a_request_counts() {
        let mut backlog = Backlog::default();
        let now = Instant::now();
        backlog.add(now);
        backlog.add(now);
        assert!(!backlog.is_frozen_at_answer());
        assert!(backlog.needs_request(now + FIRST_DELAY));
        assert!(backlog.is_frozen_at_answer());
        assert!(!backlog.is_frozen_at_answer());
        // The window manager was only busy.
        assert!(backlog.needs_request(now + 3 * FIRST_DELAY));
        backlog.remove(now + 3 * FIRST_DELAY);
        assert!(!backlog.is_frozen_at_answer());
    }

    #[test]
    fn the_requests_become_rare_and_end() {
        let mut backlog = Backlog::default();
        let mut now = Instant::now();
        backlog.add(now);
        let mut delays = Vec::new();
        while let Some(deadline) = backlog.deadline {
            delays.push(deadline - now);
            now = deadline;
            assert_eq!(backlog.needs_request(now), delays.len() as u32 <= MAX_REQUESTS);
        }
        assert!(delays.is_sorted());
        assert_eq!((delays[0], delays.last()), (FIRST_DELAY, Some(&MAX_DELAY)));
        assert_eq!(delays.len() as u32, MAX_REQUESTS + 1);
        // The next event starts again.
        backlog.add(now);
        assert!(backlog.needs_request(now + FIRST_DELAY));
    }
}
