//! Pictures of the screen: captured through shared memory, with the pointer drawn in, and encoded again only when the screen
//! looks different.

mod album;
mod cursor;
mod encode;
mod pixels;

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex},
};

use super::dial::Dial;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        damage::{ConnectionExt as _, Damage, ReportLevel},
        shm::{ConnectionExt as _, Seg},
        xfixes::ConnectionExt as _,
        xproto::ImageFormat as XImageFormat,
    },
};

pub(super) use self::album::{Album, Kind};
use self::pixels::PixelLayout;
use super::{
    connection::{Display, Link},
    error::ScreenError,
    lock,
};

/// An encoded picture of the whole screen.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mime_type: &'static str,
    /// In pixels, after scaling.
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Uncompressed picture, three bytes (red, green, blue) a pixel, row after row without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// A connection of its own for captures, so that none waits for a drag or a long text.
#[derive(Debug)]
pub(super) struct Capture {
    display: Display,
    layout: PixelLayout,
    shared: Option<SharedMemory>,
    /// Collects what is drawn anywhere on the screen.
    damage: Damage,
    /// At the last look; `None` before the first.
    last: Option<Appearance>,
}

/// What tells two states of the screen apart, but for what is drawn on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Appearance {
    size: (u16, u16),
    pointer: (i16, i16),
    /// Stands for the pointer's shape.
    cursor: u32,
}

/// A memory file that the X server writes a picture to.
///
/// Passed by descriptor, for a SysV segment cannot be seen by an X server in another IPC namespace; read
/// through the descriptor, which costs one copy and needs no mapping.
#[derive(Debug)]
struct SharedMemory {
    file: File,
    segment: Seg,
    size: usize,
}

impl Capture {
    pub(super) fn connect(socket: &Arc<dyn Dial>) -> Result<Self, ScreenError> {
        let display = Display::connect(socket)?;
        display.conn.shm_query_version()?.reply()?;
        display.conn.xfixes_query_version(5, 0)?.reply()?;
        display.conn.damage_query_version(1, 1)?.reply()?;
        let layout = PixelLayout::of_root(display.conn.setup())?;
        let damage = display.conn.generate_id()?;
        display.conn.damage_create(damage, display.root, ReportLevel::NON_EMPTY)?.check()?;
        Ok(Self { display, layout, shared: None, damage, last: None })
    }

    pub(super) fn size(&self) -> Result<(u16, u16), ScreenError> {
        self.display.size()
    }

    /// Whether the screen looks different from how it did at the last call.
    fn has_changed(&mut self) -> Result<bool, ScreenError> {
        let size = self.display.size()?;
        let cursor = self.display.conn.xfixes_get_cursor_image()?.reply()?;
        let now = Appearance { size, pointer: (cursor.x, cursor.y), cursor: cursor.cursor_serial };
        // Those replies came after the notices of all that had been drawn before.
        let drawn = self.take_damage()?;
        let before = self.last.replace(now);
        Ok(drawn || before != Some(now))
    }

    /// Whether something was drawn since the last time. What is drawn from now on counts for the next.
    fn take_damage(&self) -> Result<bool, ScreenError> {
        let mut drawn = false;
        while let Some(event) = self.display.conn.poll_for_event()? {
            drawn |= matches!(event, Event::DamageNotify(_));
        }
        if drawn {
            self.display.conn.damage_subtract(self.damage, x11rb::NONE, x11rb::NONE)?;
        }
        Ok(drawn)
    }

    fn frame(&mut self) -> Result<Frame, ScreenError> {
        let mut frame = match self.grab() {
            // The screen may have become smaller since its size was asked for.
            Err(ScreenError::Refused(_)) => self.grab()?,
            result => result?,
        };
        let pointer = self.display.conn.xfixes_get_cursor_image()?.reply()?;
        cursor::draw(&mut frame, &pointer);
        Ok(frame)
    }

    fn grab(&mut self) -> Result<Frame, ScreenError> {
        let (width, height) = self.display.size()?;
        let stride = self.layout.stride(width.into());
        let size = stride * usize::from(height);
        if self.shared.as_ref().is_none_or(|shared| shared.size < size) {
            if let Some(outgrown) = self.shared.take() {
                self.display.conn.shm_detach(outgrown.segment)?;
            }
            self.shared = Some(share(&self.display, size)?);
        }
        let shared = self.shared.as_ref().expect("made above when missing");
        let z_pixmap = u8::from(XImageFormat::Z_PIXMAP);
        self.display
            .conn
            .shm_get_image(self.display.root, 0, 0, width, height, !0, z_pixmap, shared.segment, 0)?
            .reply()?;
        let mut raw = vec![0; size];
        shared.file.read_exact_at(&mut raw, 0)?;
        Ok(Frame {
            width: width.into(),
            height: height.into(),
            rgb: self.layout.to_rgb(&raw, width.into(), stride),
        })
    }
}

fn share(display: &Display, size: usize) -> Result<SharedMemory, ScreenError> {
    let file =
        File::from(memfd_create("orgo-screenshot", MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?);
    ftruncate(&file, size as u64).map_err(std::io::Error::from)?;
    let segment = display.conn.generate_id()?;
    display.conn.shm_attach_fd(segment, file.try_clone()?, false)?.check()?;
    Ok(SharedMemory { file, segment, size })
}

/// A picture of the screen as it is. The album is held while one is encoded, so that whoever asks for the same one meanwhile
/// gets it too.
pub(super) fn take(
    album: &Mutex<Album>,
    capture: &Mutex<Link<Capture>>,
    kind: Kind,
) -> Result<Arc<Image>, ScreenError> {
    let mut album = lock(album);
    let look = lock(capture).run(|capture| {
        if capture.has_changed()? {
            album.clear();
        }
        Ok(match album.find(kind) {
            Some(image) => Look::Known(image),
            None => Look::New(capture.frame()?),
        })
    })?;
    match look {
        Look::Known(image) => Ok(image),
        Look::New(frame) => album.add(kind, || {
            let frame = match kind.scale {
                Some(scale) => pixels::scaled_down(frame, scale),
                None => frame,
            };
            encode::encode(&frame, kind.format)
        }),
    }
}

enum Look {
    Known(Arc<Image>),
    New(Frame),
}

/// A scale that cannot be used is to be refused before anything is captured.
pub(super) fn check_scale(scale: Option<f32>) -> Result<(), ScreenError> {
    match scale {
        Some(scale) if !(scale > 0.0 && scale <= 1.0) => {
            let message = format!("must be greater than 0 and at most 1, not {scale}");
            Err(ScreenError::bad_input("scale", message))
        }
        _ => Ok(()),
    }
}
