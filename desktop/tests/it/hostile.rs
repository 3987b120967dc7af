//! Hostile clients. The server refuses their requests with documented errors, and other clients are not affected.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::random::Random;
use crate::server::{KEY, Server, TIMEOUT, full};
use crate::socket::Socket;

fn connect(server: &Server) -> TcpStream {
    let address = server.origin.strip_prefix("http://").expect("it is an HTTP URL");
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
    stream
}

/// Sends a complete raw request and reads until the server closes the connection. Ignores errors, because the server
/// may close the connection during the request.
fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    let _ = stream.write_all(bytes);
    read_all(stream)
}

/// Like [`exchange`], for bytes that may be an incomplete request. Closes the sending half of the connection after the
/// bytes, so that the server does not wait for more.
fn exchange_malformed(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    read_all(stream)
}

fn read_all(mut stream: TcpStream) -> String {
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

#[track_caller]
fn assert_refused(response: &str, status: u16) {
    let (head, body) = response.split_once("\r\n\r\n").expect("there is a response");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    assert!(body["error"].is_string() && body["request_id"].is_string(), "{body}");
}

fn request(path: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n{more}\r\n")
        .into_bytes()
}

#[track_caller]
fn assert_works(server: &Server) {
    server.get("/workspaces").expect(200);
}

#[test]
fn request_headers_that_are_too_large_are_refused() {
    let server = Server::start();
    let fields: String = (0..200).map(|n| format!("X-Field-{n}: {n}\r\n")).collect();
    assert_refused(&exchange(&server, &request("/api/workspaces", &fields)), 431);
    assert_refused(
        &exchange(&server, &request("/api/workspaces", &format!("X: {}\r\n", "x".repeat(40_000)))),
        431,
    );
    assert_refused(&exchange(&server, &request(&format!("/api/{}", "x".repeat(20_000)), "")), 414);
    let flood: String = (0..20_000).map(|n| format!("X-Field-{n}: {n}\r\n")).collect();
    let response = exchange(&server, &request("/api/workspaces", &flood));
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 431 "), "{response}");
    assert_works(&server);
}

#[test]
fn a_missing_foreign_or_repeated_host_header_is_refused() {
    let server = Server::start();
    let send = |hosts: &str| {
        let text = format!(
            "GET /api/workspaces HTTP/1.1\r\n{hosts}Authorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
        );
        exchange(&server, text.as_bytes())
    };
    assert_refused(&send(""), 403);
    assert_refused(&send("Host: evil.example\r\n"), 403);
    assert_refused(&send("Host: localhost\r\nHost: evil.example\r\n"), 403);
    assert_refused(&send("Host: evil.example\r\nHost: localhost\r\n"), 403);
    assert!(send("Host: localhost\r\n").starts_with("HTTP/1.1 200 "));
    let page = "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example\r\n";
    assert_refused(&send(page), 403);
    // A page can submit a form or open a WebSocket without a preflight request, but it cannot hide its origin.
    let socket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: https://evil.example\r\n";
    assert_refused(&exchange(&server, &request("/desktops/x/ws/events?token=x", socket)), 403);
}

#[test]
fn paths_outside_the_api_are_refused() {
    let server = Server::start();
    for path in [
        "/../../etc/passwd",
        "/api/../../etc/passwd",
        "/api/computers/..%2f..%2f..%2fetc%2fpasswd",
        "/api/computers/%2e%2e/workspaces",
        "/api/computers/%00",
        "/api//workspaces",
        "/api/computers/x'%20OR%201=1--",
        "/desktops/..%2f..%2fetc/ws/events",
        "//evil.example/api/workspaces",
    ] {
        let response = exchange(&server, &request(path, ""));
        let status = response.split(' ').nth(1).unwrap_or_default().to_owned();
        assert!(matches!(status.as_str(), "400" | "404" | "426"), "{path}: {response}");
        assert_refused(&response, status.parse().expect("it is a number"));
    }
    assert_works(&server);
}

/// No input may end the server or cause a status of 500 or more.
#[test]
fn a_malformed_request_only_ends_its_own_connection() {
    let server = Server::start();
    let mut random = Random::new(7);
    let valid = request("/api/computers", "Content-Length: 2\r\n");
    for round in 0..if full() { 5_000 } else { 300 } {
        let mut bytes = if round % 3 == 0 { random.bytes(600) } else { valid.clone() };
        for _ in 0..random.below(12) {
            let at = random.below(bytes.len().max(1));
            match random.below(3) {
                0 if at < bytes.len() => bytes[at] = random.byte(),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), random.byte()),
            }
        }
        let response = exchange_malformed(&server, &bytes);
        let status: u16 = response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(400);
        assert!(status < 500, "round {round}: {:?} got {response}", String::from_utf8_lossy(&bytes));
    }
    assert_works(&server);
}

/// The calls with a body, and the names of their parameters.
const CALLS: &[&str] = &[
    "/workspaces",
    "/computers",
    "{computer}/click",
    "{computer}/drag",
    "{computer}/type",
    "{computer}/key",
    "{computer}/scroll",
    "{computer}/wait",
    "{computer}/bash",
    "{computer}/exec",
    "{computer}/stream/start",
    "/files/export",
];
const FIELDS: &[&str] = &[
    "name",
    "workspace_id",
    "project_id",
    "os",
    "ram",
    "cpu",
    "gpu",
    "resolution",
    "x",
    "y",
    "button",
    "double",
    "start_x",
    "start_y",
    "end_x",
    "end_y",
    "duration",
    "text",
    "delay_ms",
    "key",
    "direction",
    "amount",
    "seconds",
    "command",
    "timeout",
    "code",
    "icon_url",
    "status",
    "disk_size_gb",
    "connection_name",
    "desktopId",
    "path",
];

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 2 { 8 } else { 10 }) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(random.below(2_000)),
        3 => json!(-1_i64 - i64::try_from(random.below(5)).unwrap_or(0)),
        4 => json!([0.5, 1e300, -1e300, f64::from(u32::MAX), 9e18][random.below(5)]),
        5 => json!(
            ["", "left", "up", "linux", "a", "ctrl+", "é😀\u{0}", "1280x720x24", "../../x"][random.below(9)]
        ),
        6 => json!("x".repeat(random.below(5_000))),
        7 => json!(i64::MIN),
        8 => Value::Array((0..random.below(4)).map(|_| value(random, depth + 1)).collect()),
        _ => {
            Value::Object((0..random.below(4)).map(|n| (format!("k{n}"), value(random, depth + 1))).collect())
        }
    }
}

#[test]
fn random_bodies_are_executed_or_refused() {
    let server = Server::start();
    let computer = server.computer();
    let mut random = Random::new(11);
    let key = format!("Bearer {KEY}");
    for round in 0..if full() { 20_000 } else { 800 } {
        let path =
            CALLS[random.below(CALLS.len())].replace("{computer}", &format!("/computers/{}", computer.id));
        let mut fields = serde_json::Map::new();
        for _ in 0..random.below(6) {
            let name = FIELDS[random.below(FIELDS.len())];
            // Uses these parameters less often, because long durations only slow down the test.
            if !matches!(name, "duration" | "seconds" | "timeout" | "delay_ms") || random.below(4) == 0 {
                fields.insert(name.into(), value(&mut random, 0));
            }
        }
        // Removes valid but long durations, during which the call would only wait.
        for pause in ["duration", "seconds"] {
            if fields.get(pause).and_then(Value::as_f64).is_some_and(|pause| (0.1..=60.0).contains(&pause)) {
                fields.remove(pause);
            }
        }
        let mut body = Value::Object(fields).to_string();
        if random.below(10) == 0 {
            body.truncate(
                (0..=random.below(body.len())).rev().find(|&at| body.is_char_boundary(at)).unwrap_or(0),
            );
        }
        let response = server.call_with("POST", &path, &body, &[("authorization", &key)]);
        let has_error_format = response.body["error"].is_string() && response.body["request_id"].is_string();
        let is_expected = response.status < 300
            || ((400..500).contains(&response.status) || response.status == 501) && has_error_format;
        assert!(is_expected, "round {round}: {path} {body}: {} {}", response.status, response.body);
    }
    assert_eq!(computer.bash("echo well")["output"], "well\n");
}

#[test]
fn random_frames_get_a_reply_or_end_only_their_own_channel() {
    let server = Server::start();
    let computer = server.computer();
    let mut witness = Socket::open(&computer, "events", "");
    let mut random = Random::new(13);
    let instance = computer.show()["instance_id"].as_str().expect("it is a string").to_owned();
    let password = computer.password();
    for round in 0..if full() { 2_000 } else { 150 } {
        let channel = ["terminal", "audio", "events"][random.below(3)];
        let mut stream = connect(&server);
        let path = format!("/desktops/{instance}/ws/{channel}?token={password}");
        let upgrade = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(upgrade.as_bytes()).expect("the server reads");
        let mut sent = Vec::new();
        for _ in 0..1 + random.below(4) {
            sent.extend(frame(&mut random));
        }
        let _ = stream.write_all(&sent);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut response = [0; 12];
        stream.read_exact(&mut response).expect("the server responds to the upgrade");
        assert_eq!(&response, b"HTTP/1.1 101", "round {round}");
    }
    // Sends only the header of a frame, with a length above the limit.
    let mut stream = connect(&server);
    let upgrade = format!(
        "GET /desktops/{instance}/ws/terminal?token={password} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).expect("the server reads");
    stream
        .write_all(&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])
        .expect("the server reads");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);

    witness.send(&json!({ "type": "ping" }));
    assert_eq!(witness.frame_of("pong")["type"], "pong");
    assert_eq!(computer.bash("echo well")["output"], "well\n");
}

/// Returns a WebSocket frame that is valid, almost valid, or random.
fn frame(random: &mut Random) -> Vec<u8> {
    const TEXTS: &[&str] = &[
        r#"{"type":"ping"}"#,
        r#"{"type":"input","data":"echo x\r"}"#,
        r#"{"type":"input"}"#,
        r#"{"type":"#,
        r#"{"type":"resize","cols":0,"rows":99999}"#,
        r#"{"type":"resize","cols":-1,"rows":"x"}"#,
        "[]",
        "null",
        "",
        r#"{"type":"subscribe","event_types":["idle","x"]}"#,
        r#"{"type":"subscribe","event_types":["clipboard"]}"#,
        r#"{"type":"unsubscribe","event_types":[]}"#,
        r#"{"type":"stop","stop":{}}"#,
        "\u{0}\u{1}",
    ];
    if random.below(4) == 0 {
        return random.bytes(64);
    }
    let payload = match random.below(3) {
        0 => random.bytes(200),
        _ => TEXTS[random.below(TEXTS.len())].as_bytes().to_vec(),
    };
    let opcode = [0x1, 0x2, 0x0, 0x8, 0x9, 0xa, 0x3, 0xf][random.below(8)];
    let flags = [0x80, 0x80, 0x80, 0x00, 0xc0][random.below(5)];
    let mut frame = vec![flags | opcode];
    let masked = if random.below(8) == 0 { 0 } else { 0x80 };
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(masked | length),
        _ => {
            frame.push(masked | 126);
            frame.extend(u16::try_from(payload.len()).expect("it is short").to_be_bytes());
        }
    }
    let mask: Vec<u8> = random.bytes(4).into_iter().chain([1, 2, 3, 4]).take(4).collect();
    if masked != 0 {
        frame.extend(&mask);
    }
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| if masked == 0 { *byte } else { byte ^ mask }),
    );
    frame
}

#[test]
fn idle_and_stalled_connections_do_not_block_others() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("it is at most the hard limit");
    let server = Server::start();
    let computer = server.computer();
    let wanted = if full() { 10_000 } else { 1_500 };
    let room =
        limit.current.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(wanted).saturating_sub(2_000));
    let mut idle = Vec::new();
    for number in 0..wanted.min(room) {
        let mut stream = connect(&server);
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"GET /api/workspaces HTTP/1.1\r\nHost: local").expect("the server reads"),
            _ => {
                let half = format!(
                    "POST /api/workspaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 900\r\n\r\n{{"
                );
                stream.write_all(half.as_bytes()).expect("the server reads");
            }
        }
        idle.push(stream);
    }
    assert_eq!(computer.bash("echo well")["output"], "well\n");
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "ping" }));
    assert_eq!(events.frame()["type"], "pong");
    if full() {
        // The server closes the idle connections after its timeouts.
        for (number, mut stream) in idle.into_iter().enumerate() {
            stream.set_read_timeout(Some(Duration::from_secs(60))).expect("the timeout is not zero");
            let mut response = Vec::new();
            stream.read_to_end(&mut response).expect("the server closes");
            let response = String::from_utf8_lossy(&response);
            match number % 3 {
                2 => assert_refused(&response, 408),
                _ => assert!(response.is_empty() || response.starts_with("HTTP/1.1 4"), "{response}"),
            }
        }
    }
}
