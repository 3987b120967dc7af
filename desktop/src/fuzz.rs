//! The fuzz targets of the server. `desktop/fuzz` runs them with libFuzzer, and the test below runs them with the
//! stored corpus.

use std::sync::Once;

use crate::{agent, events, http, screen, socket};

/// A fuzz target: a function that takes any input, and panics if an invariant does not hold.
pub type Target = fn(&[u8]);

/// All fuzz targets, each with its name, which is also the name of the fuzzer and of its corpus folder.
pub const ALL: [(&str, Target); 7] = [
    ("connection", http::fuzz::connection),
    ("body", http::fuzz::body),
    ("message", socket::fuzz::message),
    ("output", socket::fuzz::output),
    ("display", screen::fuzz::display),
    ("agent", agent::fuzz::agent),
    ("audio_server", audio_server),
];

/// Runs the fuzz target with this name.
///
/// # Panics
///
/// Panics if there is no such target, or if an invariant does not hold.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = ALL.iter().find(|(own, _)| *own == name).expect("the name of a fuzz target");
    target(data);
}

/// Runs a target on the output of the audio server's client programs. The first byte selects the program.
fn audio_server(data: &[u8]) {
    match data.split_first() {
        Some((program, data)) if program & 1 == 0 => events::fuzz::notices(data),
        Some((_, data)) => socket::fuzz::samples(data),
        None => {}
    }
}

/// Ignores SIGPIPE, like the Rust runtime. A fuzzer starts with libFuzzer's `main`, which does not ignore it.
pub(crate) fn ignore_broken_pipes() {
    static ONCE: Once = Once::new();
    // SAFETY: no signal handler is installed, and `Once` prevents concurrent calls.
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
    fn every_target_passes_on_its_corpus() {
        for (name, target) in ALL {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            let files = fs::read_dir(&folder).expect("every fuzz target has a corpus");
            for file in files {
                let path = file.expect("the folder can be read").path();
                // The test harness shows this output if the test fails.
                println!("{}", path.display());
                target(&fs::read(&path).expect("the input can be read"));
            }
        }
    }
}
