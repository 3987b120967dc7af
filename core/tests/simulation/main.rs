//! A deterministic simulation. Time and network are inputs of the core, so one seed determines the whole life of a
//! channel or a call, with drops, delays, half-open connections, refusals, rotating passwords, and malformed or hostile
//! frames.
//!
//! Each schedule checks the invariants at every step. A failure prints its seed. `ORGO_SEED=n` runs only that seed;
//! `ORGO_SCHEDULES=n` sets the number of schedules.

mod audio;
mod calls;
mod environment;
mod events;
mod hostile;
mod random;
mod terminal;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use random::Random;

/// The number of schedules per model in a normal test run, and in a full run (`ORGO_FULL=1`).
const SHARE: u64 = 2_000;
const WHOLE: u64 = 250_000;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

fn explore(kind: &str, schedule: fn(&mut Random)) {
    if let Some(seed) = setting("ORGO_SEED") {
        schedule(&mut Random::new(seed));
        return;
    }
    let all = if setting("ORGO_FULL").is_some() { WHOLE } else { SHARE };
    let schedules = setting("ORGO_SCHEDULES").unwrap_or(all);
    let start = Instant::now();
    for seed in 0..schedules {
        let run = AssertUnwindSafe(|| schedule(&mut Random::new(seed)));
        assert!(
            catch_unwind(run).is_ok(),
            "{kind}: schedule {seed} fails; run it alone with ORGO_SEED={seed}"
        );
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{kind}: {schedules} schedules in {seconds:.1} s");
}

#[test]
fn terminals() {
    explore("terminal", terminal::schedule);
}

#[test]
fn audio_channels() {
    explore("audio", audio::schedule);
}

#[test]
fn events() {
    explore("events", events::schedule);
}

#[test]
fn calls() {
    explore("calls", calls::schedule);
}
