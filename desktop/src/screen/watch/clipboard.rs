//! Reports new owners of the clipboard and the text that they offer.

use std::time::{Duration, Instant};

use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, NONE,
    connection::Connection,
    protocol::{
        Event,
        xfixes::{ConnectionExt as _, SelectionEventMask},
        xproto::{
            Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, GetPropertyReply, Property,
            Timestamp, Window, WindowClass,
        },
    },
};

use crate::screen::{ScreenError, ScreenEvent, connection::Display};

/// The maximum size of reported text in bytes. Longer text is not reported.
const MAX_TEXT: usize = 4 << 20;
/// The maximum number of targets that are read from a clipboard owner.
const MAX_TARGETS: usize = 1024;
/// The timeout of each response of the clipboard owner.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of the whole transfer.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(60);

/// Reports the text of each new clipboard owner.
#[derive(Debug)]
pub(super) struct Clipboard {
    transfer: Option<Transfer>,
}

/// A transfer of text from the clipboard owner.
#[derive(Debug)]
struct Transfer {
    /// A window that is used only for this transfer, so that late responses to earlier transfers are not mixed with it.
    window: Window,
    time: Timestamp,
    /// The deadline of the next response.
    deadline: Instant,
    /// The deadline of the whole transfer.
    end: Instant,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The targets were requested. If text were requested immediately, some owners would return the bytes of an image.
    Targets,
    /// The text was requested.
    Text,
    /// The owner is sending long text in chunks (the INCR protocol). An empty chunk ends the transfer.
    Incremental { kind: Atom, data: Vec<u8> },
}

impl Clipboard {
    pub(super) fn start(display: &Display) -> Result<Self, ScreenError> {
        display.conn.xfixes_query_version(5, 0)?.reply()?;
        display.conn.xfixes_select_selection_input(
            display.root,
            display.atoms.CLIPBOARD,
            SelectionEventMask::SET_SELECTION_OWNER,
        )?;
        Ok(Self { transfer: None })
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.transfer.as_ref().map(|transfer| transfer.deadline)
    }

    pub(super) fn end_if_overdue(&mut self, display: &Display, now: Instant) -> Result<(), ScreenError> {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.end(display)?;
        }
        Ok(())
    }

    pub(super) fn handle(
        &mut self,
        display: &Display,
        event: &Event,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        match event {
            Event::XfixesSelectionNotify(change) if change.selection == display.atoms.CLIPBOARD => {
                self.end(display)?;
                if change.owner != NONE {
                    self.begin(display, change.timestamp)?;
                }
                Ok(())
            }
            Event::SelectionNotify(reply) if self.is_for_transfer(reply.requestor) => {
                if reply.property == NONE {
                    return self.end(display);
                }
                self.selection_converted(display, sink)
            }
            Event::PropertyNotify(change)
                if self.is_for_transfer(change.window) && change.state == Property::NEW_VALUE =>
            {
                self.chunk_arrived(display, sink)
            }
            _ => Ok(()),
        }
    }

    fn is_for_transfer(&self, window: Window) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| transfer.window == window)
    }

    fn begin(&mut self, display: &Display, time: Timestamp) -> Result<(), ScreenError> {
        let window = display.conn.generate_id()?;
        display.conn.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            display.root,
            -1,
            -1,
            1,
            1,
            0,
            WindowClass::INPUT_ONLY,
            COPY_FROM_PARENT,
            &CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE),
        )?;
        let now = Instant::now();
        let (deadline, end) = (now + RESPONSE_TIMEOUT, now + TRANSFER_TIMEOUT);
        let transfer = Transfer { window, time, deadline, end, stage: Stage::Targets };
        transfer.request(display, display.atoms.TARGETS)?;
        self.transfer = Some(transfer);
        Ok(())
    }

    fn selection_converted(
        &mut self,
        display: &Display,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        let Some(transfer) = &mut self.transfer else { return Ok(()) };
        let length = if matches!(transfer.stage, Stage::Targets) { MAX_TARGETS * 4 } else { MAX_TEXT };
        let reply = transfer.read_property(display, length)?;
        match transfer.stage {
            Stage::Targets => {
                let offered: Vec<Atom> = reply.value32().into_iter().flatten().collect();
                let atoms = &display.atoms;
                let wanted = [atoms.UTF8_STRING, atoms.TEXT_PLAIN_UTF8, AtomEnum::STRING.into()];
                let Some(target) = wanted.into_iter().find(|target| offered.contains(target)) else {
                    // The owner offers no text. It may offer an image or files.
                    sink(ScreenEvent::Clipboard { content: String::new() });
                    return self.end(display);
                };
                transfer.stage = Stage::Text;
                transfer.request(display, target)
            }
            Stage::Text if reply.type_ == display.atoms.INCR => {
                transfer.stage = Stage::Incremental { kind: NONE, data: Vec::new() };
                Ok(())
            }
            Stage::Text => {
                if reply.bytes_after == 0 {
                    report(decode(reply.type_, reply.value), sink);
                }
                self.end(display)
            }
            Stage::Incremental { .. } => Ok(()),
        }
    }

    fn chunk_arrived(&mut self, display: &Display, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let Some(transfer) = &mut self.transfer else { return Ok(()) };
        if !matches!(transfer.stage, Stage::Incremental { .. }) {
            return Ok(());
        }
        let chunk = transfer.read_property(display, MAX_TEXT)?;
        let Stage::Incremental { kind, data } = &mut transfer.stage else { return Ok(()) };
        if chunk.value.is_empty() {
            let text = decode(*kind, std::mem::take(data));
            report(text, sink);
            return self.end(display);
        }
        *kind = chunk.type_;
        data.extend(chunk.value);
        if data.len() > MAX_TEXT || chunk.bytes_after != 0 {
            return self.end(display);
        }
        Ok(())
    }

    fn end(&mut self, display: &Display) -> Result<(), ScreenError> {
        if let Some(transfer) = self.transfer.take() {
            display.conn.destroy_window(transfer.window)?;
        }
        Ok(())
    }
}

impl Transfer {
    fn request(&self, display: &Display, target: Atom) -> Result<(), ScreenError> {
        let atoms = &display.atoms;
        display.conn.convert_selection(
            self.window,
            atoms.CLIPBOARD,
            target,
            atoms._ORGO_SELECTION,
            self.time,
        )?;
        Ok(())
    }

    /// Reads at most `length` bytes of the response property and deletes the property. In the INCR protocol, the
    /// deletion requests the next chunk.
    fn read_property(&mut self, display: &Display, length: usize) -> Result<GetPropertyReply, ScreenError> {
        let units = (length / 4) as u32;
        let property = display.atoms._ORGO_SELECTION;
        let reply =
            display.conn.get_property(true, self.window, property, AtomEnum::ANY, 0, units)?.reply()?;
        self.deadline = self.end.min(Instant::now() + RESPONSE_TIMEOUT);
        Ok(reply)
    }
}

fn report(content: String, sink: &dyn Fn(ScreenEvent)) {
    // Checks the size again, because the conversion to UTF-8 can make the text longer.
    if content.len() <= MAX_TEXT {
        sink(ScreenEvent::Clipboard { content });
    }
}

fn decode(kind: Atom, bytes: Vec<u8>) -> String {
    if kind == u32::from(AtomEnum::STRING) {
        bytes.into_iter().map(char::from).collect()
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
