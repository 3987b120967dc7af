//! The pixels of a screen.

use super::reader::{Read, Stop};
use crate::prelude::*;

/// A pixel: red, green, blue, alpha. The alpha of a screen is always 255.
pub type Pixel = [u8; 4];

/// The largest number of pixels of a screen.
const MAX_PIXELS: usize = 1 << 25;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// The distance from the left side, in pixels.
    pub x: u16,
    /// The distance from the top, in pixels.
    pub y: u16,
    /// The width, in pixels.
    pub width: u16,
    /// The height, in pixels.
    pub height: u16,
}

impl Rect {
    /// Returns the number of pixels.
    #[must_use]
    pub fn area(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// Returns the first column to the right.
    pub(super) fn right(self) -> u32 {
        u32::from(self.x) + u32::from(self.width)
    }

    /// Returns the first row below.
    pub(super) fn bottom(self) -> u32 {
        u32::from(self.y) + u32::from(self.height)
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }
}

/// The current content of a screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Framebuffer {
    width: u16,
    height: u16,
    pixels: Vec<Pixel>,
}

impl Framebuffer {
    /// Returns the width in pixels; 0 before the first connection.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Returns the height in pixels; 0 before the first connection.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Returns all rows from top to bottom.
    #[must_use]
    pub fn pixels(&self) -> &[Pixel] {
        &self.pixels
    }

    /// Returns the whole screen as a rectangle.
    #[must_use]
    pub fn rect(&self) -> Rect {
        Rect { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// Creates the outline of a screen, for checks of positions.
    pub(super) fn without_pixels(width: u16, height: u16) -> Self {
        Self { width, height, pixels: Vec::new() }
    }

    /// Changes the size. The content that fits remains, and the rest is black.
    pub(super) fn resize(&mut self, width: u16, height: u16) -> Read<()> {
        let count = usize::from(width) * usize::from(height);
        if count > MAX_PIXELS {
            return Err(Stop::Invalid("the screen has more than 33,554,432 pixels"));
        }
        let mut pixels = Vec::new();
        pixels
            .try_reserve_exact(count)
            .map_err(|_| Stop::Invalid("there is not enough memory for the screen"))?;
        pixels.resize(count, [0, 0, 0, 255]);
        let mut resized = Self { width, height, pixels };
        let kept = width.min(self.width);
        for y in 0..height.min(self.height) {
            resized.row_mut(0, y, kept).copy_from_slice(self.row(0, y, kept));
        }
        *self = resized;
        Ok(())
    }

    /// Returns the index of a pixel of the screen.
    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.width) + usize::from(x)
    }

    /// Returns `width` pixels of the row `y` from the column `x` on.
    pub(super) fn row(&self, x: u16, y: u16, width: u16) -> &[Pixel] {
        let start = self.index(x, y);
        &self.pixels[start..start + usize::from(width)]
    }

    pub(super) fn row_mut(&mut self, x: u16, y: u16, width: u16) -> &mut [Pixel] {
        let start = self.index(x, y);
        &mut self.pixels[start..start + usize::from(width)]
    }

    pub(super) fn fill(&mut self, rect: Rect, color: Pixel) {
        for y in rows(rect) {
            self.row_mut(rect.x, y, rect.width).fill(color);
        }
    }

    /// Copies the rectangle of the same size at `from` to `to`. The rectangles may overlap.
    pub(super) fn copy(&mut self, from: (u16, u16), to: Rect) {
        let mut copy = |row: u16| {
            let start = self.index(from.0, from.1 + row);
            let target = self.index(to.x, to.y + row);
            self.pixels.copy_within(start..start + usize::from(to.width), target);
        };
        if to.y > from.1 {
            (0..to.height).rev().for_each(&mut copy);
        } else {
            (0..to.height).for_each(&mut copy);
        }
    }
}

/// Returns the rows of a rectangle that is inside the screen.
pub(super) fn rows(rect: Rect) -> core::ops::Range<u16> {
    rect.y..rect.y + rect.height
}
