//! What the fuzzers (`desktop/fuzz`) do with bytes. The test here holds the inputs that they kept to the same.

use std::sync::Once;

use crate::{agent, events, http, screen, socket};

/// What a fuzzer does with bytes. It panics if something does not hold that must.
pub type Body = fn(&[u8]);

/// Every body by the name of its fuzzer and of the folder of its kept inputs.
pub const ALL: [(&str, Body); 7] = [
    ("connection", http::fuzz::connection),
    ("body", http::fuzz::body),
    ("message", socket::fuzz::message),
    ("output", socket::fuzz::output),
    ("display", screen::fuzz::display),
    ("agent", agent::fuzz::agent),
    ("audio_server", audio_server),
];

/// Runs the body of that name.
///
/// # Panics
/// If there is none, or if something does not hold that must.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = ALL.iter().find(|(own, _)| *own == name).expect("the name of a body");
    body(data);
}

/// What the audio server sends: the first byte says by which of its programs.
fn audio_server(data: &[u8]) {
    match data.split_first() {
        Some((program, data)) if program & 1 == 0 => events::fuzz::notices(data),
        Some((_, data)) => socket::fuzz::samples(data),
        None => {}
    }
}

/// As every Rust program does at its start, except those whose `main` is a fuzzer's.
pub(crate) fn ignore_broken_pipes() {
    static ONCE: Once = Once::new();
    // SAFETY: no handler is installed, and `Once` keeps other threads of this function out.
    ONCE.call_once(|| unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    });
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::ALL;

    #[test]
    fn what_was_kept_still_holds() {
        for (name, body) in ALL {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            let files = fs::read_dir(&folder).expect("every fuzzer has kept inputs");
            for file in files {
                let path = file.expect("the folder can be read").path();
                // Shown where the test fails.
                println!("{}", path.display());
                body(&fs::read(&path).expect("a kept input can be read"));
            }
        }
    }
}
