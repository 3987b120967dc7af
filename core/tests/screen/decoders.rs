//! Every decoder shows exactly what the server encoded, however the stream is split.

use orgo_core::channel::screen::{Rect, ScreenItem};

use crate::client::{Client, handshake, update};
use crate::encode::{Area, COPY_RECT, Encoder, HEXTILE, Picture, RAW, TIGHT, ZRLE, header};
use crate::random::Random;

const ENCODINGS: [i32; 5] = [RAW, COPY_RECT, HEXTILE, ZRLE, TIGHT];

/// Draws random updates into a model. Returns them as a server sends them.
fn updates(seed: u64, picture: &mut Picture, encodings: &[i32], count: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let mut encoder = Encoder::new();
    (0..count)
        .map(|_| {
            let rects: Vec<Vec<u8>> = (0..1 + random.below(4))
                .map(|_| {
                    let area = picture.area(&mut random);
                    let encoding = encodings[random.below(encodings.len())];
                    encoder.rect(encoding, picture, area, &mut random)
                })
                .collect();
            update(&rects)
        })
        .collect()
}

#[test]
fn every_encoding_shows_what_the_server_drew() {
    for encoding in ENCODINGS {
        for (seed, &(width, height)) in
            [(1, 1), (7, 5), (16, 16), (17, 33), (64, 64), (65, 129), (200, 150)].iter().enumerate()
        {
            for round in 0..8 {
                let mut picture = Picture::new(width, height);
                let mut client = Client::connected(width, height);
                let seed = seed as u64 * 100 + round;
                // A copy shows something only after other rectangles.
                let encodings = [encoding, if encoding == COPY_RECT { RAW } else { encoding }];
                let opened = client.session.counters().received;
                for (at, bytes) in updates(seed, &mut picture, &encodings, 12).iter().enumerate() {
                    client.receive(bytes);
                    assert_eq!(client.session.counters().received, opened + at as u64 + 1);
                }
                client.assert_shows(&picture, &format!("encoding {encoding}, seed {seed}"));
            }
        }
    }
}

#[test]
fn a_split_anywhere_does_not_change_the_screen() {
    let mut picture = Picture::new(37, 21);
    let stream: Vec<u8> = [handshake(37, 21), updates(3, &mut picture, &ENCODINGS, 10).concat()].concat();
    let run = |pieces: &[&[u8]]| {
        let mut client = Client::new(Default::default());
        for piece in pieces {
            client.receive(piece);
        }
        client
    };
    let whole = run(&[&stream]);
    whole.assert_shows(&picture, "in one message");
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        let client = run(&[first, second]);
        assert_eq!(client.session.framebuffer(), whole.session.framebuffer(), "split at {at}");
        assert_eq!(client.session.counters().received, 10);
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    run(&bytes).assert_shows(&picture, "byte by byte");
}

#[test]
fn long_streams_in_random_pieces_show_the_same_screen() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut picture = Picture::new(150, 130);
        let stream = updates(seed, &mut picture, &ENCODINGS, 40).concat();
        let mut client = Client::connected(150, 130);
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + random.below(3_000)).min(rest.len()));
            client.receive(piece);
            rest = after;
        }
        client.assert_shows(&picture, &format!("seed {seed}"));
    }
}

#[test]
fn damage_covers_the_changed_pixels() {
    for seed in 0..30 {
        let mut picture = Picture::new(90, 70);
        let mut client = Client::connected(90, 70);
        for bytes in updates(seed, &mut picture, &ENCODINGS, 20) {
            let before = client.session.framebuffer().clone();
            client.receive(&bytes);
            let damage = client.damage();
            assert!(!damage.is_empty() && damage.len() <= 64);
            let inside = |x: u16, y: u16| {
                damage.iter().any(|rect| {
                    (rect.x..rect.x + rect.width).contains(&x) && (rect.y..rect.y + rect.height).contains(&y)
                })
            };
            let after = client.session.framebuffer();
            for (at, (before, after)) in before.pixels().iter().zip(after.pixels()).enumerate() {
                let (x, y) = (u16::try_from(at % 90).unwrap(), u16::try_from(at / 90).unwrap());
                assert!(before == after || inside(x, y), "{x}, {y} has changed, seed {seed}");
            }
        }
    }
}

#[test]
fn an_update_can_end_with_its_last_rectangle() {
    let mut picture = Picture::new(20, 20);
    let mut random = Random::new(5);
    let area = Area { x: 3, y: 4, width: 5, height: 6 };
    let rect = Encoder::new().rect(RAW, &mut picture, area, &mut random);
    let mut client = Client::connected(20, 20);
    let last = header(Area { x: 0, y: 0, width: 0, height: 0 }, -224);
    client.receive(&[&[0, 0, 255, 255][..], &rect, &last].concat());
    client.assert_shows(&picture, "after the last rectangle");
    client.receive(&[2]);
    assert!(client.items.contains(&ScreenItem::Bell), "the next message is understood");
}

#[test]
fn the_screen_changes_its_size_within_an_update() {
    for extended in [false, true] {
        let mut client = Client::connected(30, 20);
        let mut random = Random::new(9);
        let mut small = Picture::new(30, 20);
        let all = Area { x: 0, y: 0, width: 30, height: 20 };
        client.receive(&update(&[Encoder::new().rect(RAW, &mut small, all, &mut random)]));
        client.take_sent();
        client.items.clear();
        let size = Area { x: 0, y: 0, width: 45, height: 10 };
        let change = if extended {
            let monitor = [[0, 0, 0, 7], [0, 0, 0, 0], [0, 45, 0, 10], [0, 0, 0, 0]].concat();
            [header(size, -308), vec![1, 0, 0, 0], monitor].concat()
        } else {
            header(size, -223)
        };
        client.receive(&update(&[change]));
        assert!(client.items.contains(&ScreenItem::Resized { width: 45, height: 10 }));
        // The content that fits remains until the new content arrives.
        let screen = client.session.framebuffer();
        for y in 0..10 {
            for x in 0..45 {
                let [red, green, blue] = if x < 30 { small.get(x, y) } else { [0; 3] };
                assert_eq!(screen.pixels()[y * 45 + x], [red, green, blue, 255]);
            }
        }
        assert!(!client.session.is_complete());
        let sent = client.take_sent();
        assert_eq!(sent, [3, 0, 0, 0, 0, 0, 0, 45, 0, 10], "the whole screen is requested");
        assert_eq!(client.damage(), [Rect { x: 0, y: 0, width: 45, height: 10 }]);
    }
}

#[test]
fn a_cursor_has_the_transparency_of_its_mask() {
    let mut client = Client::connected(20, 20);
    let pixels: Vec<u8> = (0..9 * 2).flat_map(|at| [at, 100 + at, 200, 0]).collect();
    let mask = [0b1000_0000, 0b1000_0000, 0, 0];
    let rect = [header(Area { x: 2, y: 1, width: 9, height: 2 }, -239), pixels, mask.to_vec()].concat();
    client.receive(&update(&[rect]));
    let cursor = client.session.cursor().unwrap();
    assert_eq!((cursor.x, cursor.y, cursor.width, cursor.height), (2, 1, 9, 2));
    let visible: Vec<usize> = (0..18).filter(|at| cursor.pixels[at * 4 + 3] == 255).collect();
    assert_eq!(visible, [0, 8]);
    assert_eq!(cursor.pixels[8 * 4..9 * 4], [8, 108, 200, 255]);
}

#[test]
fn the_smallest_and_the_largest_palettes_are_decoded() {
    for size in [2_u8, 3, 4, 5, 15, 16, 17, 126, 127] {
        let colors: Vec<u8> = (0..size).flat_map(|at| [at, 255 - at, 7]).collect();
        // Every index once, as runs of one pixel.
        let plain = if size <= 16 {
            let bits = if size > 4 { 4 } else { usize::from(size).div_ceil(2) };
            let per_byte = 8 / bits;
            let mut bytes = vec![0_u8; usize::from(size).div_ceil(per_byte)];
            for at in 0..size {
                let at = usize::from(at);
                bytes[at / per_byte] |= u8::try_from(at << (8 - bits * (at % per_byte + 1))).unwrap();
            }
            [vec![size], colors, bytes].concat()
        } else {
            // The width of a tile is 64.
            [vec![128 + size], colors, (0..64).map(|at| at.min(size - 1)).collect()].concat()
        };
        let width = if size <= 16 { size.into() } else { 64 };
        let mut compressor = flate2::Compress::new(flate2::Compression::best(), true);
        let mut data = Vec::with_capacity(4096);
        compressor.compress_vec(&plain, &mut data, flate2::FlushCompress::Sync).unwrap();
        let mut rect = header(Area { x: 0, y: 0, width, height: 1 }, ZRLE);
        rect.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        rect.extend(data);
        let mut client = Client::connected(width, 1);
        client.receive(&update(&[rect]));
        for (at, pixel) in client.session.framebuffer().pixels().iter().enumerate() {
            let at = u8::try_from(at).unwrap().min(size - 1);
            assert_eq!(*pixel, [at, 255 - at, 7, 255], "{size} colors");
        }
    }
}
