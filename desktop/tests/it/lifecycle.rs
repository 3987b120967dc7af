//! The life cycle of a computer and of the server: start, stop, restart and deletion.

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use crate::server::{Computer, Server, wait_until};

#[test]
fn the_home_survives_a_stop_but_the_password_changes() {
    let server = Server::start();
    let computer = server.computer();
    let password = computer.password();
    computer.bash("echo kept > file");
    assert_eq!(computer.act("stop", &json!({})).expect(200)["status"], "stopping");
    computer.wait_for_status("stopped");
    assert_eq!(computer.act("stop", &json!({})).expect(200)["success"], true);
    assert!(
        computer
            .act("click", &json!({ "x": 1, "y": 1 }))
            .refusal(400)
            .starts_with("Desktop instance not available")
    );
    server.get(&format!("/computers/{}/vnc-password", computer.id)).refusal(404);

    assert_eq!(computer.act("start", &json!({})).expect(200)["status"], "starting");
    assert_eq!(computer.bash("cat file")["output"], "kept\n");
    let second = computer.password();
    assert_ne!(second, password);
    assert_eq!(computer.act("start", &json!({})).expect(200)["status"], "running");
    assert_eq!(computer.password(), second);

    assert_eq!(computer.act("restart", &json!({})).expect(200)["status"], "restarting");
    assert_eq!(computer.bash("cat file")["output"], "kept\n");
    assert_ne!(computer.password(), second);

    server.call("DELETE", &format!("/computers/{}", computer.id), &json!({})).expect(200);
    assert!(!server.data.path().join("computers").join(&computer.id).exists());
}

#[test]
fn a_computer_whose_display_ended_has_an_error_and_can_start_again() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash("pkill Xvnc");
    computer.wait_for_status("error");
    computer.act("start", &json!({})).expect(200);
    computer.wait_for_status("running");
}

/// Returns the number of running boxes and agents of a server. The command line of each contains the path of a home.
fn processes_of(data: &Path) -> usize {
    let data = data.display().to_string();
    let commands = std::fs::read_dir("/proc").expect("Linux has /proc").flatten();
    commands
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|command| {
            let command = String::from_utf8_lossy(command);
            (command.starts_with("bwrap") || command.contains("--unboxed")) && command.contains(&data)
        })
        .count()
}

#[test]
fn a_server_leaves_no_processes_and_the_next_one_restarts_its_computers() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let mut server = Server::start();
        let computer = server.computer();
        computer.bash("echo kept > file; sync");
        let id = computer.id.clone();
        assert!(processes_of(server.data.path()) > 0);
        server.signal(signal);
        let status = server.process.wait().expect("it ends");
        assert_eq!(status.success(), signal != Signal::KILL, "{status}");
        wait_until("the box to end", || processes_of(server.data.path()) == 0);

        let data =
            std::mem::replace(&mut server.data, tempfile::tempdir().expect("the tests may write to /tmp"));
        let server = Server::start_in(data, &[]);
        let computer = Computer { server: &server, id };
        assert_eq!(computer.bash("cat file")["output"], "kept\n");
    }
}

#[test]
fn a_starting_computer_can_be_deleted_with_its_workspace() {
    let server = Server::start();
    let workspace = server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201);
    let made = server
        .call("POST", "/computers", &json!({ "workspace_id": workspace["id"], "name": "one" }))
        .expect(201);
    let again = json!({ "project_id": workspace["id"], "name": "one" });
    assert!(server.call("POST", "/computers", &again).refusal(409).contains("already exists"));
    let path = format!("/workspaces/{}", workspace["id"].as_str().expect("it is a string"));
    server.call("DELETE", &path, &json!({})).expect(200);
    server.get(&path).refusal(404);
    server.get(&format!("/computers/{}", made["id"].as_str().expect("it is a string"))).refusal(404);
    assert_eq!(processes_of(server.data.path()), 0);
}

#[test]
fn a_signal_while_a_computer_starts_ends_the_server_cleanly() {
    let mut server = Server::start();
    let workspace = server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201);
    server.call("POST", "/computers", &json!({ "workspace_id": workspace["id"], "name": "one" })).expect(201);
    server.signal(Signal::INT);
    assert!(server.process.wait().expect("it ends").success());
    assert_eq!(processes_of(server.data.path()), 0);
}
