//! The audio channel.

use serde_json::json;
use tungstenite::Message;

use crate::server::Server;
use crate::socket::Socket;

/// A command that plays a sine wave in the computer until its processes are killed.
const TONE: &str = r#"python3 - <<'END' | pacat --raw --rate=48000 --channels=1 --format=s16le >/dev/null 2>&1 &
import array, math, sys
second = array.array("h", [round(20000 * math.sin(2 * math.pi * 440 * n / 48000)) for n in range(48000)]).tobytes()
while True:
    sys.stdout.buffer.write(second)
END"#;

fn samples(frame: &[u8]) -> Vec<i16> {
    frame.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[track_caller]
fn binary(socket: &mut Socket) -> Vec<u8> {
    loop {
        match socket.message() {
            Message::Binary(bytes) => return bytes.into(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

#[test]
fn silence_is_sent_in_frames_of_20_ms() {
    let server = Server::start();
    let computer = server.computer();
    let mut audio = Socket::open(&computer, "audio", "");
    assert_eq!(audio.frame(), json!({ "type": "started", "sample_rate": 24_000, "channels": 1 }));
    for _ in 0..25 {
        assert_eq!(binary(&mut audio).len(), 960);
    }
    audio.send(&json!({ "type": "ping" }));
    audio.send(&json!({ "type": "stop" }));
    assert_eq!(audio.close_code(), 1000);
}

#[test]
fn the_channel_sends_what_the_computer_plays() {
    let server = Server::start();
    let computer = server.computer();
    let mut audio = Socket::open(&computer, "audio", "&sample_rate=48000&channels=2");
    assert_eq!(audio.frame_of("started")["channels"], 2);
    computer.bash(TONE);
    let mut left = Vec::new();
    while left.len() < 48_000 {
        let frame = binary(&mut audio);
        assert_eq!(frame.len(), 3840);
        let frame = samples(&frame);
        if !left.is_empty() || frame.iter().any(|sample| sample.unsigned_abs() > 10_000) {
            left.extend(frame.iter().step_by(2).copied());
        }
    }
    // A sine wave of 440 Hz crosses zero upward 440 times a second.
    let settled = &left[9_600..];
    let rises = settled.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    let expected = 440 * settled.len() / 48_000;
    assert!(rises.abs_diff(expected) <= 2, "{rises} zero crossings, {expected} expected");
}

#[test]
fn an_unsupported_format_is_refused_and_the_error_names_the_parameter() {
    let server = Server::start();
    let computer = server.computer();
    let mut audio = Socket::open(&computer, "audio", "&sample_rate=11025");
    assert!(audio.frame_of("error")["message"].as_str().is_some_and(|text| text.contains("sample_rate")));
    assert_eq!(audio.close_code(), 4500);
}

/// A program that plays two tones with a pause between them, and prints the time of the computer's clock at the start
/// of each tone.
const TWO_TONES: &str = r#"
import array, math, subprocess, time
tone = array.array("h", [round(20000 * math.sin(2 * math.pi * 440 * n / 48000)) for n in range(9600)]).tobytes()
for pause in (4, 0):
    print(time.monotonic(), flush=True)
    player = ["pacat", "--raw", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=20"]
    subprocess.run(player, input=tone, check=True)
    time.sleep(pause)
"#;

#[test]
fn silence_between_tones_keeps_its_duration() {
    let server = Server::start();
    let computer = server.computer();
    let mut audio = Socket::open(&computer, "audio", "");
    audio.frame_of("started");
    let times = std::thread::scope(|scope| {
        let playing =
            scope.spawn(|| computer.act("exec", &json!({ "code": TWO_TONES, "timeout": 60 })).expect(200));
        // Finds the position in samples of the first tone, and of the next tone after at least a second of silence.
        let (mut starts, mut position, mut last_loud) = (Vec::new(), 0_usize, None);
        while starts.len() < 2 {
            for sample in samples(&binary(&mut audio)) {
                if sample.unsigned_abs() > 5_000 {
                    if last_loud.is_none_or(|last| position - last > 24_000) {
                        starts.push(position);
                    }
                    last_loud = Some(position);
                }
                position += 1;
            }
        }
        let output = playing.join().expect("it does not panic")["output"].clone();
        let clock: Vec<f64> =
            output.as_str().unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
        (clock[1] - clock[0], (starts[1] - starts[0]) as f64 / 24_000.0)
    });
    // Each tone starts after a varying delay, so the comparison is not exact. If the stream omitted the silence, it
    // would be four seconds shorter.
    assert!((times.0 - times.1).abs() < 2.0, "{} s by the clock, {} s of audio", times.0, times.1);
}
