//! The rectangles that the Tight encoding compresses with JPEG.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::framebuffer::{Framebuffer, Rect, rows};
use super::reader::{Read, Stop};

/// Decodes an image, which must have the size of its rectangle.
pub(super) fn decode(data: &[u8], screen: &mut Framebuffer, rect: Rect) -> Read<()> {
    if rect.area() == 0 {
        return Ok(());
    }
    let options = DecoderOptions::default()
        .set_max_width(rect.width.into())
        .set_max_height(rect.height.into())
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let pixels = decoder.decode().map_err(|_| Stop::Invalid("the JPEG data of a rectangle is malformed"))?;
    let line = usize::from(rect.width) * 3;
    if decoder.dimensions() != Some((rect.width.into(), rect.height.into()))
        || pixels.len() != line * usize::from(rect.height)
    {
        return Err(Stop::Invalid("a JPEG image does not have the size of its rectangle"));
    }
    for (y, line) in rows(rect).zip(pixels.chunks_exact(line)) {
        super::zrle::put(screen.row_mut(rect.x, y, rect.width), line);
    }
    Ok(())
}
