//! Access control: API key, passwords, host names and origins.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::server::{KEY, Server, TIMEOUT};
use crate::socket::Socket;

#[test]
fn a_call_needs_the_api_key() {
    let server = Server::start();
    let call = |headers: &[(&str, &str)]| server.call_with("GET", "/workspaces", "", headers);
    assert!(call(&[]).refusal(401).starts_with("Missing API key"));
    assert!(call(&[("authorization", "Bearer wrong")]).refusal(401).starts_with("Invalid API key"));
    call(&[("authorization", &format!("bearer {KEY}"))]).expect(200);
}

#[test]
fn a_foreign_host_or_origin_is_refused_even_with_the_right_key() {
    let server = Server::start();
    let key = format!("Bearer {KEY}");
    let call =
        |name, value| server.call_with("GET", "/workspaces", "", &[("authorization", &key), (name, value)]);
    call("host", "evil.example").refusal(403);
    call("origin", "https://evil.example").refusal(403);
    call("origin", "http://localhost:5173").expect(200);
}

/// A hostile site may resolve its name to this machine (DNS rebinding), or serve a page that sends requests here. Every
/// URL of the server refuses both, even with the right key, password or signature.
#[test]
fn every_address_refuses_foreign_hosts_and_origins() {
    let server = Server::start();
    let computer = server.computer();
    let show = computer.show();
    let shot = server.get(&format!("/computers/{}/screenshot?response_format=url", computer.id)).expect(200);
    let (instance, link) = (show["instance_id"].as_str(), shot["image"].as_str());
    let (instance, link) = (instance.expect("it is a string"), link.expect("it is a path"));
    let socket = format!("/desktops/{instance}/ws/terminal?token={}", computer.password());
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for (path, more) in [
        ("/health", "Connection: close\r\n"),
        ("/api/workspaces", "Connection: close\r\n"),
        (link, "Connection: close\r\n"),
        (&socket, upgrade),
    ] {
        let request = |head: &str| {
            let request = format!("GET {path} HTTP/1.1\r\n{head}Authorization: Bearer {KEY}\r\n{more}\r\n");
            status(&server, &request)
        };
        for head in ["Host: evil.example\r\n", "Host: localhost\r\nOrigin: https://evil.example\r\n"] {
            assert_eq!(request(head), 403, "{path} {head}");
        }
        assert!(request("Host: localhost\r\n") < 300, "{path}");
    }
}

/// Sends a raw request and returns the status of the response.
fn status(server: &Server, request: &str) -> u16 {
    let address = server.origin.strip_prefix("http://").expect("it is an HTTP URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("the server responds");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it is a number")
}

/// The server does not trust pages that other programs on this machine serve either.
#[test]
fn a_page_from_localhost_gets_no_cors_headers_unless_its_origin_is_allowed() {
    let server = Server::start();
    let page = ("origin", "http://localhost:5173");
    let response = server.call_with("GET", "/workspaces", "", &[page]);
    assert!(!response.headers.contains_key("access-control-allow-origin"));
    response.refusal(401);
    // A browser sends a request with a key only after a successful preflight.
    let preflight =
        [page, ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
    let response = server.call_with("OPTIONS", "/workspaces", "", &preflight);
    assert!(!response.headers.contains_key("access-control-allow-origin"));
}

#[test]
fn the_key_is_stored_in_a_private_file_and_not_printed() {
    let data = tempfile::tempdir().expect("the tests may write to /tmp");
    let mut server = Command::new(env!("CARGO_BIN_EXE_orgo-desktop"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let lines = BufReader::new(server.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let hints: Vec<_> = lines.filter(|line| line.contains("export ")).take(2).collect();
    let file = data.path().join("api-key");
    let key = fs::read_to_string(&file).expect("it is stored");
    assert_eq!(fs::metadata(&file).expect("it exists").permissions().mode() & 0o777, 0o600);
    // The commands that the server prints read the key from its file and set the variable.
    let script = format!("{}; echo $ORGO_API_KEY", hints.join(";"));
    let output = Command::new("sh").args(["-c", &script]).output().expect("every system has a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout), key);
    kill_process(Pid::from_child(&server), Signal::TERM).expect("it is running");
    let log = server.wait_with_output().expect("it ends").stderr;
    let printed = hints.concat() + &String::from_utf8_lossy(&log);
    assert!(!printed.contains(key.trim()), "{printed}");
}

#[test]
fn only_pages_of_allowed_origins_may_read_responses() {
    let data = tempfile::tempdir().expect("the tests may write to /tmp");
    let server = Server::start_in(data, &["--allow-origin", "https://desk.example"]);
    let key = format!("Bearer {KEY}");
    let readable_from = |origin| {
        let response =
            server.call_with("GET", "/workspaces", "", &[("authorization", &key), ("origin", origin)]);
        response.headers.get("access-control-allow-origin").is_some_and(|allowed| allowed == origin)
    };
    assert!(readable_from("https://desk.example"));
    assert!(!readable_from("http://localhost:5173"));
    assert!(!readable_from("https://evil.example"));
    // A browser first sends a preflight request, without the key.
    let preflight = [
        ("origin", "https://desk.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let response = server.call_with("OPTIONS", "/computers", "", &preflight);
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["access-control-allow-origin"], "https://desk.example");
    assert_eq!(response.headers["access-control-allow-headers"], "authorization,content-type");
}

#[test]
fn unknown_paths_methods_and_bodies_are_refused_in_the_documented_format() {
    let server = Server::start();
    server.get("/nothing").refusal(404);
    server.call("POST", "/workspaces/x", &json!({})).refusal(405);
    server.get("/computers/x").refusal(404);
    server.get("/workspaces/x").refusal(404);
    let key = format!("Bearer {KEY}");
    let post = |body: &str| server.call_with("POST", "/workspaces", body, &[("authorization", &key)]);
    assert!(post("{").refusal(400).contains("JSON"));
    assert_eq!(post("").refusal(400), "name is required");
    assert!(post(r#"{"name": " "}"#).refusal(400).starts_with("name: "));
    post(&"x".repeat(2_000_000)).refusal(413);
    server.call("POST", "/workspaces", &json!({ "name": "Lab" })).expect(201);
    assert!(
        server.call("POST", "/projects", &json!({ "name": "lab" })).refusal(400).contains("already exists")
    );
}

#[test]
fn a_screenshot_by_password_needs_the_password_of_that_computer() {
    let server = Server::start();
    let computer = server.computer();
    let url = computer.show()["url"].as_str().expect("it is a string").to_owned();
    let address = url.strip_prefix(&server.origin).expect("it is on this server").to_owned();
    let request = |path: &str, password: &str| {
        let head = format!("Host: localhost\r\nAuthorization: Bearer {password}\r\nConnection: close\r\n");
        status(&server, &format!("GET {path} HTTP/1.1\r\n{head}\r\n"))
    };
    let own = format!("{address}/screenshot");
    assert_eq!(request(&own, &computer.password()), 200);
    assert_eq!(request(&own, "wrong"), 401);
    assert_eq!(request(&own, KEY), 401);
    assert_eq!(request("/desktops/00000000/screenshot", &computer.password()), 404);
    assert_eq!(request(&format!("/api/computers/{}", computer.id), &computer.password()), 401);
}

#[test]
fn a_socket_is_reachable_by_the_host_names_of_the_older_generation() {
    let server = Server::start();
    let computer = server.computer();
    let password = computer.password();
    let instance = computer.show()["instance_id"].as_str().expect("it is a string").to_owned();
    for id in [&instance, &computer.id] {
        let mut events =
            Socket::open_by_host(&computer, &format!("{id}.localhost"), &format!("/events?token={password}"));
        events.send(&json!({ "type": "ping" }));
        assert_eq!(events.frame()["type"], "pong");
    }
    let path = format!("/events?token={password}");
    assert_eq!(Socket::open_by_host(&computer, "localhost", &path).close_code(), 4404);
}

#[test]
fn a_refused_socket_closes_with_the_documented_code() {
    let server = Server::start();
    let computer = server.computer();
    let instance = computer.show()["instance_id"].as_str().expect("it is a string").to_owned();
    let code = |path: &str| Socket::open_at(&computer, path).close_code();
    for channel in ["terminal", "audio", "events", "websockify"] {
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}")), 4401);
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}?token=wrong")), 4401);
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}?token={KEY}")), 4401);
        assert_eq!(code(&format!("/desktops/00000000/ws/{channel}?token=wrong")), 4404);
    }
}
