//! Encodes frames as PNG and JPEG.

use super::{Frame, Image};
use crate::screen::{ImageFormat, ScreenError};

/// The quality of JPEG images. Text stays sharp, and an image is about half as large as with quality 95.
const JPEG_QUALITY: u8 = 85;

pub(super) fn encode(frame: &Frame, format: ImageFormat) -> Result<Image, ScreenError> {
    let (bytes, mime_type) = match format {
        ImageFormat::Png => (png(frame)?, "image/png"),
        ImageFormat::Jpeg => (jpeg(frame)?, "image/jpeg"),
    };
    Ok(Image { bytes, mime_type, width: frame.width as u32, height: frame.height as u32 })
}

fn png(frame: &Frame) -> Result<Vec<u8>, ScreenError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, frame.width as u32, frame.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let failed = |error: png::EncodingError| ScreenError::Encode(error.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&frame.rgb).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

fn jpeg(frame: &Frame) -> Result<Vec<u8>, ScreenError> {
    let too_large = |_| ScreenError::Encode("the screen is too large for JPEG".to_owned());
    let width = u16::try_from(frame.width).map_err(too_large)?;
    let height = u16::try_from(frame.height).map_err(too_large)?;
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, JPEG_QUALITY)
        .encode(&frame.rgb, width, height, jpeg_encoder::ColorType::Rgb)
        .map_err(|error| ScreenError::Encode(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_keeps_every_pixel() {
        let rgb: Vec<u8> = (0..5 * 3 * 3).map(|n| (n * 37 % 251) as u8).collect();
        let image = encode(&Frame { width: 5, height: 3, rgb: rgb.clone() }, ImageFormat::Png).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&image.bytes)).read_info().unwrap();
        let mut decoded = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut decoded).unwrap();
        assert_eq!(decoded, rgb);
        assert_eq!((image.width, image.height, image.mime_type), (5, 3, "image/png"));
    }

    #[test]
    fn a_jpeg_has_its_signature() {
        let image = encode(&Frame { width: 2, height: 2, rgb: vec![9; 12] }, ImageFormat::Jpeg).unwrap();
        assert_eq!(image.bytes[..3], [0xff, 0xd8, 0xff]);
        assert_eq!(image.mime_type, "image/jpeg");
    }
}
