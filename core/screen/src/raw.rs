//! The Raw encoding: all pixels, row by row.

use super::framebuffer::{Framebuffer, Pixel, Rect};
use super::reader::{Read, Reader};

/// A rectangle of which some rows have not arrived yet.
#[derive(Debug)]
pub(super) struct Raw {
    rest: Rect,
}

impl Raw {
    pub(super) fn new(rect: Rect) -> Self {
        Self { rest: rect }
    }

    /// Decodes the next row. Returns whether the rectangle is complete.
    pub(super) fn step(&mut self, reader: &mut Reader<'_>, screen: &mut Framebuffer) -> Read<bool> {
        let Rect { x, y, width, height } = self.rest;
        if self.rest.area() == 0 {
            return Ok(true);
        }
        let bytes = reader.take(usize::from(width) * 4)?;
        put(screen.row_mut(x, y, width), bytes);
        self.rest = Rect { x, y: y + 1, width, height: height - 1 };
        Ok(height == 1)
    }
}

/// Writes pixels of four bytes to a row.
pub(super) fn put(row: &mut [Pixel], bytes: &[u8]) {
    for (pixel, &[red, green, blue, _]) in row.iter_mut().zip(bytes.as_chunks().0) {
        *pixel = [red, green, blue, 255];
    }
}
