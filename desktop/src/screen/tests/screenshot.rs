//! Tests screenshots.

use std::{io::Cursor, sync::Arc};

use x11rb::{
    connection::Connection,
    protocol::xproto::{ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, Rectangle},
};

use super::{create_window, server::Server};
use crate::screen::{Button, Image, ImageFormat, ScreenError, connection::Display};

struct DecodedImage {
    width: usize,
    rgb: Vec<u8>,
}

impl DecodedImage {
    fn decode(image: &Image) -> Self {
        assert_eq!(image.mime_type, "image/png");
        let mut reader = png::Decoder::new(Cursor::new(&image.bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height), (image.width, image.height));
        Self { width: info.width as usize, rgb }
    }

    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 3;
        self.rgb[start..start + 3].try_into().unwrap()
    }
}

/// Fills the screen with the color `all`, and its lower right quarter with the color `quarter`.
fn paint(server: &Server, all: u32, quarter: u32) {
    let display = Display::connect(&server.endpoint()).unwrap();
    let conn = &display.conn;
    let pen = conn.generate_id().unwrap();
    conn.create_gc(pen, display.root, &CreateGCAux::new().foreground(all)).unwrap();
    let (width, height) = display.size().unwrap();
    conn.poly_fill_rectangle(display.root, pen, &[Rectangle { x: 0, y: 0, width, height }]).unwrap();
    conn.change_gc(pen, &ChangeGCAux::new().foreground(quarter)).unwrap();
    let corner = Rectangle { x: (width / 2) as i16, y: (height / 2) as i16, width, height };
    conn.poly_fill_rectangle(display.root, pen, &[corner]).unwrap();
    display.sync().unwrap();
}

#[test]
fn colors_and_positions_are_correct() {
    let server = Server::start();
    let screen = server.screen();
    paint(&server, 0x10_80_f0, 0xff_00_01);
    let image = screen.screenshot(ImageFormat::Png, None).unwrap();
    assert_eq!((image.width, image.height), (1280, 720));
    let image = DecodedImage::decode(&image);
    assert_eq!(image.pixel(0, 0), [0x10, 0x80, 0xf0]);
    assert_eq!(image.pixel(639, 300), [0x10, 0x80, 0xf0]);
    assert_eq!(image.pixel(1279, 719), [0xff, 0x00, 0x01]);
}

#[test]
fn sixteen_bits_per_pixel_are_supported() {
    let server = Server::with_depth(16);
    let screen = server.screen();
    paint(&server, 0xffff, 0xf800);
    let image = DecodedImage::decode(&screen.screenshot(ImageFormat::Png, None).unwrap());
    assert_eq!(image.pixel(3, 3), [255, 255, 255]);
    assert_eq!(image.pixel(1000, 700), [255, 0, 0]);
}

#[test]
fn the_pointer_is_in_the_image() {
    let server = Server::start();
    let screen = server.screen();
    paint(&server, 0x40_40_40, 0x40_40_40);
    screen.click(200, 200, Button::Left, false).unwrap();
    let there = DecodedImage::decode(&screen.screenshot(ImageFormat::Png, None).unwrap());
    screen.click(900, 600, Button::Left, false).unwrap();
    let moved = DecodedImage::decode(&screen.screenshot(ImageFormat::Png, None).unwrap());
    let around = |image: &DecodedImage| {
        (190..220)
            .flat_map(|y| (190..220).map(move |x| (x, y)))
            .filter(|&(x, y)| image.pixel(x, y) != [0x40; 3])
            .count()
    };
    assert!(around(&there) > 10, "the pointer is not at its position");
    assert_eq!(around(&moved), 0);
}

#[test]
fn the_image_has_the_current_size_of_the_screen() {
    let server = Server::start();
    let screen = server.screen();
    screen.screenshot(ImageFormat::Png, None).unwrap();
    for (size, expected) in [("1920x1080", (1920, 1080)), ("800x600", (800, 600))] {
        server.run("xrandr", &["-s", size]);
        let image = screen.screenshot(ImageFormat::Png, None).unwrap();
        assert_eq!((image.width, image.height), expected);
        let (width, height) = screen.size();
        assert_eq!((u32::from(width), u32::from(height)), expected);
    }
    let refused = screen.click(1000, 10, Button::Left, false);
    assert!(matches!(refused, Err(ScreenError::BadInput { field: "x", .. })), "{refused:?}");
}

#[test]
fn scale_and_format_are_applied() {
    let server = Server::start();
    let screen = server.screen();
    paint(&server, 0xff_ff_ff, 0);
    let half = screen.screenshot(ImageFormat::Png, Some(0.5)).unwrap();
    assert_eq!((half.width, half.height), (640, 360));
    assert_eq!(DecodedImage::decode(&half).pixel(639, 359), [0, 0, 0]);
    let jpeg = screen.screenshot(ImageFormat::Jpeg, Some(1.0)).unwrap();
    assert_eq!((jpeg.mime_type, &jpeg.bytes[..2]), ("image/jpeg", &[0xff, 0xd8][..]));
    for scale in [0.0, -1.0, 1.5, f32::NAN, f32::INFINITY] {
        let refused = screen.screenshot(ImageFormat::Png, Some(scale));
        assert!(matches!(refused, Err(ScreenError::BadInput { field: "scale", .. })), "{scale}");
    }
}

#[test]
fn an_image_is_encoded_again_only_after_a_change() {
    let server = Server::start();
    let screen = server.screen();
    let take = |format, scale| screen.screenshot(format, scale).unwrap();
    let png = || take(ImageFormat::Png, None);
    paint(&server, 0x20_20_20, 0x20_20_20);
    let first = png();
    let (jpeg, half) = (take(ImageFormat::Jpeg, None), take(ImageFormat::Png, Some(0.5)));
    assert!(Arc::ptr_eq(&first, &png()));
    assert!(Arc::ptr_eq(&jpeg, &take(ImageFormat::Jpeg, None)));
    assert!(Arc::ptr_eq(&half, &take(ImageFormat::Png, Some(0.5))));

    paint(&server, 0x20_20_20, 0xff_00_00);
    let painted = png();
    assert!(!Arc::ptr_eq(&first, &painted));
    assert_eq!(DecodedImage::decode(&painted).pixel(1279, 719), [0xff, 0, 0]);
    assert!(!Arc::ptr_eq(&half, &take(ImageFormat::Png, Some(0.5))));

    screen.click(300, 300, Button::Left, false).unwrap();
    let pointed = png();
    assert!(!Arc::ptr_eq(&painted, &pointed));
    assert!(Arc::ptr_eq(&pointed, &png()));

    server.run("xrandr", &["-s", "800x600"]);
    assert_eq!(png().width, 800);
}

#[test]
fn drawing_in_a_window_is_visible_immediately() {
    let server = Server::start();
    let screen = server.screen();
    let display = Display::connect(&server.endpoint()).unwrap();
    let conn = &display.conn;
    let window = create_window(&display, 400, 400, &CreateWindowAux::new().background_pixel(0));
    let pen = conn.generate_id().unwrap();
    conn.map_window(window).unwrap();
    conn.create_gc(pen, window, &CreateGCAux::new()).unwrap();
    for shade in 1..=50 {
        conn.change_gc(pen, &ChangeGCAux::new().foreground(shade)).unwrap();
        conn.poly_fill_rectangle(window, pen, &[Rectangle { x: 9, y: 9, width: 1, height: 1 }]).unwrap();
        display.sync().unwrap();
        let image = DecodedImage::decode(&screen.screenshot(ImageFormat::Png, None).unwrap());
        assert_eq!(image.pixel(9, 9), [0, 0, u8::try_from(shade).unwrap()]);
    }
}
