//! Tests that code in a computer cannot harm the host, the server or other computers. The code runs as the computer's
//! user, who may do anything in the computer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::random::Random;
use crate::server::{Computer, Server, TIMEOUT, can_test_sandbox, full, may_change_users, wait_until};

/// An environment variable of the server that must stay secret, such as the credentials of a cloud provider.
const CANARY: &str = "ORGO_TEST_CANARY=canary-in-the-environment";

/// The id of a host user without privileges.
const USER: u32 = 65_533;

/// Starts servers that run as root, as an unprivileged user, and as root without control groups.
fn servers() -> impl Iterator<Item = Server> {
    let is_root = may_change_users();
    let without_groups =
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\"", "sh"];
    let kinds: [Box<dyn Fn() -> Server>; 3] = [
        Box::new(Server::start),
        Box::new(|| Server::start_as_user(USER)),
        Box::new(move || Server::start_by(&without_groups)),
    ];
    kinds.into_iter().take(if is_root { 3 } else { 1 }).map(|start| start())
}

fn output(computer: &Computer<'_>, command: &str) -> String {
    computer.bash(command)["output"].as_str().expect("it is a string").to_owned()
}

fn exec(computer: &Computer<'_>, code: &str) -> Value {
    computer.act("exec", &json!({ "code": code })).expect(200)
}

pub(crate) fn another<'a>(server: &'a Server, first: &Computer<'_>, name: &str) -> Computer<'a> {
    let new = json!({ "workspace_id": first.show()["workspace_id"], "name": name });
    let made = server.call("POST", "/computers", &new).expect(201);
    let computer = Computer { server, id: made["id"].as_str().expect("it has an ID").to_owned() };
    computer.wait_for_status("running");
    computer
}

/// Returns the resident memory of a process in MiB.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it is running");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("it is a number") / 1024
}

/// Returns the process IDs and names of the server and its descendants.
fn descendants(server: &Server) -> Vec<(u32, String)> {
    let mut found = vec![server.process.id()];
    let processes: Vec<(u32, u32, String)> = fs::read_dir("/proc")
        .expect("Linux has /proc")
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (before, after) = stat.rsplit_once(')')?;
            let name = before.split_once('(')?.1.to_owned();
            Some((pid, after.split_whitespace().nth(1)?.parse().ok()?, name))
        })
        .collect();
    loop {
        let before = found.len();
        for (pid, parent, _) in &processes {
            if found.contains(parent) && !found.contains(pid) {
                found.push(*pid);
            }
        }
        if found.len() == before {
            break;
        }
    }
    processes.into_iter().filter(|(pid, ..)| found.contains(pid)).map(|(pid, _, name)| (pid, name)).collect()
}

fn status_field(process: u32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn no_process_that_the_server_starts_has_its_environment() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start_by(&["env", CANARY]);
    let computer = server.computer();
    let seen = output(&computer, "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u");
    for secret in ["canary", "sk_live_test", "ORGO_DESKTOP_API_KEY"] {
        assert!(!seen.contains(secret), "{seen}");
    }
    assert!(geteuid().is_root() || fs::read("/proc/self/environ").is_ok());
    for (pid, name) in descendants(&server).into_iter().filter(|(pid, _)| *pid != server.process.id()) {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&environment).contains("canary"), "{name}");
    }
}

/// Checks the table of processes in docs/security.md.
#[test]
fn every_helper_runs_as_the_computers_user_without_privileges() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_every_helper_runs_as_the_computers_user_without_privileges(&server);
    }
}

fn check_every_helper_runs_as_the_computers_user_without_privileges(server: &Server) {
    let computer = server.computer();
    let processes = descendants(server);
    let named = |wanted: &str| processes.iter().any(|(_, name)| name == wanted);
    // An unprivileged user may lack access to the TUN device, which slirp4netns needs.
    let by_root = status_field(server.process.id(), "Uid").starts_with("0\t");
    assert!((named("slirp4netns") || !by_root) && named("Xvnc") && named("bwrap"), "{processes:?}");
    let group = |pid: u32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let limited = computer.show()["instance_details"]["enforced"]["ram"] == true;
    for (pid, name) in processes.iter().filter(|(pid, _)| *pid != server.process.id()) {
        let user = status_field(*pid, "Uid");
        let own = user.split_whitespace().all(|user| {
            user.parse::<u32>().is_ok_and(|user| if by_root { user >= 200_000 } else { user == USER })
        });
        assert!(own || !geteuid().is_root(), "{name} runs as {user}");
        assert_eq!(status_field(*pid, "CapEff"), "0000000000000000", "{name}");
        assert_eq!(status_field(*pid, "NoNewPrivs"), "1", "{name}");
        // slirp4netns installs its own filter. The outer process of bubblewrap has no filter, since it only waits.
        if name != "bwrap" {
            assert_eq!(status_field(*pid, "Seccomp"), "2", "{name}");
        }
        if limited {
            let instance = computer.show()["instance_id"].as_str().expect("it is a string").to_owned();
            assert!(group(*pid).contains(&instance), "{name} is in {}", group(*pid));
        }
    }
    let instance = computer.show()["instance_id"].as_str().expect("it is a string").to_owned();
    computer.act("stop", &Value::Null).expect(200);
    computer.wait_for_status("stopped");
    let groups =
        Command::new("find").args(["/sys/fs/cgroup", "-name", &instance]).output().expect("it exists");
    assert_eq!(String::from_utf8_lossy(&groups.stdout), "", "a control group is left");
    if by_root {
        // The numbers of CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID and SETFCAP.
        let kept: u64 = [0, 1, 3, 5, 6, 7, 31].iter().map(|bit| 1 << bit).sum();
        for field in ["CapEff", "CapPrm", "CapBnd"] {
            let has =
                u64::from_str_radix(&status_field(server.process.id(), field), 16).expect("it is a number");
            assert_eq!(has & !kept, 0, "{field}: {has:x}");
        }
    }
}

#[test]
fn keys_of_the_login_and_of_other_computers_are_unreachable() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_keys_of_the_login_and_of_other_computers_are_unreachable(&server);
    }
}

fn check_keys_of_the_login_and_of_other_computers_are_unreachable(server: &Server) {
    let computer = server.computer();
    let code = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
                print(libc.syscall(250, 0, -3, 0), ctypes.get_errno(), libc.syscall(248, b'user', b'k', b'v', 1, -3))\n\
                print(open('/proc/keys').read() if __import__('os').path.exists('/proc/keys') else '')";
    let seen = exec(&computer, code)["output"].as_str().expect("it is a string").to_owned();
    assert!(seen.starts_with("-1 1 -1\n"), "{seen}");
    // Only the empty session keyrings of the computer's own processes may be visible.
    let foreign =
        seen.lines().skip(1).find(|line| !line.is_empty() && !line.ends_with("keyring   _ses: empty"));
    assert_eq!(foreign, None, "{seen}");
}

#[test]
fn the_agent_cannot_be_traced_ended_or_replaced() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_the_agent_cannot_be_traced_ended_or_replaced(&server);
    }
}

fn check_the_agent_cannot_be_traced_ended_or_replaced(server: &Server) {
    let computer = server.computer();
    for signal in ["KILL", "STOP", "TERM", "SEGV", "BUS", "ABRT"] {
        computer.bash(&format!("kill -{signal} 1"));
    }
    assert_eq!(output(&computer, "cat /proc/1/comm"), "agent\n");
    for path in ["environ", "mem", "maps", "fd/0", "root/etc/passwd", "cwd/etc/passwd", "ns/net"] {
        let read = output(&computer, &format!("head -c 10 /proc/1/{path} 2>&1 >/dev/null"));
        assert!(read.contains("denied") || read.contains("cannot"), "{path}: {read}");
    }
    let traced = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
                  print(libc.ptrace(16, 1, 0, 0), libc.syscall(438, libc.syscall(434, 1, 0), 3, 0))";
    assert_eq!(exec(&computer, traced)["output"], "-1 -1\n");
    // The user cannot replace any file of the server.
    let written = output(&computer, "find /run /tmp /dev/shm -name '*agent*' -writable 2>/dev/null");
    assert_eq!(written, "");
    computer.bash("rm -rf /run/computer /run/log /run/user /tmp/.X11-unix");
    assert_eq!(output(&computer, "echo works"), "works\n");
}

/// In an early design, the source code and the report of an `exec` call were in a folder that the user could replace.
#[test]
fn files_of_exec_cannot_be_redirected() {
    for server in servers() {
        check_files_of_exec_cannot_be_redirected(&server);
    }
}

fn check_files_of_exec_cannot_be_redirected(server: &Server) {
    let computer = server.computer();
    assert_eq!(output(&computer, "find / -xdev -name exchange 2>/dev/null | wc -l"), "0\n");
    let big = exec(&computer, "raise ValueError('x' * 60_000_000)");
    assert_eq!((&big["success"], &big["error_type"]), (&json!(false), &json!("ValueError")));
    assert!(big.to_string().len() < 100_000);
    // A program that keeps the report open, fills it or corrupts it affects only its own call.
    for code in [
        "import os\nos.fork() or __import__('time').sleep(30)",
        "import os\n[os.write(fd, b'x' * 1000) for fd in range(3, 20) if os.path.exists(f'/proc/self/fd/{fd}')]",
        "import os\nos.closerange(3, 100)",
        "import os\nos.closerange(0, 100)",
    ] {
        let start = Instant::now();
        computer.act("exec", &json!({ "code": code, "timeout": 20 })).expect(200);
        assert!(start.elapsed() < Duration::from_secs(19), "{code}");
    }
    assert_eq!(exec(&computer, "print(6 * 7)")["output"], "42\n");
}

#[test]
fn endless_logs_do_not_fill_the_disk_or_the_servers_memory() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_endless_logs_do_not_fill_the_disk_or_the_servers_memory(&server);
    }
}

fn check_endless_logs_do_not_fill_the_disk_or_the_servers_memory(server: &Server) {
    let computer = server.computer();
    let before = resident(server.process.id());
    computer
        .bash("cat /dev/zero > /run/log/flood; rm -f /run/log/Xvnc.log; ln -s /dev/zero /run/log/Xvnc.log");
    assert_eq!(output(&computer, "df --output=size -k /run/log | tail -n 1").trim(), "8192");
    // Settings in the home run user code when the parts of the desktop start.
    computer.bash("mkdir -p ~/.config/pulse && echo 'load-module /tmp/evil.so' > ~/.config/pulse/default.pa");
    computer.bash("ln -sf /dev/zero ~/.config/openbox/rc.xml; mkfifo ~/.config/tint2/fifo; mv ~/.config/tint2/fifo ~/.config/tint2/tint2rc");
    for _ in 0..2 {
        computer.act("restart", &Value::Null).expect(200);
        wait_until("the computer to settle", || {
            matches!(computer.show()["status"].as_str(), Some("running" | "error"))
        });
    }
    assert!(resident(server.process.id()) < before + 100);
    server.get("/workspaces").expect(200);
}

#[test]
fn a_home_of_any_depth_can_be_deleted() {
    for server in servers() {
        check_a_home_of_any_depth_can_be_deleted(&server);
    }
}

fn check_a_home_of_any_depth_can_be_deleted(server: &Server) {
    let computer = server.computer();
    let code = "import os\nos.chdir(os.path.expanduser('~'))\nfor _ in range(60_000):\n    os.mkdir('d')\n    os.chdir('d')\nprint('made')";
    let made = computer.act("exec", &json!({ "code": code, "timeout": 300 })).expect(200);
    assert_eq!(made["output"], "made\n", "{made}");
    computer.act("stop", &Value::Null).expect(200);
    computer.wait_for_status("stopped");
    server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    assert!(!server.data.path().join("computers").join(&computer.id).exists());
    server.get("/workspaces").expect(200);
}

/// A fake X server takes the place of the real one. It sends nothing, random data, or single bytes with pauses.
#[test]
fn a_fake_display_does_not_slow_down_other_computers() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    let other = another(&server, &computer, "two");
    let baseline = slowest(&other);
    let before = resident(server.process.id());
    let fake = "
import os, socket, threading, time
path = os.environ['DISPLAY'].replace(':', '/tmp/.X11-unix/X')
os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(64)
def serve(peer, mode):
    try:
        if mode == 1:
            while True: peer.sendall(b'\\x01' * 65536)
        if mode == 2:
            while peer.sendall(b'\\x01'): time.sleep(0.2)
        time.sleep(3600)
    except OSError:
        pass
n = 0
while True:
    peer, _ = listener.accept()
    threading.Thread(target=serve, args=(peer, n % 3), daemon=True).start()
    n += 1
";
    computer
        .bash(&format!("cat > /tmp/fake.py <<'END'{fake}END\nnohup python3 /tmp/fake.py >/dev/null 2>&1 &"));
    // Stops the real X server. Open connections to it then hang, and new connections reach the fake X server.
    computer.bash("until pgrep -f /tmp/fake.py >/dev/null && test -S /tmp/.X11-unix/*; do sleep 0.1; done; pkill -STOP Xvnc");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for path in ["events", "screenshot"] {
            let (computer, done, server) = (&computer, &done, &server);
            scope.spawn(move || {
                while !done.load(Ordering::Acquire) {
                    if path == "events" {
                        server.try_call(
                            "POST",
                            &format!("/computers/{}/click", computer.id),
                            &json!({"x": 1, "y": 1}),
                        );
                    } else {
                        server.try_call(
                            "GET",
                            &format!("/computers/{}/screenshot", computer.id),
                            &Value::Null,
                        );
                    }
                }
            });
        }
        let stop = SetOnDrop(&done);
        let busy = slowest(&other);
        drop(stop);
        assert!(busy < baseline * 4 + Duration::from_millis(500), "{busy:?}, {baseline:?} before");
    });
    assert!(resident(server.process.id()) < before + 200);
    server.get("/workspaces").expect(200);
}

/// Returns the duration of the slowest of 30 calls.
fn slowest(computer: &Computer<'_>) -> Duration {
    let one = || {
        let start = Instant::now();
        computer.bash("true");
        start.elapsed()
    };
    (0..30).map(|_| one()).max().unwrap_or_default()
}

#[test]
fn a_fork_bomb_ends_its_computer_and_the_error_contains_the_reason() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_a_fork_bomb_ends_its_computer_and_the_error_contains_the_reason(&server);
    }
}

fn check_a_fork_bomb_ends_its_computer_and_the_error_contains_the_reason(server: &Server) {
    let computer = server.computer();
    let other = another(server, &computer, "two");
    let bomb = "import os, time\nwhile True:\n    try:\n        os.fork() or time.sleep(3600)\n    except OSError:\n        time.sleep(0.01)";
    computer.bash(&format!(
        "cat > /tmp/bomb.py <<'END'\n{bomb}\nEND\nnohup python3 /tmp/bomb.py >/dev/null 2>&1 &"
    ));
    wait_until("the computer to fail", || {
        server.try_call(
            "POST",
            &format!("/computers/{}/bash", computer.id),
            &json!({ "command": "true", "timeout": 5 }),
        );
        computer.show()["status"] == "error"
    });
    let reason =
        computer.show()["instance_details"]["error"].as_str().expect("it contains the reason").to_owned();
    assert!(reason.contains("process") || reason.contains("agent"), "{reason}");
    assert_eq!(output(&other, "echo on"), "on\n");
    computer.act("restart", &Value::Null).expect(200);
    computer.wait_for_status("running");
    assert_eq!(output(&computer, "echo back"), "back\n");
}

#[test]
fn a_symlink_in_the_home_does_not_expose_its_target() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_a_symlink_in_the_home_does_not_expose_its_target(&server);
    }
}

fn check_a_symlink_in_the_home_does_not_expose_its_target(server: &Server) {
    let secret = tempfile::tempdir().expect("the tests may write to /tmp");
    let computer = server.computer();
    let target = secret.path().display();
    computer
        .bash(&format!("rm -rf ~/Desktop ~/Downloads; ln -s {target} ~/Desktop; ln -s /root ~/Downloads"));
    let mut events = crate::socket::Socket::open(&computer, "events", "");
    events.send(&json!({ "type": "subscribe", "event_types": ["file_change", "clipboard"] }));
    events.frame_of("subscribed");
    fs::write(secret.path().join("private-name"), "text").expect("the folder is writable");
    computer.bash("echo -n marker | xclip -selection clipboard -i >/dev/null 2>&1 || true");
    events.send(&json!({ "type": "ping" }));
    let frames = events.frames_until("pong");
    assert!(!frames.iter().any(|frame| frame.to_string().contains("private-name")), "{frames:?}");
}

#[test]
fn other_accounts_of_the_host_cannot_access_a_home() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        check_other_accounts_of_the_host_cannot_access_a_home(&server);
    }
}

fn check_other_accounts_of_the_host_cannot_access_a_home(server: &Server) {
    let computer = server.computer();
    computer.bash("cp /bin/sh ~/shell; chmod 6755 ~/shell; chmod 777 ~");
    let home = server.data.path().join("computers").join(&computer.id).join("home");
    assert!(home.join("shell").exists());
    if status_field(server.process.id(), "Uid").starts_with(&USER.to_string()) || !geteuid().is_root() {
        for folder in [server.data.path(), home.parent().expect("it has a parent folder")] {
            assert_eq!(fs::metadata(folder).expect("it exists").mode() & 0o077, 0);
        }
        if !geteuid().is_root() {
            return;
        }
    }
    for path in [home.clone(), home.join("shell"), home.parent().expect("it has a parent folder").to_owned()]
    {
        let tried = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "ls", "-l"])
            .arg(&path)
            .output()
            .expect("it is installed");
        assert!(!tried.status.success(), "{}", path.display());
    }
}

/// Returns a folder that other users cannot enter. Many home folders are like that.
fn private_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("the tests may write to /tmp");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("the tests own it");
    folder
}

#[test]
fn each_computer_has_its_own_user_even_if_the_data_folder_is_in_a_private_folder() {
    if !can_test_sandbox() {
        return;
    }
    let parent = private_folder();
    let data = tempfile::tempdir_in(parent.path()).expect("the folder is writable");
    let server = Server::start_in(data, &[]);
    let computer = server.computer();
    computer.bash("echo kept > ~/kept");
    if geteuid().is_root() {
        let home = server.data.path().join("computers").join(&computer.id).join("home");
        let owner = fs::metadata(home.join("kept")).expect("it was written").uid();
        assert!(owner >= 200_000, "it belongs to {owner}");
    }
    server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    assert!(!server.data.path().join("computers").join(&computer.id).exists());
}

#[test]
fn link_local_addresses_are_unreachable() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    let routes = output(&computer, "cat /proc/net/route");
    assert!(routes.contains("tap0"), "{routes}");
    // Also tries a socket that is bound to the network device, for which the kernel could ignore the routes and contact
    // neighbors directly.
    for address in ["169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200", "192.0.0.192"] {
        let code = format!(
            "import socket, errno\nfor bound in (False, True):\n    s = socket.socket()\n    s.settimeout(3)\n    \
             if bound: s.setsockopt(socket.SOL_SOCKET, 25, b'tap0\\0')\n    \
             try:\n        s.connect(('{address}', 80))\n        print('reached')\n    \
             except OSError as error:\n        print(errno.errorcode.get(error.errno, 'timeout'))"
        );
        let tried = exec(&computer, &code)["output"].as_str().expect("it is a string").to_owned();
        let lines: Vec<_> = tried.lines().collect();
        assert_eq!(lines.first(), Some(&"EHOSTUNREACH"), "{address}: {tried}");
        assert!(
            lines.get(1).is_some_and(|line| matches!(*line, "EHOSTUNREACH" | "timeout" | "EPERM")),
            "{address}: {tried}"
        );
    }
    assert_ne!(computer.bash("ip route del unreachable 169.254.0.0/16")["exit_code"], 0);
}

/// A guard that sets a flag when it is dropped, so that the threads of a test end even if the test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn settings_of_the_kernel_are_read_only() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        let computer = server.computer();
        let tried = "for file in kernel/core_pattern vm/drop_caches net/ipv4/conf/all/route_localnet; do \
                     echo 1 > /proc/sys/$file; done 2>&1 | grep -cE 'Read-only|denied'; \
                     test -w /proc/sysrq-trigger && echo writable; mount | grep -c ' /proc/sys .*ro,'";
        assert_eq!(output(&computer, tried), "3\n1\n");
    }
}

/// If root runs the server, a computer without its own user would be root on the host, and could read root's files.
#[test]
fn no_computer_runs_as_root_on_the_host() {
    if !can_test_sandbox() {
        return;
    }
    if !geteuid().is_root() {
        println!("skipped: only a server that runs as root could do that");
        return;
    }
    let parent = private_folder();
    let confined = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
    for starter in [&confined[..], &["unshare", "--user", "--map-root-user"]] {
        let data = tempfile::tempdir_in(parent.path()).expect("the folder is writable");
        let server = Server::start_by_in(starter, data);
        let workspace = server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201);
        let new = json!({ "workspace_id": workspace["id"], "name": "one" });
        let made = server.call("POST", "/computers", &new);
        if made.status == 503 {
            // This server cannot create boxes on this machine.
            continue;
        }
        let id = made.expect(201)["id"].as_str().expect("it has an ID").to_owned();
        let computer = Computer { server: &server, id };
        computer.wait_for_status("error");
        let reason = computer.show()["instance_details"]["error"].to_string();
        assert!(
            reason.contains("computers") && reason.contains("as root") || reason.contains("--data-dir"),
            "{reason}"
        );
    }
}

#[test]
fn sockets_bound_to_the_network_device_cannot_reach_the_hosts_loopback() {
    if !can_test_sandbox() {
        return;
    }
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    let streams = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let ports =
        [datagrams.local_addr(), streams.local_addr()].map(|address| address.expect("it is bound").port());
    let server = Server::start();
    let computer = server.computer();
    let code = format!(
        "
import socket
for kind, port in ((2, {}), (1, {})):
    for level, option, value in ((1, 25, b'tap0\\0'), (0, 50, (2).to_bytes(4, 'big'))):
        s = socket.socket(2, kind)
        s.settimeout(2)
        s.setsockopt(level, option, value)
        try:
            s.sendto(b'x', ('127.0.0.1', port)) if kind == 2 else s.connect(('127.0.0.1', port))
        except OSError:
            pass
print('tried')
",
        ports[0], ports[1]
    );
    let tried = computer.act("exec", &json!({ "code": code, "timeout": 60 })).expect(200);
    assert_eq!(tried["output"], "tried\n", "{tried}");
    // If the computer's data reached the test, it would arrive before the data that the test sends here.
    let own = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
    own.send_to(b"own", ("127.0.0.1", ports[0])).expect("it listens");
    let mut received = [0; 16];
    let length = datagrams.recv(&mut received).expect("one was sent");
    assert_eq!(&received[..length], b"own");
    let own = TcpStream::connect(("127.0.0.1", ports[1])).expect("it listens");
    let (_, peer) = streams.accept().expect("one is pending");
    assert_eq!(peer, own.local_addr().expect("it is connected"));
}

#[test]
fn background_programs_use_no_descriptors_of_the_server() {
    let server = Server::start();
    let computer = server.computer();
    let descriptors =
        || fs::read_dir(format!("/proc/{}/fd", server.process.id())).expect("it is running").count();
    computer.bash("true");
    let before = descriptors();
    for _ in 0..60 {
        computer.bash("(sleep 1; head -c 300000 /dev/zero; echo done >> ~/done; sleep 300) &");
    }
    assert!(descriptors() < before + 20, "{} descriptors, {before} before", descriptors());
    // Unread output neither blocks the programs nor ends them with a broken pipe.
    wait_until("all of them to write", || output(&computer, "wc -l < ~/done") == "60\n");
}

#[test]
fn a_process_name_that_is_not_utf8_does_not_prevent_a_timeout() {
    let server = Server::start();
    let computer = server.computer();
    let code = "import ctypes, time\nctypes.CDLL(None).prctl(15, b'\\xff\\xfe', 0, 0, 0)\nprint(open('/proc/self/stat', 'rb').read().split()[0].decode(), flush=True)\ntime.sleep(300)";
    let ended = computer.act("exec", &json!({ "code": code, "timeout": 1 })).expect(200);
    let pid = ended["output"].as_str().expect("it is a string").trim().to_owned();
    wait_until("it to end", || output(&computer, &format!("test -d /proc/{pid} && echo lives")).is_empty());
}

/// Resources that the kernel counts per host user are limited for each computer.
#[test]
fn a_computer_cannot_exhaust_kernel_limits_that_others_share() {
    if !can_test_sandbox() {
        return;
    }
    for server in servers() {
        let computer = server.computer();
        let other = another(&server, &computer, "two");
        let flood = "
import array, socket
a, b = socket.socketpair()
sent = 0
pairs = []
try:
    while True:
        pairs.append(socket.socketpair())
        x, y = pairs[-1]
        for _ in range(200):
            x.sendmsg([b'x'], [(1, 1, array.array('i', [a.fileno()] * 250))])
            sent += 250
except OSError as error:
    print(error.errno, flush=True)
open('/tmp/full', 'w').close()
import time
time.sleep(300)
";
        computer.bash(&format!(
            "cat > /tmp/flood.py <<'END'{flood}END\nnohup python3 /tmp/flood.py >/tmp/log 2>&1 &"
        ));
        wait_until("its sockets to be full", || {
            output(&computer, "cat /tmp/log 2>/dev/null").starts_with("109")
        });
        assert_eq!(output(&other, "echo on"), "on\n");
        computer.bash("for i in $(seq 400); do unshare --user sleep 300 2>>/tmp/refused & done; sleep 1");
        wait_until("namespaces to be refused", || output(&computer, "wc -l < /tmp/refused") != "0\n");
        other.act("restart", &Value::Null).expect(200);
        other.wait_for_status("running");
        assert_eq!(output(&other, "unshare --user echo on"), "on\n");
    }
}

/// If the user breaks the home by mistake, commands must still work, so that the user can repair it.
#[test]
fn an_inaccessible_or_emptied_home_can_be_repaired() {
    for server in servers() {
        let computer = server.computer();
        for mistake in ["chmod 600 ~", "chmod 000 ~", "rm -rf ~/.[!.]* ~/*; chmod 0 ~"] {
            computer.bash(mistake);
            assert_eq!(output(&computer, "echo on; chmod 700 ~"), "on\n", "{mistake}");
            computer.bash(mistake);
            assert_eq!(exec(&computer, "print('on')")["output"], "on\n", "{mistake}");
            computer.act("restart", &Value::Null).expect(200);
            computer.wait_for_status("running");
            let seen = output(&computer, "[ $(pwd) = ~ ] && touch ~/new && echo new");
            assert_eq!(seen, "new\n", "{mistake}");
        }
        assert_eq!(computer.show()["instance_details"]["missing_parts"], json!([]));
        // The window manager blocks forever when it reads its settings from a FIFO.
        computer.bash("rm -rf ~/.config; mkdir -p ~/.config/openbox; mkfifo ~/.config/openbox/rc.xml");
        computer.act("restart", &Value::Null).expect(200);
        computer.wait_for_status("running");
        assert_eq!(computer.show()["instance_details"]["missing_parts"], json!(["window manager"]));
        server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
        // The audio server does not need settings in the home.
        computer.bash("rm -rf ~/.config; touch ~/.config");
        computer.act("restart", &Value::Null).expect(200);
        computer.wait_for_status("running");
        assert_eq!(output(&computer, "pactl info >/dev/null 2>&1 && echo audio"), "audio\n");
    }
}

/// The home can become inaccessible after the check whether it is accessible, and before the command starts in it.
#[test]
fn commands_run_even_if_the_home_becomes_inaccessible_at_any_moment() {
    let server = Server::start();
    let computer = server.computer();
    computer
        .bash("echo 'while :; do chmod 0 ~; chmod 700 ~; done' > /tmp/flap; sh /tmp/flap >/dev/null 2>&1 &");
    let folders: BTreeSet<String> = (0..150)
        .map(|_| {
            assert_eq!(exec(&computer, "print('on')")["output"], "on\n");
            output(&computer, "readlink /proc/$$/cwd")
        })
        .collect();
    assert!(folders.len() > 1, "the home was never inaccessible: {folders:?}");
    computer.bash("pkill -f /tmp/flap; chmod 700 ~");
}

/// Returns the metadata of every file below a folder: mode, owner, group, modification time and size.
fn manifest(folder: &Path) -> BTreeMap<PathBuf, (u32, u32, u32, i64, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.path().symlink_metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            let facts = (metadata.mode(), metadata.uid(), metadata.gid(), metadata.mtime(), metadata.len());
            found.insert(entry.path(), facts);
        }
    }
    found
}

/// A program in the computer keeps replacing every name that a call or the server uses, with links, pipes, deep folders, huge
/// files or nothing. Meanwhile the test makes all calls, and measures the calls of another computer.
#[test]
fn swapping_every_name_changes_nothing_on_the_host() {
    if !can_test_sandbox() {
        return;
    }
    const SWAPS: usize = 1_000;
    const MIN_SWAPS: usize = 20;
    const CALLS: usize = 60;
    let host = tempfile::tempdir().expect("the tests may write to /tmp");
    fs::write(host.path().join("root-only"), "secret of the host").expect("the folder is writable");
    fs::set_permissions(host.path().join("root-only"), fs::Permissions::from_mode(0o600))
        .expect("the tests own it");
    fs::create_dir(host.path().join("folder")).expect("the folder is writable");
    let server = Server::start();
    let computer = server.computer();
    let other = another(&server, &computer, "two");
    let watched = [host.path().to_owned(), "/etc".into(), server.data.path().join("files")];
    let before: Vec<_> = watched.iter().map(|folder| manifest(folder)).collect();
    let swap = format!(
        r#"
import os, random, shutil, sys
home = os.path.expanduser('~')
names = [home + '/' + name for name in ('Desktop', 'Downloads', '.config', '.local', '.bashrc', '.cache', 'export.txt', '.arriving-0')]
names += ['/run/computer', '/run/log', '/run/user', '/tmp/.X11-unix/x', '/tmp/exchange', '/run/computer/pulse.sock']
targets = ['/etc/passwd', '/etc/shadow', '{host}/root-only', '{host}/folder', '{data}', '/dev/zero', '/proc/1/environ', '/proc/self/mem']
import fcntl
lock = open('/dev/shm/lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
count = int(open(home + '/count').read()) if os.path.exists(home + '/count') else 0
while True:
    name = random.choice(names)
    try:
        aside = name + '.aside%d' % random.randrange(3)
        if random.random() < 0.5:
            os.rename(name, aside)
        elif os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name, ignore_errors=True)
        else:
            os.unlink(name)
    except OSError:
        pass
    try:
        kind = random.randrange(7)
        if kind == 0: os.symlink(random.choice(targets), name)
        if kind == 1: os.mkfifo(name)
        if kind == 2: os.makedirs(name + '/d' * 50)
        if kind == 3:
            with open(name, 'wb') as file: file.truncate(1 << 40)
        if kind == 4: os.mkdir(name, 0)
        if kind == 5: os.symlink(name, name)
        os.chmod(home, random.choice([0o700, 0o777, 0o755]))
    except OSError:
        pass
    count += 1
    with open(home + '/count.new', 'w') as file: file.write(str(count))
    os.rename(home + '/count.new', home + '/count')
"#,
        host = host.path().display(),
        data = server.data.path().display(),
    );
    computer
        .bash(&format!("cat > ~/swap.py <<'END'\n{swap}\nEND\nnohup python3 ~/swap.py >/dev/null 2>&1 &"));
    let wanted = if full() { 10_000 } else { SWAPS };
    let baseline = slowest(&other);
    let deadline = Instant::now() + TIMEOUT * if full() { 10 } else { 1 };
    let mut random = Random::new(23);
    let mut replies = String::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = SetOnDrop(&done);
        let timing = scope.spawn(|| {
            let mut slow = Vec::new();
            while !done.load(Ordering::Acquire) {
                slow.push(slowest(&other));
            }
            slow
        });
        for call in 1.. {
            let at = format!("/computers/{}", computer.id);
            let choice = random.below(8);
            let reply = match choice {
                0 => server.try_call(
                    "POST",
                    &format!("{at}/bash"),
                    &json!({ "command": "cat ~/export.txt | head -c 99; cat ~/count", "timeout": 5 }),
                ),
                1 => server.try_call(
                    "POST",
                    &format!("{at}/exec"),
                    &json!({ "code": "print('own')", "timeout": 5 }),
                ),
                2 => server.try_call(
                    "POST",
                    "/files/export",
                    &json!({ "desktopId": computer.id, "path": "export.txt" }),
                ),
                3 => server.try_call(
                    "POST",
                    "/files/export",
                    &json!({ "desktopId": computer.id, "path": "Desktop/root-only" }),
                ),
                4 => crate::files::try_send(
                    &server,
                    &format!("{at}/files/upload"),
                    &crate::files::form("a.txt", b"own", &[]),
                ),
                5 => server.try_call("GET", &format!("{at}/screenshot"), &Value::Null),
                6 => server.try_call("POST", &format!("{at}/restart"), &Value::Null),
                _ => server.try_call("POST", &format!("{at}/click"), &json!({ "x": 5, "y": 5 })),
            };
            let reply = reply.unwrap_or_else(|| panic!("the server did not respond to call {choice}"));
            assert_ne!(reply.status, 401);
            replies.push_str(&reply.body.to_string());
            wait_until("it to run again", || {
                let status = computer.show()["status"].as_str().unwrap_or_default().to_owned();
                if status == "error" {
                    computer.act("start", &Value::Null);
                }
                status == "running"
            });
            // Restarts the swapper if it has ended. A lock prevents a second one.
            let swapper = "nohup python3 ~/swap.py >/dev/null 2>&1 &";
            server.try_call("POST", &format!("{at}/bash"), &json!({ "command": swapper, "timeout": 5 }));
            let count = server.try_call(
                "POST",
                &format!("{at}/bash"),
                &json!({ "command": "cat ~/count", "timeout": 5 }),
            );
            let count = count
                .and_then(|count| count.body["output"].as_str()?.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if count >= wanted && call >= CALLS || Instant::now() > deadline {
                // On a slow machine, fewer names were swapped before the deadline.
                assert!(count >= MIN_SWAPS, "only {count} names were swapped");
                break;
            }
        }
        drop(stop);
        let mut slow = timing.join().expect("it does not fail");
        slow.sort();
        if let Some(median) = slow.get(slow.len() / 2) {
            println!(
                "slowest of 30 calls of another computer: {baseline:?} before, {median:?} during the race"
            );
        }
    });
    for secret in ["secret of the host", "root:x:0:0:root:/root:/bin", "root-only\",\"size"] {
        assert!(!replies.contains(secret), "a response contains {secret}");
    }
    let after: Vec<_> = watched.iter().map(|folder| manifest(folder)).collect();
    assert_eq!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
    assert!(symlink("a", host.path().join("still-ours")).is_ok());
}
