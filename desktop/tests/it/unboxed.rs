//! Tests of computers without boxes. They also run if the computers of all other tests have boxes.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::files::{form, send};
use crate::server::{Computer, Server, may_change_users, wait_until};
use crate::socket::Socket;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orgo-desktop");

/// A command that runs a program as in an unprivileged container: root is the only user, and no new namespaces are
/// allowed.
const CONFINED: &[&str] =
    &["unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"", "sh"];

fn unboxed() -> Server {
    Server::start_in(folder(), &["--isolation=none"])
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the tests may write to /tmp")
}

fn text(response: &Value) -> &str {
    response.as_str().expect("it is a string")
}

/// Returns whether the tests may create the namespace of [`CONFINED`] on this machine.
fn can_confine() -> bool {
    let tried = Command::new(CONFINED[0]).args(&CONFINED[1..]).arg("true").output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        println!("skipped: this machine allows no user namespaces");
    }
    can
}

/// Returns the IDs of the processes whose arguments contain this text.
fn processes_with(part: &str) -> HashSet<u32> {
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    processes
        .filter(|entry| {
            let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).replace('\0', " ").contains(part)
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Returns the agent of a computer. It is the oldest process with the computer's home: another process may be the supervisor of
/// a command that has just ended.
fn agent_of(computer: &Computer<'_>) -> Pid {
    let agents = processes_with("agent --unboxed --control");
    let oldest = agents.intersection(&processes_with(&computer.home())).copied().min();
    oldest.and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("the agent is running")
}

/// Starts programs that change their session, parent or environment. Returns a string that only the arguments of these
/// programs contain.
fn start_detached_programs(computer: &Computer<'_>) -> String {
    // Computes a number that no other test uses.
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

/// Returns the files of a computer outside of its home: its folder in `/tmp`, and the socket and the lock file of its
/// display.
fn files_outside_home(computer: &Computer<'_>) -> [String; 3] {
    let seen = computer.bash("echo ${XDG_RUNTIME_DIR%/user} ${DISPLAY#:}");
    let (folder, display) = text(&seen["output"]).trim().split_once(' ').expect("it prints two words");
    [folder.to_owned(), format!("/tmp/.X11-unix/X{display}"), format!("/tmp/.X{display}-lock")]
}

fn are_gone(paths: &[String]) -> bool {
    paths.iter().all(|path| !Path::new(path).exists())
}

#[test]
fn a_container_that_forbids_boxes_can_run_computers() {
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
    let response = computer.act("exec", &json!({ "code": "import os\nprint(os.getcwd())\n1/0" })).expect(200);
    assert_eq!(
        (&response["output"], &response["error_type"]),
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
    // Waits for one event of each type. The events come from different sources.
    let (mut file, mut process) = (false, false);
    while !file || !process {
        let frame = events.frame_of("event");
        let data = &frame["event"]["data"];
        file |= data["path"] == format!("{home}/Downloads/c");
        // Processes of the host must cause no events.
        process |= data["pid"] == pid;
    }
}

#[test]
fn a_server_refuses_a_machine_that_forbids_boxes_and_names_the_option() {
    if !can_confine() {
        return;
    }
    // Runs in its own file tree without the marker files of containers, because the tests may run in a container.
    let folder = Path::new(PROGRAM).parent().expect("it is in a folder").display();
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
    let ended = command.stdin(Stdio::null()).output().expect("it is running");
    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{log}");
    assert!(log.contains("cannot open a box") && log.contains("--isolation=none"), "{log}");
}

#[test]
fn all_processes_of_a_computer_end_with_it() {
    let server = unboxed();
    let computer = server.computer();
    assert_eq!(computer.show()["instance_details"]["isolation"], "none");
    for action in ["stop", "restart"] {
        let (programs, files) = (start_detached_programs(&computer), files_outside_home(&computer));
        computer.act(action, &Value::Null).expect(200);
        computer.wait_for_status(if action == "stop" { "stopped" } else { "running" });
        assert_eq!(processes_with(&programs), HashSet::new(), "{action}");
        assert!(are_gone(&files), "{files:?}");
        computer.act("start", &Value::Null).expect(200);
        computer.wait_for_status("running");
    }
    let (programs, files) = (start_detached_programs(&computer), files_outside_home(&computer));
    server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    assert_eq!(processes_with(&programs), HashSet::new());
    assert!(are_gone(&files), "{files:?}");
}

#[test]
fn all_processes_of_computers_end_with_the_server_however_it_ends() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let mut server = unboxed();
        let computer = server.computer();
        let (id, programs, files) =
            (computer.id.clone(), start_detached_programs(&computer), files_outside_home(&computer));
        let data = server.data.path().display().to_string();
        server.signal(signal);
        server.process.wait().expect("it ends");
        wait_until("all programs to end", || processes_with(&programs).is_empty());
        wait_until("the desktop to end", || processes_with(&files[0]).is_empty());
        wait_until("the server to end", || processes_with(&data).is_empty());
        // The next server removes the files that the last server has left.
        let next = Server::start_in(std::mem::replace(&mut server.data, folder()), &["--isolation=none"]);
        Computer { server: &next, id }.wait_for_status("running");
        assert!(are_gone(&files), "{files:?}");
    }
}

#[test]
fn the_next_server_ends_programs_whose_agent_and_server_were_killed() {
    let mut server = unboxed();
    let computer = server.computer();
    if computer.show()["instance_details"]["enforced"]["ram"] != true {
        println!("skipped: without control groups, the next server does not know the programs");
        return;
    }
    let programs = start_detached_programs(&computer);
    let agent = agent_of(&computer);
    // A stopped agent does not react to the end of the server.
    kill_process(agent, Signal::STOP).expect("the tests run as that user or as root");
    server.signal(Signal::KILL);
    server.process.wait().expect("it ends");
    kill_process(agent, Signal::KILL).expect("the tests run as that user or as root");
    let id = agent.as_raw_nonzero().get().cast_unsigned();
    wait_until("the agent to end", || !processes_with("agent --unboxed --control").contains(&id));
    assert_eq!(processes_with(&programs).len(), 4);
    let _next = Server::start_in(std::mem::replace(&mut server.data, folder()), &["--isolation=none"]);
    wait_until("the programs to end", || processes_with(&programs).is_empty());
}

/// Without a box the computer's user can also kill or stop the agent.
#[test]
fn a_computer_whose_agent_was_killed_leaves_no_processes_and_can_restart() {
    let server = unboxed();
    let computer = server.computer();
    for signal in [Signal::KILL, Signal::STOP] {
        let programs = start_detached_programs(&computer);
        kill_process(agent_of(&computer), signal).expect("the tests run as that user or as root");
        if signal == Signal::KILL {
            computer.wait_for_status("error");
        }
        computer.act("restart", &Value::Null).expect(200);
        computer.wait_for_status("running");
        assert_eq!(processes_with(&programs), HashSet::new());
        assert_eq!(computer.bash("echo on")["output"], "on\n");
    }
}

/// A program that forks every millisecond and continues in the child. Each of its processes ends before another process
/// can find and kill it. All of them have the FIFO `alive` open.
const FORK_LOOP: &str = r"import os, time
fifo = os.open('alive', os.O_WRONLY)
for _ in range(4):
    os.fork()
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
";

#[test]
fn programs_that_keep_forking_end_with_their_computer_and_block_no_other() {
    let server = unboxed();
    let computer = server.computer();
    let name = format!("fork{}.py", rand());
    computer.act("exec", &json!({ "code": format!("open('{name}', 'w').write({FORK_LOOP:?})") })).expect(200);
    computer.bash("mkfifo -m 600 alive");
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let alive =
        OpenOptions::new().read(true).custom_flags(no_wait).open(Path::new(&computer.home()).join("alive"));
    let alive = alive.expect("the tests run as that user or as root");
    // A list of processes may lack those that were started while it was made.
    let have_ended = || matches!((&alive).read(&mut [0]), Ok(0));
    let start = || {
        computer.bash(&format!("(setsid python3 {name} > /dev/null 2>&1 &)"));
        wait_until("the programs to run", || !have_ended());
    };
    start();
    computer.act("restart", &Value::Null).expect(200);
    computer.wait_for_status("running");
    assert!(have_ended());
    // Without the agent, the processes become children of the server, which starts another computer at the same time.
    start();
    kill_process(agent_of(&computer), Signal::KILL).expect("the tests run as that user or as root");
    let new = json!({ "workspace_id": computer.show()["workspace_id"], "name": "two" });
    let made = server.call("POST", "/computers", &new).expect(201);
    Computer { server: &server, id: text(&made["id"]).to_owned() }.wait_for_status("running");
    computer.wait_for_status("error");
    wait_until("the programs to end", have_ended);
}

#[test]
fn computers_of_a_root_server_have_their_own_users_and_private_displays_and_audio() {
    if !may_change_users() {
        println!("skipped: only a server that runs as root gives computers their own users");
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
    let [folder, ..] = files_outside_home(&other);
    let variables =
        text(&other.bash("echo DISPLAY=$DISPLAY PULSE_SERVER=$PULSE_SERVER")["output"]).trim().to_owned();
    for (own, foreign) in [
        (
            "xrandr >/dev/null && pactl info >/dev/null",
            format!("export {variables}; xrandr >/dev/null 2>&1 || pactl info >/dev/null 2>&1"),
        ),
        ("ls ~ >/dev/null", format!("ls {} >/dev/null 2>&1", other.home())),
        ("ls $XDG_RUNTIME_DIR >/dev/null", format!("ls {folder} >/dev/null 2>&1")),
        (
            "! getent passwd $(id -u) > /dev/null || dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames > /dev/null",
            format!(
                "dbus-send --bus=unix:path={folder}/user/bus --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames > /dev/null 2>&1"
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
