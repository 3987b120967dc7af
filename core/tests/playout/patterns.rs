//! Tests the playout with typical networks and clocks, each with several seeds.

use orgo_core::audio::playout::Depth;

use crate::network::{Arrival, Heard, Line};
use crate::random::Random;

fn seeds() -> std::ops::Range<u64> {
    if std::env::var_os("ORGO_FULL").is_some() { 1..100 } else { 1..4 }
}

/// Checks the largest step against that of the tone alone: 440 Hz with amplitude 0.5. Fades of 5 ms and declicking add
/// to it.
fn smooth(heard: &Heard, what: &str) {
    let own = std::f64::consts::TAU * 440.0 / heard.output_rate * 0.5;
    let fade = 1.0 / (0.005 * heard.output_rate);
    let largest = f64::from(heard.largest_step());
    assert!(largest <= own + 1.5 * fade, "{what}: a step of {largest:.4}, the tone alone has {own:.4}");
}

fn report(what: &str, heard: &Heard, rate: u32, seconds: f64) {
    let end = heard.end();
    println!(
        "{what}: latency p50 {:.1} p95 {:.1} ms, target {:.0} ms, underruns {}, concealed {:.0} ms, dropped {:.0} ms",
        heard.latency(0.5, 0.0, seconds),
        heard.latency(0.95, 0.0, seconds),
        end.target,
        end.underruns,
        end.concealed as f64 / f64::from(rate) * 1000.0,
        end.dropped as f64 / f64::from(rate) * 1000.0,
    );
}

fn jitter(most: f64) -> Arrival {
    Box::new(move |sent, random| Some(sent + random.part() * most))
}

#[test]
fn an_ideal_network_has_no_gaps_and_a_low_delay() {
    for (input_rate, channels, output_rate) in [
        (24_000, 1, 24_000),
        (24_000, 1, 44_100),
        (24_000, 1, 48_000),
        (48_000, 2, 44_100),
        (48_000, 2, 48_000),
    ] {
        let heard = Line { input_rate, channels, output_rate, ..Line::default() }.live(60.0, 1);
        report("ideal", &heard, input_rate, 60.0);
        let end = heard.end();
        assert_eq!((end.underruns, end.concealed, end.dropped), (0, 0, 0));
        // The target starts at 60 ms and falls to 40 ms.
        let (early, late) = (heard.mean_latency(0.5, 3.0), heard.mean_latency(40.0, 60.0));
        println!("{early:.1} ms at first, {late:.1} ms later");
        assert!(
            (40.0..=65.0).contains(&early) && (30.0..=42.0).contains(&late),
            "{early} ms, then {late} ms"
        );
        smooth(&heard, "ideal");
    }
}

#[test]
fn the_requested_depth_is_kept() {
    let heard = Line { depth: Depth::at_least(100.0), ..Line::default() }.live(60.0, 1);
    report("at least 100 ms", &heard, 24_000, 60.0);
    assert!(heard.moments.iter().all(|moment| moment.stats.target >= 100.0));
    assert!((80.0..=100.0).contains(&heard.mean_latency(40.0, 60.0)));
}

#[test]
fn jitter_of_40_ms_causes_few_gaps() {
    for seed in seeds() {
        let line = Line { arrival: jitter(0.04), ..Line::default() };
        let heard = line.live(60.0, seed);
        report("jitter", &heard, 24_000, 60.0);
        assert!(heard.latency(0.5, 0.0, 60.0) < 100.0);
        assert!(heard.concealed(24_000, 0.0, 59.0) < 150.0);
        assert!(heard.concealed(24_000, 20.0, 59.0) < 60.0, "the target has adapted");
        smooth(&heard, "jitter");
    }
}

#[test]
fn the_backlog_of_a_stall_is_dropped_within_two_seconds() {
    const STALL: f64 = 0.2;
    for seed in seeds() {
        let stalled = |sent: f64, _: &mut Random| {
            let since = sent % 5.0;
            Some(if sent > 5.0 && since < STALL { sent + STALL - since } else { sent })
        };
        let heard = Line { arrival: Box::new(stalled), ..Line::default() }.live(90.0, seed);
        report("stalls", &heard, 24_000, 90.0);
        for stall in 1..17 {
            let settled = heard.at(f64::from(stall) * 5.0 + STALL + 2.0);
            let (latency, target) =
                (heard.mean_latency(settled.time, settled.time + 1.0), settled.stats.target);
            assert!(
                (latency - target).abs() < 20.0,
                "{latency:.0} ms after stall {stall}, the target is {target:.0}"
            );
        }
        assert!(
            heard.concealed(24_000, 60.0, 89.0) < 0.35 * heard.concealed(24_000, 0.0, 29.0),
            "the target adapts"
        );
        smooth(&heard, "stalls");
    }
}

#[test]
fn the_target_recovers_after_one_stall() {
    let stalled = |sent: f64, _: &mut Random| Some(if (10.0..10.2).contains(&sent) { 10.2 } else { sent });
    let heard = Line { arrival: Box::new(stalled), ..Line::default() }.live(120.0, 1);
    report("one stall", &heard, 24_000, 120.0);
    assert_eq!(heard.end().underruns, 1);
    let (before, after) = (heard.latency(0.5, 0.5, 3.0), heard.latency(0.5, 110.0, 120.0));
    assert!(after <= before, "{before} ms at first, {after} ms long after");
    smooth(&heard, "one stall");
}

#[test]
fn clock_drift_is_corrected() {
    for output_rate in [24_000, 48_000] {
        let [slow, fast] = [-200.0, 200.0].map(|ppm| {
            let heard = Line { ppm, output_rate, ..Line::default() }.live(600.0, 1);
            report("drift", &heard, 24_000, 600.0);
            let end = heard.end();
            assert_eq!((end.underruns, end.dropped), (0, 0), "{ppm} ppm");
            let (early, late) = (heard.mean_latency(55.0, 65.0), heard.mean_latency(590.0, 600.0));
            assert!((early - late).abs() < 10.0, "{early} ms after a minute, {late} ms after ten");
            smooth(&heard, "drift");
            heard.mean_latency(500.0, 600.0)
        });
        // The correction costs neither delay nor reserve for late packets.
        println!("{slow:.1} ms with a slow sender, {fast:.1} ms with a fast sender");
        assert!((slow - fast).abs() < 3.0, "{slow} ms with a slow sender, {fast} ms with a fast sender");
    }
}

#[test]
fn clock_drift_is_corrected_despite_jitter() {
    for ppm in [-200.0, 200.0] {
        let heard = Line { ppm, arrival: jitter(0.02), ..Line::default() }.live(600.0, 3);
        report("drift and jitter", &heard, 24_000, 600.0);
        let (early, late) = (heard.mean_latency(50.0, 70.0), heard.mean_latency(580.0, 600.0));
        assert!((early - late).abs() < 10.0, "{early} ms after a minute, {late} ms after ten");
        assert!(heard.end().underruns <= 1);
    }
}

#[test]
fn playback_continues_after_a_reconnect() {
    // Three seconds are lost.
    let lost = |sent: f64, _: &mut Random| (!(10.0..13.0).contains(&sent)).then_some(sent);
    let heard = Line { arrival: Box::new(lost), ..Line::default() }.live(30.0, 1);
    report("reconnect", &heard, 24_000, 30.0);
    let end = heard.end();
    assert_eq!(end.underruns, 1);
    assert!((2900.0..3100.0).contains(&heard.concealed(24_000, 0.0, 29.0)));
    let (latency, target) = (heard.latency(0.5, 15.0, 16.0), heard.at(15.0).stats.target);
    assert!((latency - target).abs() < 40.0 && latency < 80.0, "{latency} ms, the target is {target} ms");
    smooth(&heard, "reconnect");
}

#[test]
fn a_short_break_causes_no_click() {
    for milliseconds in (20..400).step_by(20) {
        let end = 10.0 + f64::from(milliseconds) / 1000.0;
        let lost = move |sent: f64, _: &mut Random| (!(10.0..end).contains(&sent)).then_some(sent);
        let heard = Line { arrival: Box::new(lost), output_rate: 48_000, ..Line::default() }.live(12.0, 1);
        smooth(&heard, &format!("{milliseconds} ms lost"));
    }
}

#[test]
fn a_backlog_of_seconds_is_dropped_at_once() {
    let held = |sent: f64, _: &mut Random| Some(if (10.0..14.0).contains(&sent) { 14.0 } else { sent });
    let heard = Line { arrival: Box::new(held), ..Line::default() }.live(30.0, 1);
    report("backlog", &heard, 24_000, 30.0);
    assert!(heard.latency(1.0, 16.0, 30.0) < 100.0);
    assert!(heard.end().dropped > 3 * 24_000);
    smooth(&heard, "backlog");
}

#[test]
fn large_packets_have_a_larger_target() {
    let heard = Line { packet: 0.1, ..Line::default() }.live(60.0, 1);
    report("packets of 100 ms", &heard, 24_000, 60.0);
    assert!(heard.end().underruns <= 1);
    assert!(heard.concealed(24_000, 10.0, 59.0) < 1.0);
}

#[test]
fn the_reported_latency_matches_the_position_of_impulses() {
    // One impulse every half second.
    let signal =
        |_: usize, time: f64| f64::from(u8::from((time * 24_000.0).round() % 12_000.0 == 0.0 && time > 1.0));
    let heard = Line { ppm: 100.0, output_rate: 48_000, signal, ..Line::default() }.live(20.0, 1);
    let times: Vec<f64> = (heard.output[0].windows(3).enumerate())
        .filter(|(_, near)| near[1] > 0.5 && near[1] >= near[0] && near[1] > near[2])
        .map(|(at, _)| (at + 1) as f64 / heard.output_rate)
        .collect();
    assert!(times.len() > 30);
    for (number, time) in times.iter().enumerate() {
        // The time of capture on the sound card's clock; the sender's clock is fast.
        let captured = (1.5 + number as f64 * 0.5) / (1.0 + 100e-6);
        let latency = (time - captured) * 1000.0;
        // The sample waits until its packet is complete. From then on, the reported latency applies.
        let reported = heard.at(*time).latency;
        assert!(
            (latency - 20.0 - reported).abs() < 21.0,
            "{latency} ms, but the reported latency is {reported} ms"
        );
    }
}
