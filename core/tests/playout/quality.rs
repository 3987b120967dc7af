//! Tests the audio quality of the playout.

use std::f64::consts::TAU;

use orgo_core::audio::playout::{Depth, Playout};

use crate::network::{Line, Signal, largest_step};

/// The number of periods of the tone per measurement. Over a longer time, an inaudible change of the rate would count
/// as noise.
const PERIODS: f64 = 100.0;

/// Returns the signal-to-noise ratio in dB: fits a tone of an unknown frequency near `near`, and compares the tone to
/// the residual.
fn signal_to_noise(samples: &[f32], near: f64) -> f64 {
    let noise = |frequency: f64| -> (f64, f64) {
        let (mut ss, mut cc, mut sc, mut ys, mut yc, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (at, sample) in samples.iter().enumerate() {
            let (sin, cos) = (TAU * frequency * at as f64).sin_cos();
            let y = f64::from(*sample);
            (ss, cc, sc) = (ss + sin * sin, cc + cos * cos, sc + sin * cos);
            (ys, yc, yy) = (ys + y * sin, yc + y * cos, yy + y * y);
        }
        let determinant = ss * cc - sc * sc;
        let (a, b) = ((ys * cc - yc * sc) / determinant, (yc * ss - ys * sc) / determinant);
        let signal = a * ys + b * yc;
        (yy - signal, signal)
    };
    // The residual has one minimum near the true frequency, which a golden-section search finds.
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (near * 0.9945, near * 1.0055);
    // Half of a bin on each side, where the residual is unimodal.
    let bin = 0.5 / samples.len() as f64;
    let mut best = (low, f64::INFINITY);
    let mut probe = low;
    while probe <= high {
        let (left, _) = noise(probe);
        if left < best.1 {
            best = (probe, left);
        }
        probe += bin / 4.0;
    }
    (low, high) = (best.0 - bin / 2.0, best.0 + bin / 2.0);
    for _ in 0..60 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if noise(a).0 < noise(b).0 {
            high = b;
        } else {
            low = a;
        }
    }
    let (noise, signal) = noise(f64::midpoint(low, high));
    10.0 * (signal / noise).log10()
}

const TONES: [(Signal, f64); 3] = [
    (|_, time| 0.5 * (TAU * 440.0 * time).sin(), 440.0),
    (|_, time| 0.5 * (TAU * 1000.0 * time).sin(), 1000.0),
    (|_, time| 0.5 * (TAU * 6000.0 * time).sin(), 6000.0),
];

#[test]
fn the_signal_to_noise_ratio_is_at_least_60_db_during_drift_correction() {
    for (signal, frequency) in TONES {
        for (input_rate, output_rate) in
            [(24_000, 24_000), (24_000, 44_100), (24_000, 48_000), (48_000, 44_100)]
        {
            for ppm in [-200.0, 0.0, 200.0] {
                let heard = Line { input_rate, output_rate, ppm, signal, ..Line::default() }.live(16.0, 1);
                // Measures while the controller still learns the clock skew, and later.
                for second in [1, 5, 15] {
                    let from = second * output_rate as usize;
                    let length = (PERIODS * f64::from(output_rate) / frequency) as usize;
                    let piece = &heard.output[0][from..from + length];
                    let ratio = signal_to_noise(piece, frequency / f64::from(output_rate));
                    println!(
                        "{frequency} Hz, {input_rate} to {output_rate}, {ppm} ppm, second {second}: {ratio:.1} dB"
                    );
                    assert!(
                        ratio > 60.0,
                        "{ratio:.1} dB: {frequency} Hz, {input_rate} to {output_rate}, {ppm} ppm"
                    );
                }
            }
        }
    }
}

#[test]
fn stop_fades_out() {
    let mut playout = Playout::new(24_000, 1, 24_000, Depth::default());
    (0..12).for_each(|_| playout.push(&[0.5; 480]));
    let mut heard = Vec::new();
    let mut block = [0.0; 128];
    for _ in 0..8 {
        playout.pull(&mut block, 1);
        heard.extend_from_slice(&block);
    }
    assert!((heard.last().unwrap() - 0.5).abs() < 1e-4);
    playout.stop();
    assert!(!playout.stopped());
    for _ in 0..2 {
        playout.pull(&mut block, 1);
        heard.extend_from_slice(&block);
    }
    assert!(playout.stopped());
    assert!(heard.last().unwrap().abs() < 1e-6);
    let step = largest_step(&heard);
    assert!(step < 0.5 / 100.0, "a step of {step}");
}

#[test]
fn interrupted_audio_is_played_completely_and_fades_out() {
    for (input_rate, output_rate) in [(24_000, 24_000), (24_000, 44_100), (48_000, 24_000)] {
        // Tests the end without a discontinuity, and with one at several distances before the end.
        for joint in [None, Some(10), Some(40), Some(200)] {
            let packet = input_rate as usize / 50;
            let tone = |at: usize| 0.5 * (TAU * 440.0 * at as f64 / f64::from(input_rate)).sin() as f32;
            let pushed: Vec<f32> = (0..4 * packet).map(tone).collect();
            let mut playout = Playout::new(input_rate, 1, output_rate, Depth::default());
            let (before, after) = pushed.split_at(pushed.len() - joint.unwrap_or(0));
            before.chunks(packet).for_each(|packet| playout.push(packet));
            if joint.is_some() {
                playout.splice();
                // The inverted wave, which makes the largest possible step.
                playout.push(&after.iter().map(|sample| -sample).collect::<Vec<_>>());
            }
            let mut heard = Vec::new();
            let mut block = [0.0; 32];
            while heard.len() < output_rate as usize / 5 {
                playout.pull(&mut block, 1);
                heard.extend_from_slice(&block);
            }
            let stats = playout.stats();
            // The remaining frames are the lookahead of the filter.
            assert!(stats.buffered <= 16, "{} frames were not played, {joint:?}", stats.buffered);
            assert_eq!((stats.underruns, stats.played + stats.buffered + stats.dropped), (1, stats.received));
            assert!(heard.iter().rev().take(32).all(|sample| *sample == 0.0), "the output has faded out");
            let step = largest_step(&heard);
            let own = (TAU * 440.0 / f64::from(output_rate) * 0.5) as f32;
            let fade = (1.0 / (0.005 * f64::from(output_rate))) as f32;
            assert!(step <= own + 1.5 * fade, "a step of {step}, the tone alone has {own}, {joint:?}");
        }
    }
}

#[test]
fn audio_that_arrives_during_a_fade_continues_without_a_step() {
    let tone = |at: usize| 0.5 * (TAU * 440.0 * at as f64 / 24_000.0).sin() as f32;
    let pushed: Vec<f32> = (0..4 * 2400).map(tone).collect();
    for late in [24, 48, 72, 96] {
        let mut playout = Playout::new(24_000, 1, 24_000, Depth::default());
        let mut packets = pushed.chunks(480);
        packets.by_ref().take(4).for_each(|packet| playout.push(packet));
        let (mut heard, mut sample) = (Vec::new(), [0.0]);
        while playout.stats().concealed < late {
            playout.pull(&mut sample, 1);
            heard.push(sample[0]);
        }
        packets.by_ref().take(4).for_each(|packet| playout.push(packet));
        for _ in 0..480 {
            playout.pull(&mut sample, 1);
            heard.push(sample[0]);
        }
        assert!(playout.stats().playing, "playback continues");
        let step = largest_step(&heard);
        assert!(step <= 0.058 + 1.5 / 120.0, "a step of {step}, {late} frames after the end");
    }
}

#[test]
fn channels_are_independent_and_mono_plays_on_both() {
    let stereo =
        |channel: usize, time: f64| if channel == 0 { 0.25 * (TAU * 440.0 * time).sin() } else { -0.5 };
    let heard =
        Line { input_rate: 48_000, channels: 2, output_rate: 48_000, signal: stereo, ..Line::default() }
            .live(2.0, 1);
    assert!((heard.output[1].last().unwrap() + 0.5).abs() < 1e-4);
    assert!(heard.output[0].iter().all(|sample| sample.abs() < 0.26));
    let heard = Line::default().live(2.0, 1);
    assert_eq!(heard.output[0], heard.output[1]);
}

#[test]
fn the_loudness_covers_the_time_since_the_last_call() {
    let mut playout = Playout::new(24_000, 1, 24_000, Depth::default());
    (0..12).for_each(|_| playout.push(&[0.5; 480]));
    let mut block = [0.0; 512];
    playout.pull(&mut block, 1);
    playout.loudness();
    playout.pull(&mut block, 1);
    let loudness = playout.loudness();
    assert!((loudness.peak - 0.5).abs() < 1e-3 && (loudness.power - 0.25).abs() < 1e-3);
    assert_eq!(playout.loudness().power, 0.0);
}
