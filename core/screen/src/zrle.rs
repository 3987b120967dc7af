//! The ZRLE encoding: compressed tiles of 64 × 64 pixels, with palettes and run lengths.

use super::framebuffer::{Framebuffer, Pixel, Rect, rows};
use super::inflate::Stream;
use super::reader::{Read, Reader, Stop};
use crate::prelude::*;

const SIDE: u16 = 64;
/// The largest size of a tile without its pixels: the kind and the palette.
const TILE_HEADER: usize = 1 + 127 * 3;

/// The state of the encoding on one connection.
#[derive(Debug, Default)]
pub(super) struct Zrle {
    stream: Stream,
    palette: Vec<Pixel>,
}

impl Zrle {
    /// Decodes a rectangle.
    pub(super) fn decode(
        &mut self,
        reader: &mut Reader<'_>,
        screen: &mut Framebuffer,
        rect: Rect,
    ) -> Read<()> {
        let limit = largest(rect);
        let length = reader.length(limit + limit / 8 + 64, "the data of a ZRLE rectangle is too long")?;
        let data = self.stream.inflate(reader.take(length)?, limit)?;
        let mut data = Reader::new(data);
        match decode_tiles(&mut data, screen, rect, &mut self.palette) {
            Ok(()) if data.len() == 0 => Ok(()),
            Ok(()) => Err(Stop::Invalid("the data of a ZRLE rectangle is longer than its tiles")),
            Err(Stop::Incomplete) => Err(Stop::Invalid("the data of a ZRLE rectangle ends early")),
            Err(invalid) => Err(invalid),
        }
    }
}

/// Returns the largest size of the decompressed data.
fn largest(rect: Rect) -> usize {
    let tiles = usize::from(rect.width.div_ceil(SIDE)) * usize::from(rect.height.div_ceil(SIDE));
    rect.area() * 4 + tiles * TILE_HEADER
}

fn decode_tiles(
    data: &mut Reader<'_>,
    screen: &mut Framebuffer,
    rect: Rect,
    palette: &mut Vec<Pixel>,
) -> Read<()> {
    let mut y = 0;
    while y < rect.height {
        let height = SIDE.min(rect.height - y);
        let mut x = 0;
        while x < rect.width {
            let width = SIDE.min(rect.width - x);
            decode_tile(data, screen, Rect { x: rect.x + x, y: rect.y + y, width, height }, palette)?;
            x += width;
        }
        y += height;
    }
    Ok(())
}

fn decode_tile(
    data: &mut Reader<'_>,
    screen: &mut Framebuffer,
    tile: Rect,
    palette: &mut Vec<Pixel>,
) -> Read<()> {
    let kind = data.u8()?;
    let colors = match kind {
        0 => {
            for y in rows(tile) {
                let line = data.take(usize::from(tile.width) * 3)?;
                put(screen.row_mut(tile.x, y, tile.width), line);
            }
            return Ok(());
        }
        1 => {
            screen.fill(tile, pixel(data)?);
            return Ok(());
        }
        2..=16 => kind,
        128 => 0,
        130.. => kind - 128,
        _ => return Err(Stop::Invalid("a ZRLE tile has an unknown kind")),
    };
    palette.clear();
    for _ in 0..colors {
        palette.push(pixel(data)?);
    }
    if kind >= 128 { runs(data, screen, tile, palette) } else { packed(data, screen, tile, palette) }
}

fn packed(data: &mut Reader<'_>, screen: &mut Framebuffer, tile: Rect, palette: &[Pixel]) -> Read<()> {
    let bits: usize = match palette.len() {
        ..=2 => 1,
        3..=4 => 2,
        _ => 4,
    };
    for y in rows(tile) {
        let line = data.take(usize::from(tile.width).div_ceil(8 / bits))?;
        unpack(screen.row_mut(tile.x, y, tile.width), line, palette, bits)?;
    }
    Ok(())
}

/// Decodes a row of palette indices with some bits each.
pub(super) fn unpack(row: &mut [Pixel], line: &[u8], palette: &[Pixel], bits: usize) -> Read<()> {
    for (pixels, byte) in row.chunks_mut(8 / bits).zip(line) {
        let mut shift = 8;
        for pixel in pixels {
            shift -= bits;
            *pixel = color(palette, byte >> shift & ((1 << bits) - 1))?;
        }
    }
    Ok(())
}

/// Decodes run lengths, of palette indices or, with an empty palette, of pixels.
fn runs(data: &mut Reader<'_>, screen: &mut Framebuffer, tile: Rect, palette: &[Pixel]) -> Read<()> {
    let (mut color_now, mut left) = ([0; 4], 0);
    for y in rows(tile) {
        let mut row = screen.row_mut(tile.x, y, tile.width);
        while !row.is_empty() {
            if left == 0 {
                let pixels_after =
                    row.len() + usize::from(tile.y + tile.height - 1 - y) * usize::from(tile.width);
                (color_now, left) = run(data, palette)?;
                if left > pixels_after {
                    return Err(Stop::Invalid("a run of a ZRLE tile is longer than the tile"));
                }
            }
            let (filled, rest) = row.split_at_mut(left.min(row.len()));
            filled.fill(color_now);
            left -= filled.len();
            row = rest;
        }
    }
    Ok(())
}

fn run(data: &mut Reader<'_>, palette: &[Pixel]) -> Read<(Pixel, usize)> {
    let found = if palette.is_empty() {
        pixel(data)?
    } else {
        let index = data.u8()?;
        let found = color(palette, index & 127)?;
        if index < 128 {
            return Ok((found, 1));
        }
        found
    };
    let mut length = 1;
    loop {
        let byte = data.u8()?;
        length += usize::from(byte);
        if byte < 255 {
            return Ok((found, length));
        }
    }
}

pub(super) fn color(palette: &[Pixel], index: u8) -> Read<Pixel> {
    palette.get(usize::from(index)).copied().ok_or(Stop::Invalid("a color is not in its palette"))
}

/// Reads a compressed pixel, which has no padding byte.
pub(super) fn pixel(data: &mut Reader<'_>) -> Read<Pixel> {
    let [red, green, blue] = data.array()?;
    Ok([red, green, blue, 255])
}

/// Writes pixels of three bytes to a row.
pub(super) fn put(row: &mut [Pixel], bytes: &[u8]) {
    for (pixel, &[red, green, blue]) in row.iter_mut().zip(bytes.as_chunks().0) {
        *pixel = [red, green, blue, 255];
    }
}
