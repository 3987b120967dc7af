//! Reports new sizes of the screen.

use x11rb::protocol::{
    Event,
    randr::{ConnectionExt as _, NotifyMask},
};

use crate::screen::{ScreenError, ScreenEvent, connection::Display};

/// Reports each new screen size once, although the X server sends two or three events for each change.
#[derive(Debug)]
pub(super) struct Size {
    last: (u16, u16),
}

impl Size {
    pub(super) fn start(display: &Display) -> Result<Self, ScreenError> {
        display.conn.randr_query_version(1, 5)?.reply()?;
        display.conn.randr_select_input(display.root, NotifyMask::SCREEN_CHANGE)?;
        Ok(Self { last: display.size()? })
    }

    pub(super) fn handle(&mut self, event: &Event, sink: &dyn Fn(ScreenEvent)) {
        let Event::RandrScreenChangeNotify(change) = event else { return };
        self.report((change.width, change.height), sink);
    }

    /// Reports the current size if it differs from the last size on the earlier connection.
    pub(super) fn resume(&mut self, earlier: &Self, sink: &dyn Fn(ScreenEvent)) {
        let now = std::mem::replace(&mut self.last, earlier.last);
        self.report(now, sink);
    }

    fn report(&mut self, size: (u16, u16), sink: &dyn Fn(ScreenEvent)) {
        if size != self.last {
            self.last = size;
            sink(ScreenEvent::ScreenChange { width: size.0, height: size.1 });
        }
    }
}
