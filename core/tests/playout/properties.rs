//! Tests properties that hold for any order of calls: the counters are exact, and the buffer is limited.

use orgo_core::audio::playout::{Depth, Playout};

use crate::network::check;
use crate::random::Random;

#[test]
fn the_counters_and_the_limit_hold_for_every_schedule() {
    let schedules = if std::env::var_os("ORGO_FULL").is_some() { 20_000 } else { 500 };
    for seed in 0..schedules {
        schedule(&mut Random::new(seed));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "small numbers")]
fn schedule(random: &mut Random) {
    let rates = [8_000, 24_000, 44_100, 48_000, 192_000];
    let (input_rate, output_rate) = (random.pick(&rates) as u32, random.pick(&rates) as u32);
    let channels = random.between(1, 3) as u16;
    let [first, least] = [(); 2].map(|()| random.pick(&[0, 1, 20, 60, 250, 1_000]) as f64);
    let mut playout = Playout::new(input_rate, channels, output_rate, Depth { initial: first, min: least });
    let (mut pushed, mut asked) = (0, 0);
    let mut last = [0.0_f32; 2];
    // The change of the gain per frame during a fade.
    let fade = 1.0 / (0.005 * output_rate as f32);
    let mut stopping = false;
    for _ in 0..random.between(1, 200) {
        match random.below(20) {
            0..=9 => {
                let most =
                    random.pick(&[10, 1_000, 1_000, u64::from(input_rate) / 2, u64::from(input_rate) * 3]);
                let samples =
                    random.below(most + 1) * u64::from(channels) + random.below(u64::from(channels));
                // In a constant signal, every step is visible.
                playout.push(&vec![0.5; samples as usize]);
                pushed += samples / u64::from(channels);
            }
            18 => playout.splice(),
            19 if random.once_in(20) => {
                playout.stop();
                stopping = true;
            }
            _ => {
                let frames = random.pick(&[1, 128, 128, 128, 999]) as usize;
                let mut block = vec![f32::NAN; 2 * frames];
                playout.pull(&mut block, 2);
                asked += frames as u64;
                for (channel, stretch) in block.chunks_exact(frames).enumerate() {
                    for sample in stretch {
                        // Declicking during a fade adds at most half of the step.
                        assert!((-0.26..=0.76).contains(sample), "{sample}");
                        let step = (sample - last[channel]).abs();
                        assert!(step < 3.0 * fade, "a step of {step}");
                        last[channel] = *sample;
                    }
                }
            }
        }
        let stats = playout.stats();
        check(&stats, &playout);
        assert_eq!(stats.received, pushed, "all pushed frames are counted as received");
        let most_played = (asked as f64 * f64::from(input_rate) / f64::from(output_rate) * 1.006) as u64 + 1;
        assert!(stats.played <= most_played, "{} frames played, {asked} frames requested", stats.played);
        assert!(!stopping || !stats.playing || stats.received >= stats.played);
    }
}
