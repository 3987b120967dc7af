//! Draws the pointer into a captured frame.

use x11rb::protocol::xfixes::GetCursorImageReply;

use super::Frame;

/// Draws the pointer at its position. Captures of the root window do not contain the pointer.
pub(super) fn draw(frame: &mut Frame, cursor: &GetCursorImageReply) {
    let left = i32::from(cursor.x) - i32::from(cursor.xhot);
    let top = i32::from(cursor.y) - i32::from(cursor.yhot);
    let row_width = usize::from(cursor.width).max(1);
    for (y, row) in (top..).zip(cursor.cursor_image.chunks(row_width)) {
        for (x, &argb) in (left..).zip(row) {
            if let Some(pixel) = frame.pixel_mut(x, y) {
                blend(pixel, argb);
            }
        }
    }
}

/// Blends a cursor pixel over a frame pixel. Cursor colors are premultiplied by alpha.
fn blend(pixel: &mut [u8], argb: u32) {
    let [alpha, color @ ..] = argb.to_be_bytes();
    for (below, above) in pixel.iter_mut().zip(color) {
        let rest = u32::from(*below) * (255 - u32::from(alpha)) / 255;
        *below = above.saturating_add(u8::try_from(rest).expect("the value is at most 255"));
    }
}

impl Frame {
    fn pixel_mut(&mut self, x: i32, y: i32) -> Option<&mut [u8]> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y * self.width + x) * 3;
        self.rgb.get_mut(start..start + 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(x: i16, y: i16, image: &[u32]) -> GetCursorImageReply {
        GetCursorImageReply {
            x,
            y,
            width: 2,
            height: 2,
            xhot: 1,
            yhot: 1,
            cursor_image: image.to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn the_hotspot_is_at_the_pointer_position_and_the_cursor_is_clipped() {
        let mut frame = Frame { width: 2, height: 1, rgb: vec![10; 6] };
        draw(&mut frame, &cursor(0, 0, &[0xff01_0101, 0xff02_0202, 0xff03_0303, 0xffff_8000]));
        assert_eq!(frame.rgb, [255, 128, 0, 10, 10, 10]);
    }

    #[test]
    fn transparent_pixels_show_the_frame_below() {
        let mut pixel = [200, 100, 0];
        blend(&mut pixel, 0x0000_0000);
        assert_eq!(pixel, [200, 100, 0]);
        blend(&mut pixel, 0x8040_4040);
        assert_eq!(pixel, [64 + 99, 64 + 49, 64]);
    }
}
