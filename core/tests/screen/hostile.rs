//! A server that violates the protocol ends the channel, with a reason and within bounded memory.

use orgo_core::channel::{CloseReason, State};

use crate::client::{Client, handshake, init, update};
use crate::encode::{Area, HEXTILE, RAW, TIGHT, ZRLE, header};

const ALL: Area = Area { x: 0, y: 0, width: 20, height: 10 };

/// Returns why a channel with a screen of 20 × 10 pixels ends after these bytes.
fn end(bytes: &[u8]) -> String {
    let mut client = Client::connected(20, 10);
    client.receive(bytes);
    let State::Closed(cause) = client.session.state() else { panic!("the channel is open: {bytes:?}") };
    assert_eq!(cause.reason, CloseReason::Protocol);
    assert_eq!(client.closes, 1);
    client.reason()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut compressor = flate2::Compress::new(flate2::Compression::best(), true);
    let mut data = Vec::with_capacity(plain.len() + 1024);
    compressor.compress_vec(plain, &mut data, flate2::FlushCompress::Sync).unwrap();
    data
}

fn zrle(area: Area, plain: &[u8]) -> Vec<u8> {
    let data = zlib(plain);
    let length = u32::try_from(data.len()).unwrap();
    update(&[[header(area, ZRLE), length.to_be_bytes().to_vec(), data].concat()])
}

#[test]
fn rectangles_must_be_inside_the_screen() {
    for encoding in [RAW, 1, HEXTILE, TIGHT, ZRLE] {
        for (x, y, width, height) in
            [(1, 0, 20, 10), (0, 1, 20, 10), (0, 0, 21, 1), (0, 0, 1, 11), (65_535, 0, 1, 1)]
        {
            let reason = end(&update(&[header(Area { x, y, width, height }, encoding)]));
            assert!(reason.contains("a rectangle is outside the screen"), "{reason}");
        }
    }
    let copy = [header(Area { width: 5, ..ALL }, 1), vec![0, 16, 0, 0]].concat();
    assert!(end(&update(&[copy])).contains("copied from outside the screen"));
}

#[test]
fn malformed_rectangles_are_refused() {
    let rect = |encoding, data: &[u8]| end(&update(&[[header(ALL, encoding), data.to_vec()].concat()]));
    let cases = [
        (rect(HEXTILE, &[2 | 8, 1, 2, 3, 0, 1, 0xf0, 0x10]), "outside its tile"),
        (rect(TIGHT, &[0x90, 1]), "no JPEG quality was requested"),
        (rect(TIGHT, &[0xa0]), "an unknown kind"),
        (rect(TIGHT, &[0x40, 3]), "an unknown filter"),
        (rect(TIGHT, &[0x00, 0xff, 0xff, 0xff]), "too long"),
        (rect(TIGHT, &[&[0x00, 20][..], &[0xff; 20]].concat()), "malformed"),
        (rect(ZRLE, &[0xff; 4]), "too long"),
        (rect(-999, &[]), "an encoding that was not requested"),
        (end(&[99]), "a message of an unknown type"),
        (end(&[3, 0, 0, 0, 0x7f, 0, 0, 0]), "clipboard is too long"),
        (end(&[3, 0, 0, 0, 0x80, 0, 0, 0]), "clipboard is too long"),
        (end(&[3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0]), "clipboard ends early"),
        (end(&[248, 0, 0, 0, 0, 0, 0, 0, 65]), "more than 64 bytes"),
        (end(&update(&[header(Area { width: 1025, height: 1025, ..ALL }, -239)])), "a cursor is too large"),
        (end(&update(&[header(Area { width: 65_535, height: 65_535, ..ALL }, -223)])), "33,554,432 pixels"),
        (end(&zrle(ALL, &[1, 2, 3, 4, 5])), "longer than its tiles"),
        (end(&zrle(ALL, &[1, 2])), "ends early"),
        (end(&zrle(ALL, &[17])), "an unknown kind"),
        (end(&zrle(ALL, &[129])), "an unknown kind"),
        (end(&zrle(ALL, &[&[3, 1, 1, 1, 2, 2, 2, 3, 3, 3][..], &[0xff; 50]].concat())), "not in its palette"),
        (end(&zrle(ALL, &[130, 1, 1, 1, 2, 2, 2, 2])), "not in its palette"),
        (end(&zrle(ALL, &[128, 1, 1, 1, 200])), "longer than the tile"),
        (end(&zrle(ALL, &[&[128, 1, 1, 1][..], &[255; 100], &[0]].concat())), "longer than the tile"),
        // A bomb: a few bytes that become a megabyte.
        (end(&zrle(ALL, &vec![0; 1 << 20])), "longer than its rectangle"),
    ];
    for (reason, expected) in cases {
        assert!(reason.contains(expected), "{reason}, but expected: {expected}");
    }
}

#[test]
fn a_palette_of_tight_has_no_other_colors() {
    let palette = [0x40, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    let data = zlib(&[3; 200]);
    let rect = [header(ALL, TIGHT), palette.to_vec(), vec![u8::try_from(data.len()).unwrap()], data].concat();
    assert!(end(&update(&[rect])).contains("not in its palette"));
}

#[test]
fn a_message_draws_a_limited_number_of_pixels() {
    let copy = [header(ALL, 1), vec![0; 4]].concat();
    let updates = update(&vec![copy; 1_000]);
    assert!(end(&updates).contains("draws too many pixels"));
}

#[test]
fn a_message_changes_the_size_a_limited_number_of_times() {
    let size = |side| header(Area { x: 0, y: 0, width: side, height: side }, -223);
    let changes: Vec<_> = (0..1_000).map(|at| size(300 + at % 2)).collect();
    assert!(end(&update(&changes)).contains("draws too many pixels"));
    // A small screen after a large one has the limit of the large one.
    let mut client = Client::connected(500, 500);
    client.receive(&update(&[
        [header(Area { x: 0, y: 0, width: 500, height: 500 }, TIGHT), vec![0x80, 1, 2, 3]].concat(),
        size(1),
    ]));
    let pixel = [header(Area { x: 0, y: 0, width: 1, height: 1 }, TIGHT), vec![0x80, 1, 2, 3]].concat();
    client.receive(&update(&[size(500), size(1), pixel]));
    assert_eq!(client.session.framebuffer().pixels(), [[1, 2, 3, 255]]);
}

#[test]
fn the_screen_has_a_largest_size() {
    let mut client = Client::new(Default::default());
    client.receive(&handshake(65_535, 65_535));
    assert!(client.reason().contains("33,554,432 pixels"));
}

#[test]
fn texts_of_the_handshake_have_a_largest_size() {
    let mut client = Client::new(Default::default());
    let mut bytes = handshake(10, 10);
    let at = bytes.len() - 8;
    bytes[at..at + 4].copy_from_slice(&[0xff; 4]);
    client.receive(&bytes);
    assert!(client.reason().contains("too long"));
}

#[test]
fn another_protocol_is_refused() {
    let mut client = Client::new(Default::default());
    client.receive(b"SSH-2.0-OpenSSH_9.2\r\n");
    assert!(client.reason().contains("does not speak RFB"));
    let mut client = Client::new(Default::default());
    client.receive(b"RFB 003.008\n\x01\x13");
    assert!(client.reason().contains("neither the security type None nor VNC"));
}

#[test]
fn a_flood_of_fences_does_not_fill_the_memory() {
    let mut client = Client::connected(20, 10);
    client.take_sent();
    let fence = [&[248, 0, 0, 0, 0x80, 0, 0, 1, 64][..], &[7; 64]].concat();
    client.receive(&fence.repeat(10_000));
    // The responses, up to the bound.
    assert!(client.take_sent().len() < (64 << 10) + 200);
    client.receive(&fence);
    assert!(!client.take_sent().is_empty(), "later fences are answered");
}

#[test]
fn an_empty_screen_is_harmless() {
    let mut client = Client::new(Default::default());
    let mut bytes = b"RFB 003.003\n\x00\x00\x00\x01".to_vec();
    bytes.extend(init(0, 0));
    bytes.extend(update(&[]));
    client.receive(&bytes);
    assert_eq!(client.session.state(), State::Open);
    let nothing = Area { x: 0, y: 0, width: 0, height: 0 };
    for encoding in [RAW, HEXTILE] {
        client.receive(&update(&[header(nothing, encoding)]));
    }
    client.receive(&update(&[[header(nothing, ZRLE), vec![0; 4]].concat()]));
    assert_eq!(client.session.state(), State::Open);
}
