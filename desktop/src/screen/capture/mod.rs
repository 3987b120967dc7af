//! Captures screenshots through shared memory. A screenshot includes the pointer. If the screen has not changed, an
//! earlier image with the same options is returned.

mod cache;
mod cursor;
mod encode;
mod pixels;

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
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

pub(in crate::screen) use self::cache::{ImageCache, ImageOptions};
use self::pixels::PixelLayout;
use crate::screen::{
    ScreenError,
    connection::{
        Display,
        bounded::BoundedConnection,
        checked_reply,
        endpoint::Endpoint,
        reconnecting::{HasConnection, Reconnecting},
    },
    lock,
};

/// The maximum resolution that the API accepts. Screens with more pixels are not captured. Programs in a computer can
/// set a higher resolution than the API.
pub(in crate::screen) const MAX_SIZE: (u16, u16) = (7680, 4320);
/// The maximum number of bytes of a capture that one call reads.
const BAND_BYTES: usize = 256 << 10;

/// An encoded image of the whole screen.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mime_type: &'static str,
    /// The width in pixels after scaling.
    pub(crate) width: u32,
    /// The height in pixels after scaling.
    pub(crate) height: u32,
}

/// An uncompressed image with three bytes for each pixel (red, green, blue) and no padding between rows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// A connection for captures. It is separate, so that captures do not wait for input actions.
#[derive(Debug)]
pub(in crate::screen) struct Capture {
    display: Display,
    layout: PixelLayout,
    shared: Option<SharedMemory>,
    /// The damage object, which accumulates the changed areas of the screen.
    damage: Damage,
    /// The appearance at the last check, or `None` before the first check.
    last: Option<Appearance>,
}

/// The properties of the screen that can change without drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Appearance {
    size: (u16, u16),
    pointer: (i16, i16),
    /// The serial number of the cursor image.
    cursor: u32,
}

/// A memory file that the X server writes images to.
///
/// The file is passed as a descriptor, because an X server in another IPC namespace cannot access a SysV segment. The
/// file is read in bands through its descriptor, without a memory mapping. Its size is sealed, because the X server
/// also has the descriptor.
#[derive(Debug)]
struct SharedMemory {
    file: File,
    segment: Seg,
    size: usize,
}

impl HasConnection for Capture {
    fn conn(&self) -> &BoundedConnection {
        &self.display.conn
    }
}

impl Capture {
    pub(in crate::screen) fn connect(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        let display = Display::connect(endpoint)?;
        display.conn.shm_query_version()?.reply()?;
        display.conn.xfixes_query_version(5, 0)?.reply()?;
        display.conn.damage_query_version(1, 1)?.reply()?;
        let layout = PixelLayout::of_root(display.conn.setup())?;
        let damage = display.conn.generate_id()?;
        display.conn.damage_create(damage, display.root, ReportLevel::NON_EMPTY)?.check()?;
        Ok(Self { display, layout, shared: None, damage, last: None })
    }

    pub(in crate::screen) fn size(&self) -> Result<(u16, u16), ScreenError> {
        self.display.size()
    }

    /// Returns whether the screen has changed since the last call.
    fn has_changed(&mut self) -> Result<bool, ScreenError> {
        let size = self.display.size()?;
        let cursor = checked_reply::cursor_image(&self.display)?;
        let now = Appearance { size, pointer: (cursor.x, cursor.y), cursor: cursor.cursor_serial };
        // The damage events for earlier drawing precede the replies above.
        let drawn = self.take_damage()?;
        let before = self.last.replace(now);
        Ok(drawn || before != Some(now))
    }

    /// Returns whether a client has drawn on the screen since the last call. Resets the damage.
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
        let mut frame = match self.capture_root() {
            // The screen may have become smaller after the size was read.
            Err(ScreenError::XError(_)) => self.capture_root()?,
            result => result?,
        };
        let pointer = checked_reply::cursor_image(&self.display)?;
        cursor::draw(&mut frame, &pointer);
        Ok(frame)
    }

    fn capture_root(&mut self) -> Result<Frame, ScreenError> {
        let (width, height) = self.display.size()?;
        check_size(width, height)?;
        let stride = self.layout.stride(width.into());
        let size = stride * usize::from(height);
        if self.shared.as_ref().is_none_or(|shared| shared.size < size) {
            if let Some(outgrown) = self.shared.take() {
                self.display.conn.shm_detach(outgrown.segment)?;
            }
            self.shared = Some(create_shared_memory(&self.display, size)?);
        }
        let shared = self.shared.as_ref().expect("the memory was created above");
        let z_pixmap = u8::from(XImageFormat::Z_PIXMAP);
        self.display
            .conn
            .shm_get_image(self.display.root, 0, 0, width, height, !0, z_pixmap, shared.segment, 0)?
            .reply()?;
        let (width, height) = (usize::from(width), usize::from(height));
        let mut rgb = Vec::with_capacity(width * height * 3);
        let rows = (BAND_BYTES / stride).clamp(1, height);
        let mut band = vec![0; rows * stride];
        for start in (0..size).step_by(band.len()) {
            let band = &mut band[..(rows * stride).min(size - start)];
            shared.file.read_exact_at(band, start as u64)?;
            self.layout.append_rgb(band, width, stride, &mut rgb);
        }
        Ok(Frame { width, height, rgb })
    }
}

fn check_size(width: u16, height: u16) -> Result<(), ScreenError> {
    let pixels = |(width, height): (u16, u16)| u32::from(width) * u32::from(height);
    match pixels((width, height)) {
        0 => Err(ScreenError::Unsupported("a screen with pixels".to_owned())),
        count if count > pixels(MAX_SIZE) => Err(ScreenError::TooLarge { width, height }),
        _ => Ok(()),
    }
}

fn create_shared_memory(display: &Display, size: usize) -> Result<SharedMemory, ScreenError> {
    let file = sealed_memory(size)?;
    let segment = display.conn.generate_id()?;
    display.conn.shm_attach_fd(segment, file.try_clone()?, false)?.check()?;
    Ok(SharedMemory { file, segment, size })
}

/// Creates a memory file with a fixed size.
fn sealed_memory(size: usize) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(memfd_create("orgo-screenshot", flags)?);
    ftruncate(&file, size as u64)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

/// Returns an image of the current screen. The cache stays locked during encoding, so concurrent callers with the same
/// options get the same image.
pub(in crate::screen) fn take(
    cache: &Mutex<ImageCache>,
    capture: &Mutex<Reconnecting<Capture>>,
    options: ImageOptions,
) -> Result<Arc<Image>, ScreenError> {
    let mut cache = lock(cache);
    let lookup = lock(capture).run(Duration::ZERO, |capture| {
        if capture.has_changed()? {
            cache.clear();
        }
        Ok(match cache.get(options) {
            Some(image) => CacheLookup::Hit(image),
            None => CacheLookup::Miss(capture.frame()?),
        })
    })?;
    match lookup {
        CacheLookup::Hit(image) => Ok(image),
        CacheLookup::Miss(frame) => cache.add(options, || {
            let frame = match options.scale {
                Some(scale) => pixels::scaled_down(frame, scale),
                None => frame,
            };
            encode::encode(&frame, options.format)
        }),
    }
}

enum CacheLookup {
    Hit(Arc<Image>),
    Miss(Frame),
}

/// Checks that a scale is valid. Call this before the capture.
pub(in crate::screen) fn check_scale(scale: Option<f32>) -> Result<(), ScreenError> {
    match scale {
        Some(scale) if !(scale > 0.0 && scale <= 1.0) => {
            let message = format!("must be greater than 0 and at most 1, not {scale}");
            Err(ScreenError::bad_input("scale", message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::computer::Resolution;

    #[test]
    fn shared_memory_keeps_its_size() {
        let file = sealed_memory(100).unwrap();
        for size in [0, 99, 101] {
            assert!(file.set_len(size).is_err(), "{size}");
        }
        assert!(fcntl_add_seals(&file, SealFlags::WRITE).is_err());
        file.write_all_at(&[1; 100], 0).unwrap();
    }

    #[test]
    fn screens_up_to_the_largest_resolution_of_the_api_can_be_captured() {
        let (width, height) = MAX_SIZE;
        assert!(format!("{width}x{height}").parse::<Resolution>().is_ok());
        assert!(format!("{}x{height}", width + 1).parse::<Resolution>().is_err());
        assert!(format!("{width}x{}", height + 1).parse::<Resolution>().is_err());
        check_size(width, height).unwrap();
        check_size(height, width).unwrap();
        for (width, height) in [(9000, 9000), (7681, 4320), (u16::MAX, u16::MAX)] {
            let error = check_size(width, height).unwrap_err();
            assert!(
                error.to_string().contains(&format!("{width}x{height}, larger than 7680x4320")),
                "{error}"
            );
        }
        for size in [(0, 0), (0, 720), (1280, 0)] {
            assert!(matches!(check_size(size.0, size.1), Err(ScreenError::Unsupported(_))));
        }
    }
}
