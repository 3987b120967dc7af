//! Images of the screen for the program.

use super::Cursor;
use super::framebuffer::{Framebuffer, Rect, rows};
use crate::prelude::*;

/// The format of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageFormat {
    /// Four bytes for each pixel: red, green, blue, alpha.
    Rgba,
    /// PNG. Needs the feature `screen-png`.
    #[cfg(feature = "png")]
    Png,
    /// JPEG with the quality 80. Needs the feature `screen-jpeg`.
    #[cfg(feature = "jpeg")]
    Jpeg,
}

/// The quality of JPEG images, from 1 to 100.
#[cfg(feature = "jpeg")]
const JPEG_QUALITY: u8 = 80;

impl ImageFormat {
    /// The names in JavaScript, for an error.
    pub(super) const NAMES: &str = if cfg!(feature = "jpeg") {
        "png, jpeg or rgba"
    } else if cfg!(feature = "png") {
        "png or rgba"
    } else {
        "rgba"
    };

    /// Returns the name in JavaScript.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rgba => "rgba",
            #[cfg(feature = "png")]
            Self::Png => "png",
            #[cfg(feature = "jpeg")]
            Self::Jpeg => "jpeg",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "rgba" => Some(Self::Rgba),
            #[cfg(feature = "png")]
            "png" => Some(Self::Png),
            #[cfg(feature = "jpeg")]
            "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }
}

/// An image of the screen or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The width in pixels.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
    /// The format of the data.
    pub format: ImageFormat,
    /// The content. The screen shares it with later images, until its own content changes.
    pub data: Arc<Vec<u8>>,
}

/// A request for an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ImageRequest {
    /// The part of the screen; `None` for the whole screen.
    pub(super) region: Option<Rect>,
    /// The size of the image relative to the size of the region, from above 0 to 1.
    pub(super) scale: f64,
    pub(super) format: ImageFormat,
    /// Whether to draw the pointer.
    pub(super) pointer: bool,
}

/// The pointer to draw, and its position.
pub(super) type Pointer<'a> = Option<(&'a Cursor, (u16, u16))>;

/// What an image depends on: the version of the screen, the request, and the position of a drawn pointer.
type Key = (u64, ImageRequest, Option<(u16, u16)>);

/// The last image, for another request while the screen has not changed. After a change, its memory is used again,
/// because the system takes longer to provide the pages of new memory than the copy of the pixels takes.
#[derive(Debug, Default)]
pub(super) struct ImageCache(Option<(Key, Image)>);

impl ImageCache {
    /// Returns the image. `version` changes with the content of the screen.
    pub(super) fn take(
        &mut self,
        version: u64,
        request: ImageRequest,
        screen: &Framebuffer,
        pointer: Pointer<'_>,
    ) -> Image {
        // The module of a page has no encoder. It copies the pixels to JavaScript from memory that it keeps in any case.
        if cfg!(not(feature = "png")) {
            return request.take(screen, pointer, Vec::new());
        }
        let key = (version, request, pointer.map(|(_, position)| position));
        let unused = match self.0.take() {
            Some((last, image)) if last == key => {
                self.0 = Some((key, image.clone()));
                return image;
            }
            // The consumer may still read the last image.
            Some((_, image)) => Arc::try_unwrap(image.data).unwrap_or_default(),
            None => Vec::new(),
        };
        let image = request.take(screen, pointer, unused);
        self.0 = Some((key, image.clone()));
        image
    }
}

impl ImageRequest {
    /// Takes the image. A region that is no longer on the screen is cropped. The pixels are written to `memory`.
    fn take(self, screen: &Framebuffer, pointer: Pointer<'_>, memory: Vec<u8>) -> Image {
        if let Some((cursor, position)) = pointer.filter(|(cursor, _)| cursor.width > 0) {
            let mut screen = screen.clone();
            draw(&mut screen, cursor, position);
            return self.take(&screen, None, memory);
        }
        let all = screen.rect();
        let region = self.region.map_or(all, |region| crop(region, all));
        let (width, height) = (scaled(region.width, self.scale), scaled(region.height, self.scale));
        let mut pixels = memory;
        pixels.clear();
        pixels.reserve_exact(usize::from(width) * usize::from(height) * 4);
        if (width, height) == (region.width, region.height) {
            for y in rows(region) {
                pixels.extend_from_slice(screen.row(region.x, y, region.width).as_flattened());
            }
        } else {
            shrink(screen, region, width, height, &mut pixels);
        }
        let data = match self.format {
            ImageFormat::Rgba => pixels,
            #[cfg(feature = "png")]
            ImageFormat::Png => png(width, height, &pixels),
            #[cfg(feature = "jpeg")]
            ImageFormat::Jpeg => jpeg(width, height, &pixels),
        };
        Image { width, height, format: self.format, data: Arc::new(data) }
    }
}

/// Draws the pointer at a position.
fn draw(screen: &mut Framebuffer, cursor: &Cursor, (x, y): (u16, u16)) {
    // The position minus the pixel that points, which can be outside the screen.
    let (left, top) = (i32::from(x) - i32::from(cursor.x), i32::from(y) - i32::from(cursor.y));
    let lines = cursor.pixels.chunks_exact(usize::from(cursor.width) * 4);
    for (y, line) in (top..).zip(lines) {
        let Ok(y) = u16::try_from(y) else { continue };
        if y >= screen.height() {
            break;
        }
        for (x, &pixel) in (left..).zip(line.as_chunks::<4>().0) {
            if let Ok(x) = u16::try_from(x)
                && x < screen.width()
                && pixel[3] != 0
            {
                screen.row_mut(x, y, 1).fill(pixel);
            }
        }
    }
}

fn crop(region: Rect, all: Rect) -> Rect {
    let (x, y) = (region.x.min(all.width), region.y.min(all.height));
    Rect { x, y, width: region.width.min(all.width - x), height: region.height.min(all.height - y) }
}

fn scaled(length: u16, scale: f64) -> u16 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the scale is from 0 to 1")]
    let scaled = (f64::from(length) * scale + 0.5) as u16;
    scaled.max(1).min(length)
}

/// Writes the pixels of a smaller image, in which each pixel is the average of the pixels that it replaces.
fn shrink(screen: &Framebuffer, region: Rect, width: u16, height: u16, pixels: &mut Vec<u8>) {
    // The pixels from `start(n)` to `start(n + 1)` become the pixel `n`.
    let start = |at: u16, from: u16, to: u16| {
        u16::try_from(u32::from(at) * u32::from(from) / u32::from(to).max(1)).unwrap_or(from)
    };
    for y in 0..height {
        let (top, bottom) = (start(y, region.height, height), start(y + 1, region.height, height));
        for x in 0..width {
            let (left, right) = (start(x, region.width, width), start(x + 1, region.width, width));
            let mut sum = [0_u64; 3];
            for row in top..bottom {
                for pixel in screen.row(region.x + left, region.y + row, right - left) {
                    for (sum, &value) in sum.iter_mut().zip(pixel) {
                        *sum += u64::from(value);
                    }
                }
            }
            let count = u64::from(bottom - top) * u64::from(right - left);
            let [red, green, blue] =
                sum.map(|sum| u8::try_from((sum + count / 2) / count.max(1)).unwrap_or(u8::MAX));
            pixels.extend_from_slice(&[red, green, blue, 255]);
        }
    }
}

#[cfg(feature = "png")]
fn png(width: u16, height: u16, rgba: &[u8]) -> Vec<u8> {
    let rgb: Vec<u8> =
        rgba.as_chunks::<4>().0.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
    let mut data = Vec::new();
    let mut encoder = png::Encoder::new(&mut data, width.into(), height.into());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    // Cannot fail, because a vector accepts all bytes, and the size matches.
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&rgb));
    if written.is_err() {
        data.clear();
    }
    data
}

#[cfg(feature = "jpeg")]
fn jpeg(width: u16, height: u16, rgba: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut data, JPEG_QUALITY);
    // Cannot fail, because a vector accepts all bytes, and the size matches.
    if encoder.encode(rgba, width, height, jpeg_encoder::ColorType::Rgba).is_err() {
        data.clear();
    }
    data
}
