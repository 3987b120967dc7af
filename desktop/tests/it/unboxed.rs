//! Computers without boxes, also in a run whose other tests have some.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::files::{form, send};
use crate::server::{Computer, Server, may_change_users, wait_until};
use crate::socket::Socket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orgo-desktop");

/// As in a container without privileges: one user, who is root there, and no further namespaces.
const CONFINED: &[&str] =
    &["unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"", "sh"];

fn unboxed() -> Server {
    Server::start_in(folder(), &["--isolation=none"])
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the tests may write to /tmp")
}

fn text(answer: &Value) -> &str {
    answer.as_str().expect("it is a text")
}

/// Whether this machine lets the tests make the namespace of [`CONFINED`].
fn can_confine() -> bool {
    let tried = Command::new(CONFINED[0]).args(&CONFINED[1..]).arg("true").output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        println!("not run: this machine makes no user namespaces");
    }
    can
}

/// The processes whose arguments contain that text, by their numbers.
fn processes_with(part: &str) -> HashSet<u32> {
    let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
    processes
        .filter(|entry| {
            let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).replace('\0', " ").contains(part)
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Starts programs that leave session, parent and environment behind; returns what their arguments contain.
fn leave_programs(computer: &Computer<'_>) -> String {
    // No other test has such a number.
    let number = format!("4{:06}", std::process::id() % 1_000_000 + 1000 * rand());
    computer.bash(&format!(
        "(setsid sleep {number} &); (setsid env -i sleep {number} &); nohup sleep {number} >/dev/null 2>&1 & \
         python3 -c 'import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n\
         os.execvpe(\"sleep\", [\"sleep\", \"{number}\"], {{}})'"
    ));
    let programs = format!("sleep {number}");
    wait_until("the programs to run", || processes_with(&programs).len() == 4);
    programs
}

fn rand() -> u32 {
    std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.subsec_nanos() % 1000)
}

/// The folders below `/tmp` and the displays of the computers of a server.
fn places_of(computer: &Computer<'_>) -> [String; 3] {
    let seen = computer.bash("echo ${XDG_RUNTIME_DIR%/user} ${DISPLAY#:}");
    let (place, display) = text(&seen["output"]).trim().split_once(' ').expect("there are two");
    [place.to_owned(), format!("/tmp/.X11-unix/X{display}"), format!("/tmp/.X{display}-lock")]
}

fn are_gone(paths: &[String]) -> bool {
    paths.iter().all(|path| !Path::new(path).exists())
}

#[test]
fn a_container_that_forbids_boxes_has_computers_all_the_same() {
    if !can_confine() {
        return;
    }
    let starter = [&["env", "container=test", "ORGO_DESKTOP_ISOLATION=auto"], CONFINED].concat();
    let server = Server::start_by(&starter);
    let computer = server.computer();
    let details = &computer.show()["instance_details"];
    assert_eq!((&details["isolation"], &details["missing_parts"]), (&json!("none"), &json!([])), "{details}");
    let home = computer.home();
    assert_eq!(computer.bash("pwd; echo kept > Desktop/a")["output"], format!("{home}\n"));
    let rights = computer.bash("grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\n\\t'");
    assert_eq!(rights["output"], "CapEff:0000000000000000NoNewPrivs:1Seccomp:2");
    let answer = computer.act("exec", &json!({ "code": "import os\nprint(os.getcwd())\n1/0" })).expect(200);
    assert_eq!(
        (&answer["output"], &answer["error_type"]),
        (&json!(format!("{home}\n")), &json!("ZeroDivisionError"))
    );
    for path in ["Desktop/a", "~/Desktop/a", "/home/user/Desktop/a", &format!("{home}/Desktop/a")] {
        let export = json!({ "desktopId": computer.id, "path": path });
        assert_eq!(
            server.call("POST", "/files/export", &export).expect(200)["file"]["size_bytes"],
            5,
            "{path}"
        );
    }
    let export = json!({ "desktopId": computer.id, "path": "/etc/passwd" });
    server.call("POST", "/files/export", &export).refusal(403);
    let upload = send(&server, &format!("/computers/{}/files/upload", computer.id), &form("b", b"new", &[]));
    upload.expect(200);
    assert_eq!(computer.bash("cat Desktop/b")["output"], "new");

    let shot = server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    assert_eq!(shot["width"], 1280);
    computer.act("click", &json!({ "x": 1, "y": 1 })).expect(200);
    let mut terminal = Socket::open(&computer, "terminal", "");
    terminal.send(&json!({ "type": "input", "data": "exit $((6*7))\r" }));
    assert_eq!(terminal.frame_of("exit")["code"], 42);
    let mut audio = Socket::open(&computer, "audio", "");
    audio.frame_of("started");
    let mut events = Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["file_change", "process_start"] }));
    events.frame_of("subscribed");
    let started = computer.bash("touch Downloads/c; sleep 100 & echo $!");
    let pid: u32 = text(&started["output"]).trim().parse().expect("it is a number");
    // Each comes from a source of its own.
    let (mut file, mut process) = (false, false);
    while !file || !process {
        let frame = events.frame_of("event");
        let data = &frame["event"]["data"];
        file |= data["path"] == format!("{home}/Downloads/c");
        // Processes of the host are none of the computer's.
        process |= data["pid"] == pid;
    }
}

#[test]
fn a_machine_that_forbids_boxes_refuses_and_names_the_option() {
    if !can_confine() {
        return;
    }
    // Of a file tree of its own, since the tests may run in a container.
    let folder = Path::new(PROGRAM).parent().expect("it is in one").display();
    let tree = format!(
        "60 bwrap --ro-bind /usr /usr --ro-bind /etc /etc --symlink usr/bin /bin --symlink usr/lib /lib \
         --symlink usr/lib64 /lib64 --dev /dev --bind /proc /proc --tmpfs /tmp --ro-bind {folder} /tmp/bin \
         --unshare-user --uid 0 --gid 0 --cap-add ALL --unshare-cgroup-try"
    );
    let mut command = Command::new("timeout");
    command
        .args(tree.split_whitespace())
        .args(["sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"", "sh"])
        .args(["/tmp/bin/orgo-desktop", "serve", "--listen", "127.0.0.1:0"])
        .args(["--isolation=auto", "--data-dir", "/tmp/data"]);
    for name in ["container", "REMOTE_CONTAINERS", "CODESPACES", "KUBERNETES_SERVICE_HOST"] {
        command.env_remove(name);
    }
    let ended = command.stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot open a box") && said.contains("--isolation=none"), "{said}");
}

#[test]
fn all_that_a_computer_started_ends_with_it() {
    let server = unboxed();
    let computer = server.computer();
    assert_eq!(computer.show()["instance_details"]["isolation"], "none");
    for action in ["stop", "restart"] {
        let (programs, places) = (leave_programs(&computer), places_of(&computer));
        computer.act(action, &Value::Null).expect(200);
        computer.wait_for_status(if action == "stop" { "stopped" } else { "running" });
        assert_eq!(processes_with(&programs), HashSet::new(), "{action}");
        assert!(are_gone(&places), "{places:?}");
        computer.act("start", &Value::Null).expect(200);
        computer.wait_for_status("running");
    }
    let (programs, places) = (leave_programs(&computer), places_of(&computer));
    server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    assert_eq!(processes_with(&programs), HashSet::new());
    assert!(are_gone(&places), "{places:?}");
}

#[test]
fn all_that_computers_started_ends_with_the_server_in_whatever_way_that_ends() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let mut server = unboxed();
        let computer = server.computer();
        let (id, programs, places) = (computer.id.clone(), leave_programs(&computer), places_of(&computer));
        let data = server.data.path().display().to_string();
        server.signal(signal);
        server.process.wait().expect("it ends");
        wait_until("all programs to end", || processes_with(&programs).is_empty());
        wait_until("the desktop to end", || processes_with(&places[0]).is_empty());
        wait_until("the server to end", || processes_with(&data).is_empty());
        // The next server comes up with what the last one left, and removes it.
        let next = Server::start_in(std::mem::replace(&mut server.data, folder()), &["--isolation=none"]);
        Computer { server: &next, id }.wait_for_status("running");
        assert!(are_gone(&places), "{places:?}");
    }
}

/// Its user can end it, as everything else of the computer.
#[test]
fn a_computer_whose_agent_was_ended_leaves_nothing_and_can_be_started_again() {
    let server = unboxed();
    let computer = server.computer();
    for signal in [Signal::KILL, Signal::STOP] {
        let programs = leave_programs(&computer);
        let agents = processes_with("agent --unboxed --control");
        let home = computer.home();
        let own = agents.intersection(&processes_with(&home)).copied().collect::<HashSet<_>>();
        // A supervisor of a command that has just ended may be among them.
        let oldest = own.iter().min().and_then(|&pid| Pid::from_raw(pid.cast_signed())).expect("it has one");
        kill_process(oldest, signal).expect("the tests run as its user, or as root");
        if signal == Signal::KILL {
            computer.wait_for_status("error");
        }
        computer.act("restart", &Value::Null).expect(200);
        computer.wait_for_status("running");
        assert_eq!(processes_with(&programs), HashSet::new());
        assert_eq!(computer.bash("echo on")["output"], "on\n");
    }
}

/// Programs that are another process each millisecond, so that none is there for long enough to be listed and then ended.
const HOPPERS: &str = r"import os, time
for _ in range(4):
    os.fork()
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
";

#[test]
fn programs_that_become_other_processes_end_with_their_computer_and_hold_up_no_other() {
    let server = unboxed();
    let computer = server.computer();
    let name = format!("hop{}.py", rand());
    computer.act("exec", &json!({ "code": format!("open('{name}', 'w').write({HOPPERS:?})") })).expect(200);
    let hop = || {
        computer.bash(&format!("(setsid python3 {name} > /dev/null 2>&1 &)"));
        wait_until("the programs to run", || !processes_with(&name).is_empty());
    };
    hop();
    computer.act("restart", &Value::Null).expect(200);
    computer.wait_for_status("running");
    assert_eq!(processes_with(&name), HashSet::new());
    // Without the agent they fall to the server, which starts other computers meanwhile.
    hop();
    let home = computer.home();
    let agents = processes_with("agent --unboxed --control");
    let own = agents.intersection(&processes_with(&home)).copied().min();
    let agent = own.and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it has one");
    kill_process(agent, Signal::KILL).expect("the tests run as its user, or as root");
    let new = json!({ "workspace_id": computer.show()["workspace_id"], "name": "two" });
    let made = server.call("POST", "/computers", &new).expect(201);
    Computer { server: &server, id: text(&made["id"]).to_owned() }.wait_for_status("running");
    computer.wait_for_status("error");
    wait_until("the programs to end", || processes_with(&name).is_empty());
}

#[test]
fn computers_of_root_are_users_of_their_own_and_keep_display_and_sound_to_themselves() {
    if !may_change_users() {
        println!("not run: other accounts share one user");
        return;
    }
    let server = unboxed();
    let computer = server.computer();
    let new = json!({ "workspace_id": computer.show()["workspace_id"], "name": "two" });
    let made = server.call("POST", "/computers", &new).expect(201);
    let other = Computer { server: &server, id: text(&made["id"]).to_owned() };
    other.wait_for_status("running");
    let user = |computer: &Computer<'_>| text(&computer.bash("id -u")["output"]).trim().parse::<u32>();
    let (one, two) = (user(&computer).expect("it is a number"), user(&other).expect("it is a number"));
    assert!(one != two && one >= 30_000 && two >= 30_000, "{one} {two}");
    let [place, ..] = places_of(&other);
    let variables =
        text(&other.bash("echo DISPLAY=$DISPLAY PULSE_SERVER=$PULSE_SERVER")["output"]).trim().to_owned();
    for (own, foreign) in [
        (
            "xrandr >/dev/null && pactl info >/dev/null",
            format!("export {variables}; xrandr >/dev/null 2>&1 || pactl info >/dev/null 2>&1"),
        ),
        ("ls ~ >/dev/null", format!("ls {} >/dev/null 2>&1", other.home())),
        ("ls $XDG_RUNTIME_DIR >/dev/null", format!("ls {place} >/dev/null 2>&1")),
        (
            "! getent passwd $(id -u) > /dev/null || dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames > /dev/null",
            format!(
                "dbus-send --bus=unix:path={place}/user/bus --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames > /dev/null 2>&1"
            ),
        ),
    ] {
        assert_eq!(other.bash(own)["exit_code"], 0, "{own}");
        assert_ne!(computer.bash(&foreign)["exit_code"], 0, "{foreign}");
    }
    assert!(!text(&computer.bash("cat /etc/shadow 2>&1")["output"]).contains("root:"));
    let data = server.data.path().display();
    assert_ne!(computer.bash(&format!("ls {data} {data}/computers 2> /dev/null"))["exit_code"], 0);
}
