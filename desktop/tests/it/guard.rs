//! Who is let in.

use serde_json::json;

use crate::server::{KEY, Server};
use crate::socket::Socket;

#[test]
fn a_call_needs_the_key() {
    let server = Server::start();
    let call = |headers: &[(&str, &str)]| server.call_with("GET", "/workspaces", "", headers);
    assert!(call(&[]).refusal(401).starts_with("Missing API key"));
    assert!(call(&[("authorization", "Bearer wrong")]).refusal(401).starts_with("Invalid API key"));
    call(&[("authorization", &format!("bearer {KEY}"))]).expect(200);
}

#[test]
fn a_foreign_host_or_origin_is_refused_with_the_right_key_too() {
    let server = Server::start();
    let key = format!("Bearer {KEY}");
    let call =
        |name, value| server.call_with("GET", "/workspaces", "", &[("authorization", &key), (name, value)]);
    call("host", "evil.example").refusal(403);
    call("origin", "https://evil.example").refusal(403);
    call("origin", "http://localhost:5173").expect(200);
}

#[test]
fn a_page_of_an_allowed_origin_may_read_answers_and_others_may_not() {
    let data = tempfile::tempdir().expect("the tests may write to /tmp");
    let server = Server::start_in(data, &["--allow-origin", "https://desk.example"]);
    let key = format!("Bearer {KEY}");
    let readable_from = |origin| {
        let answer =
            server.call_with("GET", "/workspaces", "", &[("authorization", &key), ("origin", origin)]);
        answer.headers.get("access-control-allow-origin").is_some_and(|allowed| allowed == origin)
    };
    assert!(readable_from("https://desk.example"));
    assert!(!readable_from("http://localhost:5173"));
    assert!(!readable_from("https://evil.example"));
    // A browser asks first, and without the key.
    let asked = [
        ("origin", "https://desk.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = server.call_with("OPTIONS", "/computers", "", &asked);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "https://desk.example");
    assert_eq!(answer.headers["access-control-allow-headers"], "authorization,content-type");
}

#[test]
fn unknown_paths_methods_and_bodies_are_refused_in_the_documented_shape() {
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
fn a_socket_is_reached_by_the_older_generations_host_names_too() {
    let server = Server::start();
    let computer = server.computer();
    let password = computer.password();
    let instance = computer.show()["instance_id"].as_str().expect("it is a text").to_owned();
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
fn a_socket_that_is_refused_is_closed_with_the_documented_code() {
    let server = Server::start();
    let computer = server.computer();
    let instance = computer.show()["instance_id"].as_str().expect("it is a text").to_owned();
    let code = |path: &str| Socket::open_at(&computer, path).close_code();
    for channel in ["terminal", "audio", "events"] {
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}")), 4401);
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}?token=wrong")), 4401);
        assert_eq!(code(&format!("/desktops/{instance}/ws/{channel}?token={KEY}")), 4401);
        assert_eq!(code(&format!("/desktops/00000000/ws/{channel}?token=wrong")), 4404);
    }
}
