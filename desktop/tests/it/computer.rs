//! One computer: its description, screen, input and commands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::server::{Server, is_sandboxed, wait_until};
use crate::socket::Socket;

#[test]
fn a_computer_has_the_fields_of_every_protocol_generation() {
    let server = Server::start();
    let computer = server.computer();
    let shown = computer.show();
    assert_eq!(shown["resolution"], "1280x720x24");
    assert_eq!(shown["instance_details"]["resolution"], "1280x720x24");
    assert_eq!((&shown["os"], &shown["ram"], &shown["cpu"]), (&json!("linux"), &json!(4), &json!(2)));
    assert_eq!(shown["instance_id"], shown["fly_instance_id"]);
    let instance = shown["instance_id"].as_str().expect("it is a string");
    assert_eq!(shown["connection_url"], format!("{}/desktops/{instance}", server.origin));
    assert_eq!(shown["vnc_password"], computer.password());
    assert_eq!(server.get(&format!("/computers/{instance}")).expect(200)["id"], shown["id"]);

    let workspace = shown["workspace_id"].as_str().expect("it is a string");
    let listed = server.get("/projects").expect(200);
    assert_eq!(listed["projects"][0]["computer_count"], 1);
    let listed = server.get("/workspaces/").expect(200);
    assert_eq!(listed["workspaces"][0]["desktops"][0]["id"], shown["id"]);
    server.call("DELETE", &format!("/workspaces/{workspace}"), &json!({})).expect(200);
    assert_eq!(server.get(&format!("/computers/{instance}")).refusal(404), "Computer not found");
}

#[test]
fn an_editor_receives_typed_text_and_screenshots_are_converted() {
    let server = Server::start();
    let computer = server.computer();
    let shot = server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    assert_eq!(
        (&shot["width"], &shot["height"], &shot["mime_type"]),
        (&json!(1280), &json!(720), &json!("image/png"))
    );
    let png = STANDARD.decode(shot["image"].as_str().expect("it is a string")).expect("it is base64");
    let mut image = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("it is a PNG");
    assert_eq!((image.info().width, image.info().height), (1280, 720));
    let mut pixels = vec![0; image.output_buffer_size().expect("the image is small")];
    image.next_frame(&mut pixels).expect("it is complete");
    // The first screenshot already contains the wallpaper. Without the wallpaper, the screen is black.
    assert_ne!(pixels[..3], [0; 3]);

    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["window_focus"] }));
    events.frame_of("subscribed");
    computer.bash("mousepad ~/note.txt >/dev/null 2>&1 &");
    while !events.frame_of("event")["event"]["data"]["title"]
        .as_str()
        .is_some_and(|title| title.contains("note.txt"))
    {}
    let typed = computer.act("type", &json!({ "text": "Grüße, 世界 🙂" })).expect(200);
    assert_eq!(typed["details"]["text_length"], 11);
    computer.act("key", &json!({ "key": "ctrl+s" })).expect(200);
    wait_until("the file", || {
        computer.bash("cat ~/note.txt")["output"]
            .as_str()
            .is_some_and(|text| text.trim_end() == "Grüße, 世界 🙂")
    });

    let after =
        server.get(&format!("/computers/{}/screenshot?format=jpeg&scale=0.5", computer.id)).expect(200);
    assert_eq!((&after["width"], &after["mime_type"]), (&json!(640), &json!("image/jpeg")));
}

#[test]
fn an_error_names_the_invalid_parameter() {
    let server = Server::start();
    let computer = server.computer();
    for (action, body, field) in [
        ("click", json!({ "y": 1 }), "x is required"),
        ("click", json!({ "x": 1280, "y": 1 }), "x: "),
        ("click", json!({ "x": 1, "y": -1 }), "y: "),
        ("click", json!({ "x": 1, "y": 1, "button": "side" }), "button: "),
        ("drag", json!({ "start_x": 0, "start_y": 0, "end_x": 9999, "end_y": 0 }), "end_x: "),
        ("key", json!({ "key": "nosuchkey" }), "key: "),
        ("scroll", json!({ "direction": "in" }), "direction: "),
        ("scroll", json!({ "direction": "up", "amount": 0 }), "amount: "),
        ("wait", json!({}), "duration is required"),
        ("wait", json!({ "duration": 61 }), "duration: "),
        ("bash", json!({ "command": "true", "timeout": 301 }), "timeout: "),
        ("exec", json!({}), "code is required"),
    ] {
        let refusal = computer.act(action, &body).refusal(400);
        assert!(refusal.starts_with(field), "{action} {body}: {refusal}");
    }
    let refusal =
        server.get(&format!("/computers/{}/screenshot?response_format=pdf", computer.id)).refusal(400);
    assert!(refusal.contains("response_format"), "{refusal}");
    for (action, body) in [
        ("click", json!({ "x": 0, "y": 0, "button": "left", "double": true })),
        ("drag", json!({ "start_x": 0, "start_y": 0, "end_x": 1279, "end_y": 719, "duration": 0.05 })),
        ("scroll", json!({ "direction": "down" })),
        ("wait", json!({ "seconds": 0.01 })),
    ] {
        assert_eq!(computer.act(action, &body).expect(200)["success"], true, "{action}");
    }
}

#[test]
fn a_command_returns_its_output_and_exit_code() {
    let server = Server::start();
    let computer = server.computer();
    let response = computer.bash("echo out; echo err >&2; exit 3");
    assert_eq!(
        (&response["output"], &response["exit_code"], &response["success"]),
        (&json!("out\nerr\n"), &json!(3), &json!(true))
    );
    assert_eq!(computer.bash("kill -9 $$")["exit_code"], 137);
    assert_eq!(computer.bash("echo $USER; pwd")["output"], format!("user\n{}\n", computer.home()));
    if is_sandboxed() {
        assert_eq!(computer.bash("id -un; pwd")["output"], "user\n/home/user\n");
    }
    let large = computer.bash("head -c 300000 /dev/zero | tr '\\0' x");
    assert_eq!(large["output"].as_str().map(str::len), Some(300_000));
}

#[test]
fn a_background_program_does_not_delay_its_command_and_outlives_it() {
    let server = Server::start();
    let computer = server.computer();
    let started = computer.bash("(while sleep 0.05; do echo still here; done) & echo $!");
    let process =
        started["output"].as_str().and_then(|text| text.lines().next()).expect("it prints the ID").to_owned();
    assert_eq!(computer.bash(&format!("sleep 0.3; kill -0 {process}"))["exit_code"], 0);
}

#[test]
fn a_timeout_ends_the_whole_process_tree_and_keeps_the_output() {
    let server = Server::start();
    let computer = server.computer();
    let command = "echo begun; setsid sleep 4321 & (setsid env -i sleep 4321 &) ; sleep 4321";
    let response = computer.act("bash", &json!({ "command": command, "timeout": 1 })).expect(500);
    assert_eq!((&response["output"], &response["upstream_status"]), (&json!("begun\n"), &json!(408)));
    wait_until("every process to end, even those with another session and environment", || {
        computer.bash("pgrep -f 'sleep 432[1]'")["exit_code"] == 1
    });

    let response = computer
        .act("exec", &json!({ "code": "print('begun')\nwhile True: pass", "timeout": 1 }))
        .expect(200);
    assert_eq!(
        (&response["output"], &response["timeout"], &response["success"]),
        (&json!("begun\n"), &json!(true), &json!(false))
    );
}

#[test]
fn python_reports_the_exception_separately_from_the_output() {
    let server = Server::start();
    let computer = server.computer();
    let run = |code: &str| computer.act("exec", &json!({ "code": code })).expect(200);
    let response = run("import sys\nprint(2 + 2)\nprint('é', file=sys.stderr)");
    assert_eq!(
        (&response["success"], &response["output"], &response["timeout"]),
        (&json!(true), &json!("4\né\n"), &json!(false))
    );
    let response = run("print('a')\nq");
    assert_eq!((&response["success"], &response["output"]), (&json!(false), &json!("a\n")));
    assert_eq!(
        (&response["error"], &response["error_type"]),
        (&json!("name 'q' is not defined (line 2)"), &json!("NameError"))
    );
    assert_eq!(run("(")["error_type"], "SyntaxError");
    assert_eq!(run("import os; os._exit(7)")["success"], false);
    assert_eq!(run("raise SystemExit(0)")["success"], true);
    assert_eq!(run("class A:\n  pass\ndef f(): return A\nprint(f().__module__)")["output"], "__main__\n");
}
