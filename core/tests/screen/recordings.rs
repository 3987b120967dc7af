//! Plays recordings of a real X server. `tests/bindings/screens.test.mjs` plays the same recordings through the bindings.

use std::path::Path;

use orgo_core::channel::screen::{Framebuffer, ScreenOptions};
use serde_json::Value;

use crate::client::Client;
use crate::random::Random;

/// Returns the FNV-1a hash of all pixels.
fn hash(screen: &Framebuffer) -> u32 {
    let fold = |hash: u32, &byte: &u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    screen.pixels().as_flattened().iter().fold(0x811c_9dc5, fold)
}

#[test]
fn recordings_of_an_x_server_show_its_screen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/screens");
    let list = std::fs::read(folder.join("recordings.json")).unwrap();
    let list: Vec<Value> = serde_json::from_slice(&list).unwrap();
    assert_eq!(list.len(), 5);
    let mut random = Random::new(5);
    for recording in list {
        let name = recording["name"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(recording["file"].as_str().unwrap())).unwrap();
        let mut client = Client::new(ScreenOptions::default());
        let mut start = 0;
        for check in recording["checks"].as_array().unwrap() {
            let number = |field: &str| usize::try_from(check[field].as_u64().unwrap()).unwrap();
            // The messages of a socket can end anywhere.
            while start < number("bytes") {
                let end = number("bytes").min(start + 1 + random.below(5_000));
                client.receive(&bytes[start..end]);
                start = end;
            }
            let screen = client.session.framebuffer();
            let size = (usize::from(screen.width()), usize::from(screen.height()));
            assert_eq!(size, (number("width"), number("height")), "{name}, byte {start}");
            assert_eq!(u64::from(hash(screen)), check["hash"].as_u64().unwrap(), "{name}, byte {start}");
        }
        assert_eq!(start, bytes.len(), "{name} is checked to its end");
    }
}
