//! The events channel: every event type, caused by a real change in the computer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Computer, Server, full};
use crate::socket::Socket;

fn subscribe(computer: &Computer<'_>, types: &[&str]) -> Socket {
    let mut events = Socket::open(computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": types }));
    assert_eq!(events.frame(), json!({ "type": "subscribed", "message": "ok" }));
    events
}

/// Waits for an event of this type whose data matches, and returns the data. Skips other events.
#[track_caller]
fn next(events: &mut Socket, kind: &str, matches: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = events.frame_of("event");
        let event = &frame["event"];
        let timestamp = event["timestamp"].as_str().expect("it is a string");
        assert_eq!((timestamp.len(), timestamp.ends_with('Z')), (24, true), "{timestamp}");
        if event["type"] == kind && matches(&event["data"]) {
            return event["data"].clone();
        }
    }
}

#[test]
fn a_window_causes_events_when_it_opens_gets_the_focus_and_closes() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["window_open", "window_focus", "window_close"]);
    let titled = |data: &Value| data["title"].as_str().is_some_and(|title| title.contains("Mousepad"));
    computer.bash("mousepad >/dev/null 2>&1 &");
    let opened = next(&mut events, "window_open", titled);
    assert!(opened["window_id"].as_str().is_some_and(|id| id.starts_with("0x")), "{opened}");
    let same = |data: &Value| data["window_id"] == opened["window_id"];
    next(&mut events, "window_focus", same);
    computer.act("key", &json!({ "key": "alt+F4" })).expect(200);
    next(&mut events, "window_close", same);
}

#[test]
fn a_clipboard_event_contains_the_copied_text() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["clipboard"]);
    computer.bash("printf 'copied: é 世界' | xclip -selection clipboard");
    next(&mut events, "clipboard", |data| data["content"] == "copied: é 世界");
}

#[test]
fn each_copy_causes_an_event_even_of_the_same_text() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["clipboard"]);
    for (command, content) in [
        ("printf same | xclip -selection clipboard", "same"),
        ("printf same | xclip -selection clipboard", "same"),
        ("printf x | xclip -selection clipboard -t image/png", ""),
        ("printf same | xclip -selection clipboard", "same"),
    ] {
        computer.bash(command);
        assert_eq!(events.frame_of("event")["event"]["data"], json!({ "content": content }), "{command}");
    }
}

#[test]
fn a_recreated_folder_is_watched_and_a_replaced_file_is_modified() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["file_change"]);
    let change = |path: &str, action: &str| json!({ "path": format!("/home/user/{path}"), "action": action });
    let mut expect = |path: &str, action: &str| {
        assert_eq!(events.frame_of("event")["event"]["data"], change(path, action));
    };
    // Deletes the folder and creates it again. Then moves it away, changes it and moves it back.
    computer.bash("rm -rf ~/Downloads; mkdir ~/Downloads; mkdir ~/Downloads/a");
    expect("Downloads/a", "created");
    computer.bash("mv ~/Downloads ~/x; rmdir ~/x/a; mkdir ~/x/b; mv ~/x ~/Downloads");
    expect("Downloads/a", "deleted");
    expect("Downloads/b", "created");
    computer.bash("echo old > ~/note; mv ~/note ~/Desktop/note");
    expect("Desktop/note", "created");
    let save = "import os, time
began = time.monotonic()
with open('Desktop/note.tmp', 'w') as file: file.write('new')
os.replace('Desktop/note.tmp', 'Desktop/note')
print(time.monotonic() - began < 0.25)";
    // Repeats the save if the machine was too slow, because then an event may report the temporary file.
    while computer.act("exec", &json!({ "code": save })).expect(200)["output"] != "True\n" {
        loop {
            if events.frame_of("event")["event"]["data"] == change("Desktop/note", "modified") {
                break;
            }
        }
    }
    assert_eq!(events.frame_of("event")["event"]["data"], change("Desktop/note", "modified"));
}

#[test]
fn files_in_desktop_and_downloads_are_watched() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["file_change"]);
    computer.bash("echo 1 > Desktop/a; mv Desktop/a Downloads/b; rm Downloads/b");
    let home = computer.home();
    for (path, action) in [
        ("Desktop/a", "created"),
        ("Desktop/a", "modified"),
        ("Desktop/a", "deleted"),
        ("Downloads/b", "created"),
        ("Downloads/b", "deleted"),
    ] {
        let path = format!("{home}/{path}");
        next(&mut events, "file_change", |data| *data == json!({ "path": path, "action": action }));
    }
}

#[test]
fn process_events_contain_the_pid_inside_the_computer() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["process_start", "process_stop"]);
    let printed = computer.bash("sleep 1000 >/dev/null & echo $!");
    let pid: u32 =
        printed["output"].as_str().and_then(|text| text.trim().parse().ok()).expect("it is a number");
    let it = json!({ "pid": pid, "name": "sleep" });
    next(&mut events, "process_start", |data| *data == it);
    computer.bash(&format!("kill {pid}"));
    next(&mut events, "process_stop", |data| *data == it);
}

/// Helpers, such as recorders, start and end with the channels, but they are not processes of the user.
#[test]
fn helpers_of_the_server_cause_no_process_events() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["process_start", "process_stop"]);
    for _ in 0..if full() { 20 } else { 3 } {
        let mut audio_events = Socket::open(&computer, "events", "");
        audio_events.send(&json!({ "type": "subscribe", "event_types": ["audio_stream_start"] }));
        audio_events.frame_of("subscribed");
        let mut audio = Socket::open(&computer, "audio", "");
        audio.frame_of("started");
        // Waits for longer than the interval at which the server reads the list of processes.
        computer.bash("sleep 0.4");
        drop((audio_events, audio));
        computer.bash("sleep 0.4");
    }
    events.send(&json!({ "type": "ping" }));
    let mut names = BTreeSet::new();
    loop {
        let frame = events.frame();
        if frame["type"] == "pong" {
            break;
        }
        names.insert(frame["event"]["data"]["name"].as_str().expect("it has a name").to_owned());
    }
    // Bash replaces itself with its last command, so there may be no event for the process named `bash`.
    names.remove("bash");
    assert_eq!(names, BTreeSet::from(["sleep".to_owned()]));
}

#[test]
fn an_audio_stream_causes_events_when_it_starts_and_stops() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["audio_stream_start", "audio_stream_stop"]);
    computer.bash("head -c 48000 /dev/zero | pacat --raw");
    next(&mut events, "audio_stream_start", |data| *data == json!({}));
    next(&mut events, "audio_stream_stop", |data| *data == json!({}));
}

#[test]
fn a_resized_screen_causes_an_event_and_changes_the_resolution() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["screen_change"]);
    computer.bash("xrandr -s 1024x768");
    next(&mut events, "screen_change", |data| *data == json!({ "width": 1024, "height": 768 }));
    let shot = server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    assert_eq!((&shot["width"], &shot["height"]), (&json!(1024), &json!(768)));
    assert_eq!(computer.show()["instance_details"]["resolution"], "1024x768x24");
}

#[test]
fn a_computer_is_idle_after_30_seconds_and_active_after_input() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = subscribe(&computer, &["idle", "active"]);
    let idle = next(&mut events, "idle", |_| true);
    assert!(idle["idle_seconds"].as_u64().is_some_and(|seconds| seconds >= 30), "{idle}");
    computer.act("click", &json!({ "x": 600, "y": 300 })).expect(200);
    next(&mut events, "active", |data| *data == json!({}));
}

#[test]
fn a_subscription_with_an_unknown_type_has_no_effect() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["clipboard", "windowfocus"] }));
    assert_eq!(events.frame(), json!({ "type": "error", "message": "Unknown event type: windowfocus" }));
    events.send(&json!({ "type": "unsubscribe", "event_types": ["clipboard"] }));
    assert_eq!(events.frame(), json!({ "type": "unsubscribed", "message": "ok" }));
    events.send(&json!({ "type": "ping" }));
    assert_eq!(events.frame(), json!({ "type": "pong" }));
}
