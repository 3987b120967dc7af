//! Encodes random rectangles as a server would, and draws them into a model of the screen. The code is independent of
//! the decoders.

use flate2::{Compress, Compression, FlushCompress};

use crate::random::Random;

pub(crate) type Color = [u8; 3];

/// The model of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<Color>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Picture {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0; 3]; width * height] }
    }

    pub(crate) fn get(&self, x: usize, y: usize) -> Color {
        self.pixels[y * self.width + x]
    }

    fn set(&mut self, x: usize, y: usize, color: Color) {
        self.pixels[y * self.width + x] = color;
    }

    /// Draws the pixels of an area, in the order of its rows.
    fn draw(&mut self, area: Area, mut color: impl FnMut(usize, usize) -> Color) {
        for y in 0..area.height {
            for x in 0..area.width {
                self.set(area.x + x, area.y + y, color(x, y));
            }
        }
    }

    pub(crate) fn area(&self, random: &mut Random) -> Area {
        let (x, y) = (random.below(self.width), random.below(self.height));
        let side = |limit: usize, random: &mut Random| match random.below(8) {
            0 => limit,
            1 => 1,
            _ => 1 + random.below(limit),
        };
        Area { x, y, width: side(self.width - x, random), height: side(self.height - y, random) }
    }
}

/// The zlib streams of a server.
pub(crate) struct Encoder {
    zrle: Compress,
    tight: Vec<Compress>,
}

pub(crate) const RAW: i32 = 0;
pub(crate) const COPY_RECT: i32 = 1;
pub(crate) const HEXTILE: i32 = 5;
pub(crate) const TIGHT: i32 = 7;
pub(crate) const ZRLE: i32 = 16;

impl Encoder {
    pub(crate) fn new() -> Self {
        let stream = || Compress::new(Compression::new(6), true);
        Self { zrle: stream(), tight: (0..4).map(|_| stream()).collect() }
    }

    /// Draws something random into an area of the model. Returns the rectangle as the server sends it.
    pub(crate) fn rect(
        &mut self,
        encoding: i32,
        picture: &mut Picture,
        area: Area,
        random: &mut Random,
    ) -> Vec<u8> {
        let mut bytes = header(area, encoding);
        match encoding {
            RAW => {
                picture.draw(area, |_, _| random.color());
                for y in 0..area.height {
                    for x in 0..area.width {
                        bytes.extend(picture.get(area.x + x, area.y + y));
                        // The fourth byte has no meaning.
                        bytes.push(random.byte());
                    }
                }
            }
            COPY_RECT => {
                let from_x = random.below(picture.width - area.width + 1);
                let from_y = random.below(picture.height - area.height + 1);
                let before = picture.clone();
                picture.draw(area, |x, y| before.get(from_x + x, from_y + y));
                bytes.extend(u16::try_from(from_x).unwrap().to_be_bytes());
                bytes.extend(u16::try_from(from_y).unwrap().to_be_bytes());
            }
            HEXTILE => hextile(picture, area, random, &mut bytes),
            ZRLE => {
                let mut plain = Vec::new();
                for tile in tiles(area, 64) {
                    zrle_tile(picture, tile, random, &mut plain);
                }
                let data = compress(&mut self.zrle, &plain);
                bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
                bytes.extend(data);
            }
            TIGHT => self.tight(picture, area, random, &mut bytes),
            _ => panic!("no encoder for {encoding}"),
        }
        bytes
    }

    fn tight(&mut self, picture: &mut Picture, area: Area, random: &mut Random, bytes: &mut Vec<u8>) {
        let mut control = 0;
        if random.below(4) == 0 {
            let stream = random.below(4);
            control = 1 << stream;
            self.tight[stream] = Compress::new(Compression::new(6), true);
        }
        let stream = random.below(4);
        let basic = u8::try_from(stream << 4).unwrap() | control;
        let plain = match random.below(5) {
            0 => {
                let color = random.color();
                picture.draw(area, |_, _| color);
                bytes.push(0x80 | control);
                bytes.extend(color);
                return;
            }
            explicit @ 1..=2 => {
                picture.draw(area, |x, y| if (x ^ y) & 4 == 0 { random.color() } else { [1, 2, 3] });
                if explicit == 1 {
                    bytes.push(basic);
                } else {
                    bytes.extend([basic | 0x40, 0]);
                }
                let mut plain = Vec::new();
                each(area, |x, y| plain.extend(picture.get(x, y)));
                plain
            }
            3 => {
                // The first byte of a palette is its size less one.
                let size = match random.below(3) {
                    0 => 2,
                    1 => 3 + random.below(20),
                    _ => 2 + random.below(255),
                };
                let palette = random.palette(size);
                bytes.extend([basic | 0x40, 1, u8::try_from(size - 1).unwrap()]);
                bytes.extend(palette.iter().flatten());
                let indices: Vec<usize> = (0..area.width * area.height).map(|_| random.below(size)).collect();
                picture.draw(area, |x, y| palette[indices[y * area.width + x]]);
                let mut plain = Vec::new();
                for row in indices.chunks(area.width) {
                    if size == 2 {
                        plain.extend(row.chunks(8).map(|bits| packed(bits, 1)));
                    } else {
                        plain.extend(row.iter().map(|&index| u8::try_from(index).unwrap()));
                    }
                }
                plain
            }
            _ => {
                let step = random.below(7);
                picture.draw(area, |x, y| {
                    let smooth = |from: usize| u8::try_from((from + x * step + y * 3) % 256).unwrap();
                    if (x + y) % 11 == 0 { random.color() } else { [smooth(0), smooth(90), smooth(200)] }
                });
                bytes.extend([basic | 0x40, 2]);
                let mut plain = Vec::new();
                for y in 0..area.height {
                    for x in 0..area.width {
                        let at = |dx: usize, dy: usize, color: usize| {
                            if dx > x || dy > y {
                                0
                            } else {
                                i32::from(picture.get(area.x + x - dx, area.y + y - dy)[color])
                            }
                        };
                        for color in 0..3 {
                            let predicted = at(1, 0, color) + at(0, 1, color) - at(1, 1, color);
                            let difference = at(0, 0, color) - predicted.clamp(0, 255);
                            plain.push(u8::try_from(difference.rem_euclid(256)).unwrap());
                        }
                    }
                }
                plain
            }
        };
        if plain.len() < 12 {
            bytes.extend(plain);
            return;
        }
        let data = compress(&mut self.tight[stream], &plain);
        let mut length = data.len();
        for last in [false, false, true] {
            if last || length < 128 {
                bytes.push(u8::try_from(length).unwrap());
                break;
            }
            bytes.push(u8::try_from(length & 127 | 128).unwrap());
            length >>= 7;
        }
        bytes.extend(data);
    }
}

pub(crate) fn header(area: Area, encoding: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for side in [area.x, area.y, area.width, area.height] {
        bytes.extend(u16::try_from(side).unwrap().to_be_bytes());
    }
    bytes.extend(encoding.to_be_bytes());
    bytes
}

fn compress(stream: &mut Compress, plain: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(plain.len() + plain.len() / 2 + 64);
    let before = stream.total_in();
    stream.compress_vec(plain, &mut data, FlushCompress::Sync).unwrap();
    assert_eq!(stream.total_in() - before, plain.len() as u64, "all data was compressed");
    data
}

fn tiles(area: Area, side: usize) -> impl Iterator<Item = Area> {
    (0..area.height).step_by(side).flat_map(move |y| {
        (0..area.width).step_by(side).map(move |x| Area {
            x: area.x + x,
            y: area.y + y,
            width: side.min(area.width - x),
            height: side.min(area.height - y),
        })
    })
}

fn each(area: Area, mut visit: impl FnMut(usize, usize)) {
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            visit(x, y);
        }
    }
}

/// Packs values of some bits into a byte, the first value in the highest bits.
fn packed(values: &[usize], bits: usize) -> u8 {
    let mut byte = 0;
    for (at, value) in values.iter().enumerate() {
        byte |= value << (8 - bits * (at + 1));
    }
    u8::try_from(byte).unwrap()
}

fn hextile(picture: &mut Picture, area: Area, random: &mut Random, bytes: &mut Vec<u8>) {
    let (mut background, mut foreground) = (None, None);
    for tile in tiles(area, 16) {
        if random.below(4) == 0 {
            bytes.push(1);
            picture.draw(tile, |_, _| random.color());
            each(tile, |x, y| {
                bytes.extend(picture.get(x, y));
                bytes.push(0);
            });
            // The colors of a tile after a raw tile are not defined.
            (background, foreground) = (None, None);
            continue;
        }
        let mut kind = 0;
        let mut colors = Vec::new();
        let back = background.filter(|_| random.below(2) == 0).unwrap_or_else(|| {
            let color = random.color();
            kind |= 2;
            colors.extend(color);
            colors.push(9);
            color
        });
        background = Some(back);
        picture.draw(tile, |_, _| back);
        let count = random.below(6);
        let colored = random.below(2) == 0;
        let mut fore = [0; 3];
        if count > 0 {
            kind |= 8;
            if colored {
                kind |= 16;
                foreground = None;
            } else {
                fore = foreground.filter(|_| random.below(2) == 0).unwrap_or_else(|| {
                    let color = random.color();
                    kind |= 4;
                    colors.extend(color);
                    colors.push(9);
                    color
                });
                foreground = Some(fore);
            }
        }
        bytes.push(kind);
        bytes.extend(colors);
        if count > 0 {
            bytes.push(u8::try_from(count).unwrap());
        }
        for _ in 0..count {
            let (x, y) = (random.below(tile.width), random.below(tile.height));
            let (width, height) = (1 + random.below(tile.width - x), 1 + random.below(tile.height - y));
            let color = if colored { random.color() } else { fore };
            if colored {
                bytes.extend(color);
                bytes.push(9);
            }
            bytes.push(u8::try_from(x << 4 | y).unwrap());
            bytes.push(u8::try_from((width - 1) << 4 | (height - 1)).unwrap());
            picture.draw(Area { x: tile.x + x, y: tile.y + y, width, height }, |_, _| color);
        }
    }
}

fn zrle_tile(picture: &mut Picture, tile: Area, random: &mut Random, plain: &mut Vec<u8>) {
    match random.below(5) {
        0 => {
            plain.push(0);
            picture.draw(tile, |_, _| random.color());
            each(tile, |x, y| plain.extend(picture.get(x, y)));
        }
        1 => {
            let color = random.color();
            plain.push(1);
            plain.extend(color);
            picture.draw(tile, |_, _| color);
        }
        2 => {
            let size = 2 + random.below(15);
            let palette = random.palette(size);
            plain.push(u8::try_from(size).unwrap());
            plain.extend(palette.iter().flatten());
            let bits = if size > 4 { 4 } else { size.div_ceil(2) };
            for y in 0..tile.height {
                let row: Vec<usize> = (0..tile.width).map(|_| random.below(size)).collect();
                for (x, &index) in row.iter().enumerate() {
                    picture.set(tile.x + x, tile.y + y, palette[index]);
                }
                plain.extend(row.chunks(8 / bits).map(|values| packed(values, bits)));
            }
        }
        kind => {
            let palette = (kind == 4).then(|| {
                let size = match random.below(3) {
                    0 => 127,
                    _ => 2 + random.below(126),
                };
                let palette = random.palette(size);
                plain.push(u8::try_from(128 + size).unwrap());
                plain.extend(palette.iter().flatten());
                palette
            });
            if palette.is_none() {
                plain.push(128);
            }
            let mut left = tile.width * tile.height;
            let mut at = 0;
            while left > 0 {
                let run = match random.below(5) {
                    0 => left,
                    1 => (1 + random.below(600)).min(left),
                    // A length at the limit of one byte.
                    2 => (255 + random.below(3)).min(left),
                    _ => 1,
                };
                let color = match &palette {
                    Some(palette) => {
                        let index = random.below(palette.len());
                        // A single pixel may also be a run of one.
                        let long = run > 1 || random.below(4) == 0;
                        plain.push(u8::try_from(index).unwrap() | if long { 128 } else { 0 });
                        if long {
                            run_length(run, plain);
                        }
                        palette[index]
                    }
                    None => {
                        let color = random.color();
                        plain.extend(color);
                        run_length(run, plain);
                        color
                    }
                };
                for _ in 0..run {
                    picture.set(tile.x + at % tile.width, tile.y + at / tile.width, color);
                    at += 1;
                }
                left -= run;
            }
        }
    }
}

fn run_length(run: usize, plain: &mut Vec<u8>) {
    let mut rest = run - 1;
    while rest >= 255 {
        plain.push(255);
        rest -= 255;
    }
    plain.push(u8::try_from(rest).unwrap());
}
