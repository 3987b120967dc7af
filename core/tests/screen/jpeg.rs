//! JPEG in the Tight encoding. The encoder is that of the feature `screen-jpeg`.

use orgo_core::channel::State;
use orgo_core::channel::screen::ScreenOptions;

use crate::client::{Client, handshake, update};
use crate::encode::{Area, TIGHT, header};

/// Returns a rectangle of the screen with an image of this size in one color.
fn rect(area: Area, width: u16, height: u16) -> Vec<u8> {
    let pixels = [200, 100, 50].repeat(usize::from(width) * usize::from(height));
    let mut data = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut data, 90);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    let mut bytes = header(area, TIGHT);
    bytes.push(0x90);
    let length = data.len();
    for (shift, more) in [(0, length > 0x7f), (7, length > 0x3fff), (14, false)] {
        let last = if shift == 14 { 0xff } else { 0x7f };
        bytes.push(u8::try_from(length >> shift & last).unwrap() | if more { 0x80 } else { 0 });
        if !more {
            break;
        }
    }
    bytes.extend(data);
    bytes
}

fn client(quality: Option<u8>) -> Client {
    let mut client = Client::new(ScreenOptions { quality, ..ScreenOptions::default() });
    client.receive(&handshake(40, 30));
    client
}

#[test]
fn an_image_is_decoded_no_matter_how_it_is_split() {
    let area = Area { x: 3, y: 4, width: 33, height: 17 };
    let bytes = update(&[rect(area, 33, 17)]);
    for size in [1, 2, 3, 100, bytes.len()] {
        let mut client = client(Some(5));
        let requested = (-32_i32 + 5).to_be_bytes();
        assert!(client.take_sent().windows(4).any(|bytes| bytes == requested), "the quality is requested");
        for piece in bytes.chunks(size) {
            client.receive(piece);
        }
        assert_eq!(client.session.state(), State::Open);
        let screen = client.session.framebuffer();
        for (at, pixel) in screen.pixels().iter().enumerate() {
            let (x, y) = (at % 40, at / 40);
            if (3..36).contains(&x) && (4..21).contains(&y) {
                let near = pixel.iter().zip([200, 100, 50, 255]).all(|(a, b)| a.abs_diff(b) < 4);
                assert!(near, "{x}, {y}: {pixel:?}");
            } else {
                assert_eq!(*pixel, [0, 0, 0, 255], "{x}, {y}");
            }
        }
    }
}

#[test]
fn only_a_valid_image_of_the_right_size_is_accepted_and_only_on_request() {
    let area = Area { x: 0, y: 0, width: 16, height: 8 };
    let mut garbage = header(area, TIGHT);
    garbage.extend([0x90, 5, 1, 2, 3, 4, 5]);
    for (quality, rect, problem) in [
        (None, rect(area, 16, 8), "no JPEG quality was requested"),
        (Some(5), rect(area, 8, 16), "JPEG"),
        (Some(5), rect(area, 8, 8), "does not have the size of its rectangle"),
        (Some(5), rect(area, 4_000, 4_000), "JPEG"),
        (Some(5), garbage, "the JPEG data of a rectangle is malformed"),
    ] {
        let mut client = client(quality);
        client.receive(&update(&[rect]));
        assert!(client.reason().contains(problem), "{}", client.reason());
    }
}
