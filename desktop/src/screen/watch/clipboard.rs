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

/// Longer texts are not reported.
const MAX_TEXT: usize = 4 << 20;
/// Most targets of a clipboard that are read.
const MAX_FORMS: usize = 1024;
/// How long the owner of the clipboard may take for each of its answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Time limit for all of its answers together.
const TRANSFER_LIMIT: Duration = Duration::from_secs(60);

/// Tells of each new owner of the clipboard, with its text.
#[derive(Debug)]
pub(super) struct Clipboard {
    transfer: Option<Transfer>,
}

/// A text on its way from the owner of the clipboard.
#[derive(Debug)]
struct Transfer {
    /// Made for this transfer alone, so that a late answer to an earlier one cannot be taken for this one's.
    window: Window,
    time: Timestamp,
    /// Deadline of the next answer.
    deadline: Instant,
    /// Deadline of the whole transfer.
    end: Instant,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Which forms does the owner offer? Some answer a request for text with the bytes of a picture.
    Forms,
    Text,
    /// A large text comes in pieces, the last of them empty.
    Pieces {
        kind: Atom,
        data: Vec<u8>,
    },
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

    pub(super) fn give_up_if_late(&mut self, display: &Display, now: Instant) -> Result<(), ScreenError> {
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
            Event::SelectionNotify(answer) if self.is_for_transfer(answer.requestor) => {
                if answer.property == NONE {
                    return self.end(display);
                }
                self.answered(display, sink)
            }
            Event::PropertyNotify(change)
                if self.is_for_transfer(change.window) && change.state == Property::NEW_VALUE =>
            {
                self.piece_arrived(display, sink)
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
        let (deadline, end) = (now + ANSWER_LIMIT, now + TRANSFER_LIMIT);
        let transfer = Transfer { window, time, deadline, end, stage: Stage::Forms };
        transfer.request(display, display.atoms.TARGETS)?;
        self.transfer = Some(transfer);
        Ok(())
    }

    fn answered(&mut self, display: &Display, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let Some(transfer) = &mut self.transfer else { return Ok(()) };
        let length = if matches!(transfer.stage, Stage::Forms) { MAX_FORMS * 4 } else { MAX_TEXT };
        let answer = transfer.take(display, length)?;
        match transfer.stage {
            Stage::Forms => {
                let offered: Vec<Atom> = answer.value32().into_iter().flatten().collect();
                let atoms = &display.atoms;
                let wanted = [atoms.UTF8_STRING, atoms.TEXT_PLAIN_UTF8, AtomEnum::STRING.into()];
                let Some(form) = wanted.into_iter().find(|form| offered.contains(form)) else {
                    // A picture, or files.
                    sink(ScreenEvent::Clipboard { content: String::new() });
                    return self.end(display);
                };
                transfer.stage = Stage::Text;
                transfer.request(display, form)
            }
            Stage::Text if answer.type_ == display.atoms.INCR => {
                transfer.stage = Stage::Pieces { kind: NONE, data: Vec::new() };
                Ok(())
            }
            Stage::Text => {
                if answer.bytes_after == 0 {
                    report(decode(answer.type_, answer.value), sink);
                }
                self.end(display)
            }
            Stage::Pieces { .. } => Ok(()),
        }
    }

    fn piece_arrived(&mut self, display: &Display, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let Some(transfer) = &mut self.transfer else { return Ok(()) };
        if !matches!(transfer.stage, Stage::Pieces { .. }) {
            return Ok(());
        }
        let piece = transfer.take(display, MAX_TEXT)?;
        let Stage::Pieces { kind, data } = &mut transfer.stage else { return Ok(()) };
        if piece.value.is_empty() {
            let text = decode(*kind, std::mem::take(data));
            report(text, sink);
            return self.end(display);
        }
        *kind = piece.type_;
        data.extend(piece.value);
        if data.len() > MAX_TEXT || piece.bytes_after != 0 {
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
    fn request(&self, display: &Display, form: Atom) -> Result<(), ScreenError> {
        let atoms = &display.atoms;
        display.conn.convert_selection(
            self.window,
            atoms.CLIPBOARD,
            form,
            atoms._ORGO_SELECTION,
            self.time,
        )?;
        Ok(())
    }

    /// Reads the answer, at most `length` bytes of it, and deletes it, which for a text in pieces asks for the next.
    fn take(&mut self, display: &Display, length: usize) -> Result<GetPropertyReply, ScreenError> {
        let units = (length / 4) as u32;
        let property = display.atoms._ORGO_SELECTION;
        let reply =
            display.conn.get_property(true, self.window, property, AtomEnum::ANY, 0, units)?.reply()?;
        self.deadline = self.end.min(Instant::now() + ANSWER_LIMIT);
        Ok(reply)
    }
}

fn report(content: String, sink: &dyn Fn(ScreenEvent)) {
    // Decoding can make the text longer.
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
