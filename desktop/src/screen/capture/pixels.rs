//! Converts pixels from the layout of the X server, and scales frames.

use x11rb::protocol::xproto::{ImageOrder, Setup, VisualClass};

use super::Frame;
use crate::screen::ScreenError;

/// The layout of a pixel of the root window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelLayout {
    bytes_per_pixel: usize,
    /// Each row is padded to a multiple of this number of bits.
    row_unit: usize,
    red: Channel,
    green: Channel,
    blue: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    shift: u32,
    max: u32,
}

impl Channel {
    /// Creates a channel from its bit mask. Returns `None` unless the mask has 1 to 16 contiguous bits.
    fn of_mask(mask: u32) -> Option<Self> {
        let shift = mask.trailing_zeros();
        let max = mask.checked_shr(shift)?;
        (max.trailing_ones() == max.count_ones() && max <= u16::MAX.into()).then_some(Self { shift, max })
    }

    fn value(self, pixel: u32) -> u8 {
        let level = pixel >> self.shift & self.max;
        if self.max == 0xff { level as u8 } else { (level * 255 / self.max) as u8 }
    }
}

impl PixelLayout {
    pub(super) fn of_root(setup: &Setup) -> Result<Self, ScreenError> {
        let screen = &setup.roots[0];
        let format = setup.pixmap_formats.iter().find(|format| format.depth == screen.root_depth);
        let mut visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visuals.find(|visual| visual.visual_id == screen.root_visual);
        let (Some(format), Some(visual)) = (format, visual) else {
            return Err(ScreenError::Unsupported("a pixel format for its root window".to_owned()));
        };
        let channels = [visual.red_mask, visual.green_mask, visual.blue_mask].map(Channel::of_mask);
        let is_true_color = visual.class == VisualClass::TRUE_COLOR;
        let little_endian = setup.image_byte_order == ImageOrder::LSB_FIRST;
        let pixel_fits = matches!(format.bits_per_pixel, 16 | 32);
        let row_fits = matches!(format.scanline_pad, 8 | 16 | 32);
        match channels {
            [Some(red), Some(green), Some(blue)]
                if is_true_color && little_endian && pixel_fits && row_fits =>
            {
                let bytes_per_pixel = usize::from(format.bits_per_pixel / 8);
                Ok(Self { bytes_per_pixel, row_unit: format.scanline_pad.into(), red, green, blue })
            }
            _ => {
                let depth = screen.root_depth;
                let text =
                    format!("true color in 16 or 32 little-endian bits (the root window has depth {depth})");
                Err(ScreenError::Unsupported(text))
            }
        }
    }

    /// Returns the number of bytes in a row of `width` pixels, including padding.
    pub(super) fn stride(self, width: usize) -> usize {
        (width * self.bytes_per_pixel * 8).next_multiple_of(self.row_unit) / 8
    }

    /// Appends the pixels of complete rows of `stride` bytes to `rgb`. `width` and `stride` must not be 0.
    pub(super) fn append_rgb(self, rows: &[u8], width: usize, stride: usize, rgb: &mut Vec<u8>) {
        let start = rgb.len();
        rgb.resize(start + rows.len() / stride * width * 3, 0);
        for (row, colors) in rows.chunks_exact(stride).zip(rgb[start..].chunks_exact_mut(width * 3)) {
            if self.bytes_per_pixel == 2 {
                self.convert::<2>(row, colors);
            } else {
                self.convert::<4>(row, colors);
            }
        }
    }

    fn convert<const BYTES: usize>(self, row: &[u8], colors: &mut [u8]) {
        for (pixel, color) in row.as_chunks::<BYTES>().0.iter().zip(colors.as_chunks_mut::<3>().0) {
            let mut bytes = [0; 4];
            bytes[..BYTES].copy_from_slice(pixel);
            let pixel = u32::from_le_bytes(bytes);
            *color = [self.red.value(pixel), self.green.value(pixel), self.blue.value(pixel)];
        }
    }
}

/// Scales a frame down. Each pixel of the result is the mean of the original pixels in its area.
pub(super) fn scaled_down(frame: Frame, scale: f32) -> Frame {
    let reduced = |size: usize| ((size as f32 * scale).round() as usize).clamp(1, size);
    let (width, height) = (reduced(frame.width), reduced(frame.height));
    if (width, height) == (frame.width, frame.height) {
        return frame;
    }
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let rows = span(y, height, frame.height);
        for x in 0..width {
            let columns = span(x, width, frame.width);
            let count = (rows.len() * columns.len()) as u32;
            let mut sum = [0u32; 3];
            for row in rows.clone() {
                let start = row * frame.width;
                let pixels = &frame.rgb[(start + columns.start) * 3..(start + columns.end) * 3];
                for pixel in pixels.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u32::from(value));
                }
            }
            rgb.extend(sum.map(|sum| (sum / count) as u8));
        }
    }
    Frame { width, height, rgb }
}

/// Returns the range of original pixels along one axis that the pixel `index` of the result covers.
fn span(index: usize, new: usize, old: usize) -> std::ops::Range<usize> {
    index * old / new..(index + 1) * old / new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(bytes_per_pixel: usize, masks: [u32; 3]) -> PixelLayout {
        let [red, green, blue] = masks.map(|mask| Channel::of_mask(mask).unwrap());
        PixelLayout { bytes_per_pixel, row_unit: 32, red, green, blue }
    }

    fn to_rgb(layout: PixelLayout, rows: &[u8], width: usize, stride: usize) -> Vec<u8> {
        let mut rgb = Vec::new();
        layout.append_rgb(rows, width, stride, &mut rgb);
        rgb
    }

    #[test]
    fn invalid_color_masks_are_rejected() {
        for mask in [0, 0b101, 0xff00_00ff, u32::MAX, 0x1_ffff] {
            assert_eq!(Channel::of_mask(mask), None, "{mask:#x}");
        }
    }

    #[test]
    fn depth_24_ignores_the_fourth_byte() {
        let layout = layout(4, [0xff_0000, 0xff00, 0xff]);
        assert_eq!(to_rgb(layout, &[3, 2, 1, 0, 6, 5, 4, 0], 2, 8), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn depth_16_reaches_full_brightness_and_skips_the_padding() {
        let layout = layout(2, [0xf800, 0x07e0, 0x001f]);
        assert_eq!(layout.stride(1), 4);
        assert_eq!(to_rgb(layout, &[0xff, 0xff, 9, 9, 0x00, 0xf8, 9, 9], 1, 4), [255, 255, 255, 255, 0, 0]);
    }

    #[test]
    fn scaling_averages_pixels() {
        let frame = Frame { width: 2, height: 2, rgb: [[0; 3], [100; 3], [50; 3], [250; 3]].concat() };
        assert_eq!(scaled_down(frame.clone(), 0.5), Frame { width: 1, height: 1, rgb: vec![100; 3] });
        assert_eq!(scaled_down(frame.clone(), 1.0), frame);
    }

    #[test]
    fn the_smallest_image_has_one_pixel() {
        let frame = Frame { width: 30, height: 20, rgb: vec![7; 1800] };
        assert_eq!(scaled_down(frame, 0.001), Frame { width: 1, height: 1, rgb: vec![7; 3] });
    }
}
