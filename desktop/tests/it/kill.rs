//! Tests that a `kill -9` of the server under load, at a random moment, loses no acknowledged change and leaves no
//! process.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::files::{form, try_send};
use crate::random::Random;
use crate::server::{Server, full, wait_until};

/// The changes that the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    workspaces: HashSet<String>,
    computers: HashSet<String>,
    deleted: HashSet<String>,
    /// Lines in the home of the first computer, each as the name of a file and the number in the line.
    lines: HashSet<(String, u32)>,
    /// The contents of the files that were uploaded for that computer, by file ID.
    uploads: HashMap<String, String>,
}

/// The maximum number of computers. More computers would only slow down the machine.
const MAX_COMPUTERS: usize = 4;

fn id(object: &Value) -> String {
    object["id"].as_str().expect("it has an ID").to_owned()
}

fn random_item(set: &HashSet<String>, random: &mut Random) -> Option<String> {
    set.iter().nth(random.below(set.len())).cloned()
}

/// Creates, changes and deletes workspaces, computers and files until `stop` is set. `seed` is different in each call.
fn load(server: &Server, writer: &str, seed: u64, acknowledged: &Mutex<Acknowledged>, stop: &AtomicBool) {
    let mut random = Random::new(seed);
    let acknowledged = || acknowledged.lock().expect("no thread has panicked");
    let file = format!("lines-{seed}");
    for number in 0.. {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let name = json!(format!("{seed}-{number}"));
        match random.below(6) {
            0 => {
                if let Some(made) = try_call(server, "POST", "/workspaces", &json!({ "name": name })) {
                    acknowledged().workspaces.insert(id(&made));
                }
            }
            1 => {
                let workspace = random_item(&acknowledged().workspaces, &mut random);
                if acknowledged().computers.len() < MAX_COMPUTERS
                    && let Some(made) = try_call(
                        server,
                        "POST",
                        "/computers",
                        &json!({ "workspace_id": workspace, "name": name }),
                    )
                {
                    acknowledged().computers.insert(id(&made));
                }
            }
            2 => {
                let computer = random_item(&acknowledged().computers, &mut random);
                // Before the server acknowledges the deletion, the computer may or may not exist.
                if let Some(computer) = computer.filter(|computer| acknowledged().computers.remove(computer))
                    && try_call(server, "DELETE", &format!("/computers/{computer}"), &json!({})).is_some()
                {
                    acknowledged().deleted.insert(computer);
                }
            }
            3 => {
                let content = name.to_string().repeat(10_000);
                let path = format!("/computers/{writer}/files/upload");
                let sent = try_send(server, &path, &form("upload", content.as_bytes(), &[]));
                if let Some(response) = sent.filter(|response| response.status == 200) {
                    acknowledged().uploads.insert(id(&response.body["file"]), content);
                }
            }
            _ => {
                let command = json!({ "command": format!("echo {number} >> {file}") });
                if try_call(server, "POST", &format!("/computers/{writer}/bash"), &command).is_some() {
                    acknowledged().lines.insert((file.clone(), number));
                }
            }
        }
    }
}

fn try_call(server: &Server, method: &str, path: &str, body: &Value) -> Option<Value> {
    let response = server.try_call(method, path, body)?;
    (200..300).contains(&response.status).then_some(response.body)
}

/// Returns the processes that have a folder of the server mounted, or whose arguments or environment contain its path.
/// The server need not be running.
fn processes_of(data: &Path) -> HashSet<PathBuf> {
    let data = data.display().to_string();
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    processes
        .filter(|entry| {
            ["cmdline", "mountinfo", "environ"].iter().any(|file| {
                fs::read(entry.path().join(file))
                    .is_ok_and(|text| String::from_utf8_lossy(&text).contains(&data))
            })
        })
        .map(|entry| entry.path())
        .collect()
}

/// Returns whether a slirp4netns process has outlived its server.
fn is_slirp4netns_left() -> bool {
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let read = |entry: &fs::DirEntry, file| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
    processes
        .filter(|entry| read(entry, "comm") == "slirp4netns\n")
        .map(|entry| read(&entry, "status"))
        // Ignores zombies, which have ended. They remain if the init process does not reap orphans.
        .any(|status| status.contains("\nPPid:\t1\n") && !status.contains("\nState:\tZ"))
}

#[test]
fn a_server_killed_at_any_moment_loses_no_data_and_leaves_no_processes() {
    let mut random = Random::new(17);
    let mut data = Some(tempfile::tempdir().expect("the tests may write to /tmp"));
    let acknowledged = Mutex::new(Acknowledged::default());
    let mut writer = String::new();
    for round in 0..if full() { 200 } else { 6 } {
        let mut server = next_server(&mut data);
        if round == 0 {
            let computer = server.computer();
            let workspace = computer.show()["workspace_id"].as_str().expect("it is a string").to_owned();
            acknowledged.lock().expect("no thread has panicked").workspaces.insert(workspace);
            writer = computer.id.clone();
        }
        check(&server, &writer, &acknowledged.lock().expect("no thread has panicked"));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 1..=3 {
                let (server, writer, acknowledged, stop) = (&server, &writer, &acknowledged, &stop);
                scope.spawn(move || load(server, writer, round * 3 + thread, acknowledged, stop));
            }
            std::thread::sleep(Duration::from_micros(random.below(2_000_000) as u64));
            server.signal(Signal::KILL);
            stop.store(true, Ordering::Release);
        });
        server.process.wait().expect("it ends");
        wait_until("every slirp4netns to end", || !is_slirp4netns_left());
        let placeholder = tempfile::tempdir().expect("the tests may write to /tmp");
        data = Some(std::mem::replace(&mut server.data, placeholder));
    }
    let server = next_server(&mut data);
    check(&server, &writer, &acknowledged.lock().expect("no thread has panicked"));
}

/// Starts a server with the data of the last one, and waits until no process of the last one is left.
fn next_server(data: &mut Option<tempfile::TempDir>) -> Server {
    let data = data.take().expect("the last round returned it");
    let old = processes_of(data.path());
    let server = Server::start_in(data, &[]);
    wait_until("every process of the last server to end", || {
        processes_of(server.data.path()).is_disjoint(&old)
    });
    server
}

fn check(server: &Server, writer: &str, acknowledged: &Acknowledged) {
    let listed = server.get("/workspaces").expect(200);
    let workspaces = listed["workspaces"].as_array().expect("it is a list");
    let known: HashSet<String> = workspaces.iter().map(id).collect();
    assert!(acknowledged.workspaces.is_subset(&known), "a workspace is lost");
    let computers: HashSet<String> = workspaces
        .iter()
        .flat_map(|workspace| workspace["desktops"].as_array().expect("it is a list"))
        .map(id)
        .collect();
    assert!(computers.contains(writer) && acknowledged.computers.is_subset(&computers), "a computer is lost");
    assert!(acknowledged.deleted.is_disjoint(&computers), "a computer that was deleted is back");
    let listed = server.get(&format!("/computers/{writer}/files")).expect(200);
    let files: HashSet<String> = listed["files"].as_array().expect("it is a list").iter().map(id).collect();
    for (file, content) in &acknowledged.uploads {
        let kept = fs::read_to_string(server.data.path().join("files").join(file)).unwrap_or_default();
        assert!(files.contains(file) && kept == *content, "an upload is lost");
    }
    // The home is a folder on the host, so the test can read it even if the computer is not running.
    let home = server.data.path().join("computers").join(writer).join("home");
    for (file, line) in &acknowledged.lines {
        let text = fs::read_to_string(home.join(file)).unwrap_or_default();
        assert!(text.lines().any(|written| written == line.to_string()), "line {line} of {file} is lost");
    }
}
