//! Runs the fuzz targets (`core/fuzz`) on stable Rust, with the inputs of the corpus and variations of them. A
//! failure names the input. A variation that fails is written to a file, which can be added to the corpus.

mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use orgo_core::rest::retry::Jitter;

/// The number of variations per input in a normal test run, and in a full run (`ORGO_FULL=1`).
const SHARE: u32 = 20;
const WHOLE: u32 = 2_000;

#[test]
fn json() {
    replay("json");
}

#[test]
fn responses() {
    replay("responses");
}

#[test]
fn parameters() {
    replay("parameters");
}

#[test]
fn terminal() {
    replay("terminal");
}

#[test]
fn audio() {
    replay("audio");
}

#[test]
fn events() {
    replay("events");
}

#[cfg(feature = "screen")]
#[test]
fn screen() {
    replay("screen");
}

#[cfg(feature = "screen")]
#[test]
fn screen_decoders() {
    replay("screen_decoders");
}

fn replay(name: &str) {
    let (_, body) = targets::ALL.iter().find(|(own, _)| *own == name).expect("a fuzz target with this name");
    let kept = kept(name);
    assert!(!kept.is_empty(), "{name} has a corpus");
    for (path, data) in &kept {
        let run = AssertUnwindSafe(|| body(data));
        assert!(catch_unwind(run).is_ok(), "{name}: {} fails", path.display());
    }
    let variations = if std::env::var_os("ORGO_FULL").is_some() { WHOLE } else { SHARE };
    let mut random = Jitter::new(1);
    for _ in 0..variations {
        for (path, data) in &kept {
            let other = &kept[below(&mut random, kept.len())].1;
            let varied = vary(data, other, &mut random);
            let run = AssertUnwindSafe(|| body(&varied));
            let shown = varied.escape_ascii();
            assert!(
                catch_unwind(run).is_ok(),
                "{name}: a variation of {} fails: b\"{shown}\"",
                path.display()
            );
        }
    }
}

/// Returns the corpus of a fuzz target, sorted by name.
fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let data = std::fs::read(&path).expect("an input can be read");
            (path, data)
        })
        .collect()
}

/// Returns a variation of the input: a few bytes are changed, added, removed or copied from another input.
fn vary(data: &[u8], other: &[u8], random: &mut Jitter) -> Vec<u8> {
    let mut varied = data.to_vec();
    for _ in 0..=random.up_to(3) {
        let at = below(random, varied.len() + 1);
        let byte = u8::try_from(random.up_to(255)).expect("a byte");
        match random.up_to(3) {
            0 => varied.insert(at, byte),
            1 if at < varied.len() => varied[at] = byte,
            2 if at < varied.len() => drop(varied.remove(at)),
            _ => {
                let from = below(random, other.len() + 1);
                let to = from + below(random, other.len() - from + 1);
                varied.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    varied
}

fn below(random: &mut Jitter, limit: usize) -> usize {
    usize::try_from(random.up_to(limit as u64 - 1)).expect("the number fits into a usize")
}
