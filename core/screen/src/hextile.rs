//! The Hextile encoding: tiles of 16 × 16 pixels with a background and rectangles of other colors.

use super::framebuffer::{Framebuffer, Pixel, Rect, rows};
use super::raw::put;
use super::reader::{Read, Reader, Stop};

const SIDE: u16 = 16;

/// The bits of the first byte of a tile.
const RAW: u8 = 1;
const BACKGROUND: u8 = 2;
const FOREGROUND: u8 = 4;
const SUBRECTS: u8 = 8;
const COLORED: u8 = 16;

/// A rectangle of which some tiles have not arrived yet.
#[derive(Debug)]
pub(super) struct Hextile {
    rect: Rect,
    /// The offset of the next tile.
    next: (u16, u16),
    background: Pixel,
    foreground: Pixel,
}

impl Hextile {
    pub(super) fn new(rect: Rect) -> Self {
        Self { rect, next: (0, 0), background: [0, 0, 0, 255], foreground: [0, 0, 0, 255] }
    }

    /// Decodes the next tile. Returns whether the rectangle is complete.
    pub(super) fn step(&mut self, reader: &mut Reader<'_>, screen: &mut Framebuffer) -> Read<bool> {
        if self.rect.area() == 0 {
            return Ok(true);
        }
        let (x, y) = self.next;
        let tile = Rect {
            x: self.rect.x + x,
            y: self.rect.y + y,
            width: SIDE.min(self.rect.width - x),
            height: SIDE.min(self.rect.height - y),
        };
        self.tile(reader, screen, tile)?;
        self.next = if x + tile.width < self.rect.width { (x + SIDE, y) } else { (0, y + tile.height) };
        Ok(self.next.1 >= self.rect.height)
    }

    fn tile(&mut self, reader: &mut Reader<'_>, screen: &mut Framebuffer, tile: Rect) -> Read<()> {
        let kind = reader.u8()?;
        if kind & RAW != 0 {
            let mut lines = Reader::new(reader.take(tile.area() * 4)?);
            for y in rows(tile) {
                put(screen.row_mut(tile.x, y, tile.width), lines.take(usize::from(tile.width) * 4)?);
            }
            return Ok(());
        }
        let background = if kind & BACKGROUND != 0 { pixel(reader)? } else { self.background };
        let foreground = if kind & FOREGROUND != 0 { pixel(reader)? } else { self.foreground };
        let count = if kind & SUBRECTS != 0 { usize::from(reader.u8()?) } else { 0 };
        let size = if kind & COLORED != 0 { 6 } else { 2 };
        let subrects = reader.take(count * size)?;
        // From here on the tile is complete.
        (self.background, self.foreground) = (background, foreground);
        screen.fill(tile, background);
        let mut reader = Reader::new(subrects);
        for _ in 0..count {
            let color = if kind & COLORED != 0 { pixel(&mut reader)? } else { foreground };
            let [at, size] = reader.array()?;
            let (x, y) = (u16::from(at >> 4), u16::from(at & 15));
            let (width, height) = (u16::from(size >> 4) + 1, u16::from(size & 15) + 1);
            if x + width > tile.width || y + height > tile.height {
                return Err(Stop::Invalid("a Hextile rectangle is outside its tile"));
            }
            screen.fill(Rect { x: tile.x + x, y: tile.y + y, width, height }, color);
        }
        Ok(())
    }
}

fn pixel(reader: &mut Reader<'_>) -> Read<Pixel> {
    let [red, green, blue, _] = reader.array()?;
    Ok([red, green, blue, 255])
}
