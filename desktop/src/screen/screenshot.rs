//! Pictures of the screen: captured through shared memory, with the pointer drawn in.

mod cursor;
mod encode;
mod pixels;

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use x11rb::{
    connection::Connection,
    protocol::{
        shm::{ConnectionExt as _, Seg},
        xfixes::ConnectionExt as _,
        xproto::ImageFormat as XImageFormat,
    },
};

use self::pixels::PixelLayout;
use super::{ImageFormat, connection::Display, error::ScreenError};

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
    pub(super) fn connect(socket: &Path) -> Result<Self, ScreenError> {
        let display = Display::connect(socket)?;
        display.conn.shm_query_version()?.reply()?;
        display.conn.xfixes_query_version(5, 0)?.reply()?;
        let layout = PixelLayout::of_root(display.conn.setup())?;
        Ok(Self { display, layout, shared: None })
    }

    pub(super) fn size(&self) -> Result<(u16, u16), ScreenError> {
        self.display.size()
    }

    fn frame(&mut self) -> Result<Frame, ScreenError> {
        self.display.discard_events()?;
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

/// A captured picture that is yet to be encoded, which needs no connection and so no lock.
#[derive(Debug)]
pub(super) struct Captured(Frame);

pub(super) fn capture(capture: &mut Capture) -> Result<Captured, ScreenError> {
    capture.frame().map(Captured)
}

impl Captured {
    pub(super) fn encode(self, format: ImageFormat, scale: Option<f32>) -> Result<Image, ScreenError> {
        let frame = match scale {
            Some(scale) => pixels::scaled_down(self.0, scale),
            None => self.0,
        };
        encode::encode(&frame, format)
    }
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
