//! `kill -9` of the server at random moments, under load: nothing that was answered is lost, and nothing is left running.

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

/// What the server has said yes to.
#[derive(Default)]
struct Promised {
    workspaces: HashSet<String>,
    computers: HashSet<String>,
    deleted: HashSet<String>,
    /// Lines that were written to files in the home of the first computer.
    lines: HashSet<(String, u32)>,
    /// What was uploaded for that computer, by the ids of the files.
    uploads: HashMap<String, String>,
}

/// More would only make the machine slow.
const MOST_COMPUTERS: usize = 4;

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("it has one").to_owned()
}

fn any(of: &HashSet<String>, random: &mut Random) -> Option<String> {
    of.iter().nth(random.below(of.len())).cloned()
}

/// Makes, changes and deletes until the server does not answer any more. `seed` tells one load from another.
fn load(server: &Server, writer: &str, seed: u64, promised: &Mutex<Promised>, over: &AtomicBool) {
    let mut random = Random::new(seed);
    let promised = || promised.lock().expect("nobody panicked");
    let file = format!("lines-{seed}");
    for number in 0.. {
        if over.load(Ordering::Acquire) {
            return;
        }
        let name = json!(format!("{seed}-{number}"));
        match random.below(6) {
            0 => {
                if let Some(made) = try_call(server, "POST", "/workspaces", &json!({ "name": name })) {
                    promised().workspaces.insert(id(&made));
                }
            }
            1 => {
                let workspace = any(&promised().workspaces, &mut random);
                if promised().computers.len() < MOST_COMPUTERS
                    && let Some(made) = try_call(
                        server,
                        "POST",
                        "/computers",
                        &json!({ "workspace_id": workspace, "name": name }),
                    )
                {
                    promised().computers.insert(id(&made));
                }
            }
            2 => {
                let computer = any(&promised().computers, &mut random);
                // From here on it may be there or not.
                if let Some(computer) = computer.filter(|computer| promised().computers.remove(computer))
                    && try_call(server, "DELETE", &format!("/computers/{computer}"), &json!({})).is_some()
                {
                    promised().deleted.insert(computer);
                }
            }
            3 => {
                let content = name.to_string().repeat(10_000);
                let path = format!("/computers/{writer}/files/upload");
                let sent = try_send(server, &path, &form("upload", content.as_bytes(), &[]));
                if let Some(answer) = sent.filter(|answer| answer.status == 200) {
                    promised().uploads.insert(id(&answer.body["file"]), content);
                }
            }
            _ => {
                let command = json!({ "command": format!("echo {number} >> {file}") });
                if try_call(server, "POST", &format!("/computers/{writer}/bash"), &command).is_some() {
                    promised().lines.insert((file.clone(), number));
                }
            }
        }
    }
}

fn try_call(server: &Server, method: &str, path: &str, body: &Value) -> Option<Value> {
    let answer = server.try_call(method, path, body)?;
    (200..300).contains(&answer.status).then_some(answer.body)
}

/// The processes that have a folder of the server mounted, or were told its name, whether the server lives or not.
fn processes_of(data: &Path) -> HashSet<PathBuf> {
    let data = data.display().to_string();
    let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
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

/// Whether a carrier of a computer's network has outlived its server.
fn is_carrier_left() -> bool {
    let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
    let read = |entry: &fs::DirEntry, file| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
    processes
        .filter(|entry| read(entry, "comm") == "slirp4netns\n")
        .map(|entry| read(&entry, "status"))
        // Where the first process of a system takes no leave of the dead, they stay as zombies.
        .any(|status| status.contains("\nPPid:\t1\n") && !status.contains("\nState:\tZ"))
}

#[test]
fn nothing_is_lost_and_nothing_is_left_whenever_the_server_is_killed() {
    let mut random = Random::new(17);
    let mut data = Some(tempfile::tempdir().expect("the tests may write to /tmp"));
    let promised = Mutex::new(Promised::default());
    let mut writer = String::new();
    for round in 0..if full() { 200 } else { 6 } {
        let mut server = next_server(&mut data);
        if round == 0 {
            let computer = server.computer();
            let workspace = computer.show()["workspace_id"].as_str().expect("it is a text").to_owned();
            promised.lock().expect("nobody panicked").workspaces.insert(workspace);
            writer = computer.id.clone();
        }
        check(&server, &writer, &promised.lock().expect("nobody panicked"));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 1..=3 {
                let (server, writer, promised, over) = (&server, &writer, &promised, &over);
                scope.spawn(move || load(server, writer, round * 3 + thread, promised, over));
            }
            std::thread::sleep(Duration::from_micros(random.below(2_000_000) as u64));
            server.signal(Signal::KILL);
            over.store(true, Ordering::Release);
        });
        server.process.wait().expect("it ends");
        wait_until("its carriers to end", || !is_carrier_left());
        let place = tempfile::tempdir().expect("the tests may write to /tmp");
        data = Some(std::mem::replace(&mut server.data, place));
    }
    let server = next_server(&mut data);
    check(&server, &writer, &promised.lock().expect("nobody panicked"));
}

/// Starts a server on the data of the last one, of which then no process is left.
fn next_server(data: &mut Option<tempfile::TempDir>) -> Server {
    let data = data.take().expect("the last round gave it back");
    let old = processes_of(data.path());
    let server = Server::start_in(data, &[]);
    wait_until("every process of the last server to end", || {
        processes_of(server.data.path()).is_disjoint(&old)
    });
    server
}

fn check(server: &Server, writer: &str, promised: &Promised) {
    let listed = server.get("/workspaces").expect(200);
    let workspaces = listed["workspaces"].as_array().expect("it is a list");
    let known: HashSet<String> = workspaces.iter().map(id).collect();
    assert!(promised.workspaces.is_subset(&known), "a workspace is lost");
    let computers: HashSet<String> = workspaces
        .iter()
        .flat_map(|workspace| workspace["desktops"].as_array().expect("it is a list"))
        .map(id)
        .collect();
    assert!(computers.contains(writer) && promised.computers.is_subset(&computers), "a computer is lost");
    assert!(promised.deleted.is_disjoint(&computers), "a computer that was deleted is back");
    let listed = server.get(&format!("/computers/{writer}/files")).expect(200);
    let files: HashSet<String> = listed["files"].as_array().expect("it is a list").iter().map(id).collect();
    for (file, content) in &promised.uploads {
        let kept = fs::read_to_string(server.data.path().join("files").join(file)).unwrap_or_default();
        assert!(files.contains(file) && kept == *content, "an upload is lost");
    }
    // The home lies on the host: the computer need not have come up.
    let home = server.data.path().join("computers").join(writer).join("home");
    for (file, line) in &promised.lines {
        let text = fs::read_to_string(home.join(file)).unwrap_or_default();
        assert!(text.lines().any(|written| written == line.to_string()), "line {line} of {file} is lost");
    }
}
