//! Streaming, to a receiver that is ffmpeg too.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Answer, Computer, Server, wait_until};

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Waits for one stream and records it to a file.
struct Receiver(Child);

impl Receiver {
    /// Beside the file it keeps a log, in which it complains when another application or key than its own is asked for.
    fn start(port: u16, file: &Path) -> Self {
        let log = fs::File::create(file.with_extension("log")).expect("the folder is ours");
        let receiver = Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-listen", "1", "-i"])
            .arg(format!("rtmp://127.0.0.1:{port}/live/key"))
            .args(["-c", "copy", "-f", "matroska", "-flush_packets", "1", "-y"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("ffmpeg is installed where the tests run");
        wait_until("the receiver to listen", || listens(port));
        Self(receiver)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended with its stream.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks the kernel, since the receiver takes the first connection for the stream.
fn listens(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/tcp").expect("it is Linux");
    sockets.lines().any(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A")))
}

fn connect(server: &Server, text: &str) {
    fs::write(server.data.path().join("stream-connections.toml"), text).expect("the folder is ours");
}

fn start(computer: &Computer<'_>, name: &str) -> Answer {
    computer.act("stream/start", &json!({ "connection_name": name }))
}

fn status(computer: &Computer<'_>) -> Value {
    computer.server.get(&format!("/computers/{}/stream/status", computer.id)).expect(200)
}

/// A zombie has ended: only its parent, which may be no more than the first process of a system, has not looked yet.
fn runs(pid: &Value) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| !status.contains("\nState:\tZ"))
}

/// What ffprobe finds: the kind and the number of packets of each stream.
fn probe(file: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-of", "json"])
        .args(["-show_entries", "stream=codec_name,width,height,sample_rate,channels,nb_read_packets"])
        .arg(file)
        .output()
        .expect("it comes with ffmpeg");
    serde_json::from_slice(&output.stdout).expect("it writes JSON")
}

#[test]
fn screen_and_sound_arrive_and_the_stream_is_stopped() {
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    let file = server.data.path().join("received.mkv");
    connect(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live'\nkey = 'key'\n"));
    assert_eq!(status(&computer), json!({ "status": "idle" }));

    let receiver = Receiver::start(port, &file);
    let started = start(&computer, "test").expect(200);
    assert_eq!((&started["success"], &started["status"]), (&json!(true), &json!("streaming")));
    assert!(runs(&started["pid"]));
    let shown = status(&computer);
    assert_eq!((&shown["pid"], &shown["start_time"]), (&started["pid"], &started["start_time"]));
    assert_eq!(start(&computer, "test").expect(409)["code"], "already_streaming");
    wait_until("something to arrive", || fs::metadata(&file).is_ok_and(|file| file.len() > 100_000));

    let stopped = computer.act("stream/stop", &json!({})).expect(200);
    assert_eq!(stopped["success"], true);
    assert!(!runs(&started["pid"]));
    assert_eq!(status(&computer), json!({ "status": "idle" }));
    let again = computer.act("stream/stop", &json!({})).expect(200);
    assert_eq!(again, json!({ "success": false, "error": "No active stream to stop" }));

    let mut receiver = receiver;
    receiver.0.wait().expect("it ends with the stream");
    let streams = probe(&file)["streams"].clone();
    let packets =
        |n: usize| streams[n]["nb_read_packets"].as_str().and_then(|count| count.parse::<u32>().ok());
    assert_eq!((&streams[0]["codec_name"], &streams[0]["width"]), (&json!("h264"), &json!(1280)));
    assert_eq!((&streams[1]["codec_name"], &streams[1]["channels"]), (&json!("aac"), &json!(2)));
    assert!(packets(0) > Some(5) && packets(1) > Some(5), "{streams}");
    assert_eq!(complaints(&file), Vec::<String>::new());
}

/// What a receiver says of an application or a key that is not its own.
fn complaints(file: &Path) -> Vec<String> {
    let log = fs::read_to_string(file.with_extension("log")).expect("it is kept");
    let of_the_address = |line: &&str| line.contains("Unexpected stream") || line.contains("App field");
    log.lines().filter(of_the_address).map(str::to_owned).collect()
}

#[test]
fn the_key_of_a_stream_is_in_no_process_list_and_no_answer() {
    const SECRETS: [&str; 2] = ["hunter2-app", "hunter2-key"];
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    let file = server.data.path().join("received.mkv");
    for address in [
        format!("url = 'rtmp://127.0.0.1:{port}/hunter2-app'\nkey = 'hunter2-key'"),
        format!("url = 'rtmp://127.0.0.1:{port}/hunter2-app/hunter2-key'"),
    ] {
        connect(&server, &format!("[test]\n{address}\n"));
        let receiver = Receiver::start(port, &file);
        let started = start(&computer, "test").expect(200);
        wait_until("the receiver to be told of the key", || {
            complaints(&file).iter().any(|line| line.contains(SECRETS[1]))
        });
        let mut seen = 0;
        for entry in fs::read_dir("/proc").expect("it is Linux").flatten() {
            for name in ["cmdline", "environ"] {
                let text = fs::read(entry.path().join(name)).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                seen += usize::from(text.contains(&format!("rtmp://127.0.0.1:{port}/\0")));
                assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
            }
        }
        // bubblewrap and the encoder in it, or this test has looked for the wrong thing.
        assert!(seen >= 2, "{seen} processes name the server");
        assert!(
            !started.to_string().contains("hunter2") && !status(&computer).to_string().contains("hunter2")
        );
        computer.act("stream/stop", &json!({})).expect(200);
        drop(receiver);
    }
}

#[test]
fn a_dead_target_is_reported_as_terminated() {
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    connect(&server, &format!("[gone]\nurl = 'rtmp://127.0.0.1:{port}/live'\nkey = 'hunter2'\n"));
    let refused = start(&computer, "gone").expect(502);
    assert_eq!(refused["code"], "stream_failed");
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    let shown = status(&computer);
    assert_eq!(shown["status"], "terminated");
    assert!(shown["message"].as_str().is_some_and(|text| text.contains("refused")), "{shown}");

    let receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    // The receiver takes any key.
    let started = start(&computer, "gone").expect(200);
    drop(receiver);
    wait_until("the stream to end", || status(&computer)["status"] == "terminated");
    assert!(!runs(&started["pid"]));
    assert_eq!(computer.act("stream/stop", &json!({})).expect(200)["success"], false);
    assert_eq!(status(&computer)["status"], "idle");
}

#[test]
fn a_stream_ends_with_its_computer_and_with_a_killed_server() {
    let mut server = Server::start();
    let port = free_port();
    connect(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live/key'\n"));
    let computer = server.computer();
    let id = computer.id.clone();
    let receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&computer, "test").expect(200);
    computer.act("stop", &json!({})).expect(200);
    computer.wait_for_status("stopped");
    assert!(!runs(&started["pid"]));
    assert_eq!(status(&computer)["status"], "idle");
    assert!(start(&computer, "test").refusal(400).starts_with("Desktop instance not available"));
    drop(receiver);

    computer.act("start", &json!({})).expect(200);
    let _receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&Computer { server: &server, id }, "test").expect(200);
    server.signal(rustix::process::Signal::KILL);
    server.process.wait().expect("it ends");
    wait_until("the encoder to end", || !runs(&started["pid"]));
}

#[test]
fn an_unknown_connection_and_a_mistake_in_the_file_are_told_apart() {
    let server = Server::start();
    let computer = server.computer();
    assert_eq!(start(&computer, "test").expect(404)["code"], "connection_not_found");
    connect(&server, "[test]\nurl = 'file:///tmp/x'\n");
    assert!(start(&computer, "test").refusal(500).contains("test: url: must begin with rtmp"));
    connect(&server, "[test\n");
    assert!(start(&computer, "test").refusal(500).contains("stream-connections.toml"));
    assert_eq!(start(&computer, "").expect(500)["code"], "bad_settings");
    computer.act("stream/start", &json!({})).refusal(400);
}
