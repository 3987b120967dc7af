//! The Tight encoding: one color, or compressed pixels, palette indices or differences to a prediction.

use super::framebuffer::{Framebuffer, Pixel, Rect, rows};
use super::inflate::Stream;
use super::reader::{Read, Reader, Stop};
use super::zrle::{color, pixel, put, unpack};
use crate::prelude::*;

/// The kinds of a rectangle. The other kinds are basic: a filter and a stream.
const FILL: u8 = 8;
const JPEG: u8 = 9;
/// Whether a basic rectangle names its filter.
const EXPLICIT_FILTER: u8 = 4;
/// Shorter data is not compressed.
const MIN_COMPRESSED: usize = 12;

/// The state of the encoding on one connection.
#[derive(Debug, Default)]
pub(super) struct Tight {
    streams: [Stream; 4],
    /// Whether the client has requested a JPEG quality.
    #[cfg(feature = "quality")]
    accepts_jpeg: bool,
}

enum Filter {
    Copy,
    Palette(Vec<Pixel>),
    /// With the previous row.
    Gradient(Vec<Pixel>),
}

impl Tight {
    /// Creates the state. `quality` is the requested JPEG quality.
    #[cfg_attr(not(feature = "quality"), expect(unused_variables, reason = "JPEG is not supported"))]
    pub(super) fn new(quality: Option<u8>) -> Self {
        Self {
            #[cfg(feature = "quality")]
            accepts_jpeg: quality.is_some(),
            ..Self::default()
        }
    }

    /// Decodes a rectangle.
    pub(super) fn decode(
        &mut self,
        reader: &mut Reader<'_>,
        screen: &mut Framebuffer,
        rect: Rect,
    ) -> Read<()> {
        let control = reader.u8()?;
        let kind = control >> 4;
        if kind == FILL {
            let color = pixel(reader)?;
            self.reset(control);
            screen.fill(rect, color);
            return Ok(());
        }
        #[cfg(feature = "quality")]
        if kind == JPEG && self.accepts_jpeg {
            let length = compact_length(reader)?;
            let data = reader.take(length)?;
            self.reset(control);
            return super::jpeg::decode(data, screen, rect);
        }
        if kind == JPEG {
            return Err(Stop::Invalid("a JPEG rectangle was sent, but no JPEG quality was requested"));
        }
        if kind > JPEG {
            return Err(Stop::Invalid("a Tight rectangle has an unknown kind"));
        }
        let mut filter = if kind & EXPLICIT_FILTER != 0 { filter(reader, rect)? } else { Filter::Copy };
        let width = usize::from(rect.width);
        let line = match &filter {
            Filter::Palette(palette) if palette.len() <= 2 => width.div_ceil(8),
            Filter::Palette(_) => width,
            Filter::Copy | Filter::Gradient(_) => width * 3,
        };
        let size = line * usize::from(rect.height);
        let data = if size < MIN_COMPRESSED {
            let data = reader.take(size)?;
            self.reset(control);
            data
        } else {
            let length = compact_length(reader)?;
            if length > size + size / 8 + 64 {
                return Err(Stop::Invalid("the data of a Tight rectangle is too long"));
            }
            let compressed = reader.take(length)?;
            self.reset(control);
            let stream = &mut self.streams[usize::from(kind & 3)];
            let data = stream.inflate(compressed, size)?;
            if data.len() < size {
                return Err(Stop::Invalid("the data of a Tight rectangle ends early"));
            }
            data
        };
        if size == 0 {
            return Ok(());
        }
        let mut data = Reader::new(data);
        for y in rows(rect) {
            let (row, line) = (screen.row_mut(rect.x, y, rect.width), data.take(line)?);
            match &mut filter {
                Filter::Copy => put(row, line),
                Filter::Palette(palette) if palette.len() <= 2 => unpack(row, line, palette, 1)?,
                Filter::Palette(palette) => {
                    for (pixel, &index) in row.iter_mut().zip(line) {
                        *pixel = color(palette, index)?;
                    }
                }
                Filter::Gradient(above) => gradient(row, line, above),
            }
        }
        Ok(())
    }

    /// Restarts the streams that the control byte names.
    fn reset(&mut self, control: u8) {
        for (bit, stream) in self.streams.iter_mut().enumerate() {
            if control >> bit & 1 != 0 {
                stream.reset();
            }
        }
    }
}

fn filter(reader: &mut Reader<'_>, rect: Rect) -> Read<Filter> {
    match reader.u8()? {
        0 => Ok(Filter::Copy),
        1 => {
            let colors = usize::from(reader.u8()?) + 1;
            let bytes = reader.take(colors * 3)?;
            let mut palette = vec![[0; 4]; colors];
            put(&mut palette, bytes);
            Ok(Filter::Palette(palette))
        }
        2 => Ok(Filter::Gradient(vec![[0; 4]; rect.width.into()])),
        _ => Err(Stop::Invalid("a Tight rectangle has an unknown filter")),
    }
}

/// Reads a length of one to three bytes.
fn compact_length(reader: &mut Reader<'_>) -> Read<usize> {
    let first = usize::from(reader.u8()?);
    if first < 128 {
        return Ok(first);
    }
    let second = usize::from(reader.u8()?);
    let length = first & 127 | (second & 127) << 7;
    if second < 128 {
        return Ok(length);
    }
    Ok(length | usize::from(reader.u8()?) << 14)
}

/// Adds the differences to the prediction: left + above - above left, for each color.
fn gradient(row: &mut [Pixel], line: &[u8], above: &mut [Pixel]) {
    let (mut left, mut above_left) = ([0_u8; 4], [0_u8; 4]);
    for ((pixel, above), difference) in row.iter_mut().zip(above).zip(line.as_chunks::<3>().0) {
        let mut value = [255; 4];
        for color in 0..3 {
            let prediction = i16::from(left[color]) + i16::from(above[color]) - i16::from(above_left[color]);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
            let prediction = prediction.clamp(0, 255) as u8;
            value[color] = prediction.wrapping_add(difference[color]);
        }
        above_left = *above;
        (left, *above, *pixel) = (value, value, value);
    }
}
