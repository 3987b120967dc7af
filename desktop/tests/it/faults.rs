//! Tests in which parts of a computer fail: the other parts still work, errors are reported, and resources are
//! released.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};
use tungstenite::Message;

use crate::server::{Computer, Server, full, wait_until};
use crate::socket::Socket;

/// Returns the memory of the server process, without its children, in KiB.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).expect("it is running");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel reports it");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("it is a number")
}

/// The additional memory, in KiB, that the server may use after a flood, for socket buffers and for freed memory that
/// its allocator keeps.
const SLACK: u64 = 64 * 1024;

#[test]
fn a_crashed_audio_server_closes_its_channels_and_restarts() {
    let server = Server::start();
    let computer = server.computer();
    let mut audio = Socket::open(&computer, "audio", "");
    audio.frame_of("started");
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["audio_stream_start"] }));
    events.frame_of("subscribed");
    computer.bash("pkill -9 pulseaudio");
    assert_eq!(audio.close_code(), 4500);
    wait_until("the audio server to restart", || {
        let mut audio = Socket::open(&computer, "audio", "");
        audio.frame()["type"] == "started"
    });
    // The events channel subscribes to the audio server again after a moment, so the command plays until the event has
    // arrived.
    computer.bash("(until [ -e seen ]; do head -c 4800 /dev/zero | pacat --raw; done) >/dev/null 2>&1 &");
    assert_eq!(events.frame_of("event")["event"]["type"], "audio_stream_start");
    computer.bash("touch seen");
    assert_eq!(computer.show()["status"], "running");
}

#[test]
fn crashed_parts_of_the_desktop_restart() {
    let server = Server::start();
    let computer = server.computer();
    for program in ["openbox", "tint2", "pcmanfm", "dbus-daemon"] {
        let before = computer.bash(&format!("pgrep -x {program}"))["output"].clone();
        computer.bash(&format!("pkill -9 -x {program}"));
        wait_until(program, || {
            let now = computer.bash(&format!("pgrep -x {program}"));
            now["exit_code"] == 0 && now["output"] != before
        });
    }
}

#[test]
fn the_exit_code_of_a_killed_shell_contains_its_signal() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = Socket::open(&computer, "terminal", "");
    terminal.send(&json!({ "type": "input", "data": "kill -9 $$\r" }));
    assert_eq!(terminal.frame_of("exit")["code"], 137);
    assert_eq!(terminal.close_code(), 1000);
}

#[test]
fn calls_work_while_an_application_hangs() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["window_focus"] }));
    events.frame_of("subscribed");
    computer.bash("mousepad --disable-server >/dev/null 2>&1 &");
    while !events.frame_of("event")["event"]["data"]["title"].as_str().is_some_and(|t| t.contains("Mousepad"))
    {
    }
    computer.bash("pkill -STOP mousepad");
    for (action, body) in [
        ("type", json!({ "text": "not processed: жλ😀" })),
        ("key", json!({ "key": "ctrl+a" })),
        ("click", json!({ "x": 640, "y": 300 })),
        ("drag", json!({ "start_x": 600, "start_y": 300, "end_x": 700, "end_y": 300, "duration": 0.1 })),
        ("scroll", json!({ "direction": "down", "x": 640, "y": 300 })),
    ] {
        computer.act(action, &body).expect(200);
    }
    server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    computer.act("stop", &json!({})).expect(200);
    computer.wait_for_status("stopped");
}

#[test]
fn a_hung_display_is_reported_and_commands_still_work() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash("pkill -STOP Xvnc");
    let refusal = computer.act("click", &json!({ "x": 1, "y": 1 })).refusal(503);
    assert!(refusal.contains("Could not reach the desktop"), "{refusal}");
    assert_eq!(computer.bash("echo well")["output"], "well\n");
    computer.bash("pkill -CONT Xvnc");
    computer.act("click", &json!({ "x": 1, "y": 1 })).expect(200);
}

#[test]
fn clients_that_never_read_use_little_memory_and_do_not_block_calls() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = Socket::open(&computer, "terminal", "");
    let mut audio = Socket::open(&computer, "audio", "&sample_rate=192000&channels=2");
    let mut events = Socket::open(&computer, "events", "");
    audio.frame_of("started");
    events
        .send(&json!({ "type": "subscribe", "event_types": ["file_change", "process_start", "clipboard"] }));
    events.frame_of("subscribed");
    let before = memory(&server);
    terminal.send(&json!({ "type": "input", "data": "yes 'a flood that nobody reads'\r" }));
    for round in 0..if full() { 100 } else { 10 } {
        computer
            .bash(&format!("for n in $(seq 1000); do echo > Desktop/{round}-$n; done; rm Desktop/{round}-*"));
        computer.bash("seq 100000 | xclip -selection clipboard");
        computer.act("click", &json!({ "x": 1, "y": 1 })).expect(200);
    }
    let after = memory(&server);
    assert!(after < before + SLACK, "from {before} to {after} KB");
    drop((terminal, audio, events));
    // The end of the socket ends the shell, which ends the flood.
    wait_until("the flood to end", || computer.bash("pgrep -x yes")["exit_code"] == 1);
    wait_until("the recorder to end", || computer.bash("pgrep -x parec")["exit_code"] == 1);
}

/// Returns whether the server has an open socket that is connected to this port. Ignores closed sockets with
/// undelivered data.
fn is_connected_to(server: &Server, port: u16) -> bool {
    const REMOTE: usize = 2;
    const INODE: usize = 9;
    let table = fs::read_to_string(format!("/proc/{}/net/tcp", server.process.id())).expect("it is running");
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .any(|fields| fields[REMOTE].ends_with(&suffix) && fields[INODE] != "0")
}

#[test]
fn a_client_that_never_reads_is_disconnected_when_its_channel_ends() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = Socket::open(&computer, "terminal", "");
    terminal.minimize_receive_buffer();
    terminal.send(&json!({ "type": "input", "data": "yes 'a flood that nobody reads'\r" }));
    wait_until("the flood to fill all buffers", || {
        let written = "grep wchar /proc/$(pgrep -x yes)/io";
        let is_blocked =
            computer.bash(&format!("a=$({written}); sleep 0.5; b=$({written}); [ \"$a\" = \"$b\" ]"));
        is_blocked["exit_code"] == 0 && computer.bash("pgrep -x yes")["exit_code"] == 0
    });
    assert!(is_connected_to(&server, terminal.port()));
    computer.bash("pkill -KILL -x yes; pkill -KILL -x bash");
    wait_until("the server to close the connection", || !is_connected_to(&server, terminal.port()));
    assert_eq!(computer.bash("echo well")["output"], "well\n");
}

#[test]
fn a_burst_of_file_changes_is_reported_up_to_the_queue_capacity() {
    let server = Server::start();
    let computer = server.computer();
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["file_change"] }));
    events.frame_of("subscribed");
    let before = memory(&server);
    // Uses long names, so that the socket buffers cannot contain all events.
    let name = "n".repeat(200);
    computer.bash(&format!("cd Desktop; for n in $(seq 10000); do : > {name}-$n; done"));
    computer.bash("touch Downloads/last");
    assert!(memory(&server) < before + SLACK);
    let later = format!("{}/Downloads/later", computer.home());
    let mut received = 0;
    // The server drops events while the queue is full, perhaps also the event of `last`, but it delivers later events.
    loop {
        computer.bash("touch Downloads/later; rm Downloads/later");
        events.send(&json!({ "type": "ping" }));
        let mut seen = false;
        loop {
            let frame = events.frame();
            if frame["type"] == "pong" {
                break;
            }
            received += 1;
            seen |= frame["event"]["data"]["path"] == later;
        }
        if seen {
            break;
        }
    }
    assert!(received >= 256, "{received}");
}

#[test]
fn ten_computers_run_concurrently() {
    let server = Server::start();
    let workspace = server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201);
    let computers: Vec<Computer<'_>> = (0..10)
        .map(|number| {
            let new = json!({ "workspace_id": workspace["id"], "name": format!("c{number}") });
            let made = server.call("POST", "/computers", &new).expect(201);
            Computer { server: &server, id: made["id"].as_str().expect("it has an ID").to_owned() }
        })
        .collect();
    let mut names = std::collections::HashSet::new();
    for computer in &computers {
        computer.wait_for_status("running");
        computer.act("click", &json!({ "x": 1279, "y": 719 })).expect(200);
        assert!(names.insert(computer.bash("echo $DISPLAY ~")["output"].to_string()));
    }
    let path = format!("/workspaces/{}", workspace["id"].as_str().expect("it is a string"));
    server.call("DELETE", &path, &json!({})).expect(200);
    assert_eq!(fs::read_dir(server.data.path().join("computers")).expect("it exists").count(), 0);
}

#[test]
fn a_full_disk_is_reported_without_data_loss() {
    let server = Server::start_on_small_disk(12);
    let computer = server.computer();
    computer.bash("echo kept > kept");
    let fill = computer.bash("dd if=/dev/zero of=~/fill bs=64k 2>&1; sync");
    assert!(fill["output"].as_str().is_some_and(|text| text.contains("No space left")), "{fill}");
    let mut made = Vec::new();
    let refused = loop {
        let response = server.call("POST", "/workspaces", &json!({ "name": format!("w{}", made.len()) }));
        if response.status != 201 {
            break response;
        }
        made.push(response.body["id"].clone());
    };
    assert!(refused.refusal(507).contains("disk is full"));
    // Calls that need no disk space still work.
    computer.act("click", &json!({ "x": 1, "y": 1 })).expect(200);
    server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    assert_eq!(computer.bash("cat kept")["output"], "kept\n");

    computer.bash("rm ~/fill");
    made.push(server.call("POST", "/workspaces", &json!({ "name": "after" })).expect(201)["id"].clone());
    let listed = server.get("/workspaces").expect(200);
    let ids: Vec<&Value> = listed["workspaces"]
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|workspace| &workspace["id"])
        .collect();
    assert!(made.iter().all(|id| ids.contains(&id)));
    drop(server);
}

#[test]
fn a_second_signal_ends_the_server_cleanly() {
    let mut server = Server::start();
    let computer = server.computer();
    computer.bash("trap '' TERM; (while :; do sleep 1; done) & true");
    server.signal(Signal::TERM);
    server.signal(Signal::TERM);
    assert!(server.process.wait().expect("it ends").success());
}

#[test]
fn channels_close_with_code_1001_when_their_computer_stops() {
    let server = Server::start();
    let computer = server.computer();
    let mut sockets = ["terminal", "audio", "events"].map(|channel| Socket::open(&computer, channel, ""));
    computer.act("stop", &json!({})).expect(200);
    for socket in &mut sockets {
        loop {
            if let Message::Close(frame) = socket.message() {
                assert_eq!(u16::from(frame.expect("it has a code").code), 1001);
                break;
            }
        }
    }
}
