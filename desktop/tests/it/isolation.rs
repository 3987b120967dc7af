//! Tests that a computer cannot see its host or other computers, except read-only system files of the host.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;

use crate::server::{Computer, Server, can_test_sandbox, wait_until};

fn output(computer: &Computer<'_>, command: &str) -> String {
    computer.bash(command)["output"].as_str().expect("it is a string").to_owned()
}

/// Creates another computer in the workspace of `first`.
fn second<'a>(server: &'a Server, first: &Computer<'_>) -> Computer<'a> {
    let new = json!({ "workspace_id": first.show()["workspace_id"], "name": "two" });
    let made = server.call("POST", "/computers", &new).expect(201);
    let computer = Computer { server, id: made["id"].as_str().expect("it has an ID").to_owned() };
    computer.wait_for_status("running");
    computer
}

#[test]
fn a_computer_sees_only_its_own_processes_and_host_name() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    let instance = computer.show()["instance_id"].clone();
    assert_eq!(
        output(&computer, "hostname").trim_end(),
        format!("orgo-{}", instance.as_str().expect("it has one"))
    );
    let seen = output(&computer, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    assert!(seen.contains("Xvnc"), "{seen}");
    assert!(!seen.contains("serve --listen"), "{seen}");
}

#[test]
fn only_system_files_of_the_host_are_visible_and_all_are_read_only() {
    if !can_test_sandbox() {
        return;
    }
    let secret = tempfile::tempdir().expect("the tests may write to /tmp");
    fs::write(secret.path().join("secret"), "s").expect("the folder is writable");
    let server = Server::start();
    let computer = server.computer();
    let other = second(&server, &computer);
    other.bash("echo private > ~/private");
    let data = server.data.path().display().to_string();
    let hidden = secret.path().display().to_string();
    for path in ["/root", "/srv", "/mnt", "/sys", "/boot", "/var/lib", "/var/log", &data, &hidden] {
        let listed = computer.bash(&format!("ls -A {path} 2>/dev/null | wc -l"));
        assert_eq!(listed["output"], "0\n", "{path} is not empty");
    }
    assert_eq!(output(&computer, "find / -xdev -name private 2>/dev/null"), "");
    assert_eq!(output(&computer, "cat /etc/shadow /etc/gshadow 2>/dev/null"), "");
    for path in ["/usr/x", "/etc/x", "/x", "/run/support/x", "/home/x"] {
        assert_ne!(computer.bash(&format!("touch {path}"))["exit_code"], 0, "{path} was written");
    }
    assert_ne!(computer.bash("mount -t tmpfs none /mnt")["exit_code"], 0);
    assert_eq!(output(&computer, "grep CapEff /proc/self/status").trim(), "CapEff:\t0000000000000000");
}

/// A program that sends a request to a port on every address that this machine may have, and prints the addresses that
/// respond.
const PROBE: &str = r#"
import socket, sys
port = int(sys.argv[1])
own = {"127.0.0.1", "10.0.2.2", "10.0.2.3", "10.0.2.15", "0.0.0.0"} | set(sys.argv[2:])
for address in sorted(own):
    try:
        with socket.create_connection((address, port), 2) as peer:
            peer.sendall(b"GET /api/workspaces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            print(address, peer.makefile("rb").readline().split()[1].decode())
    except OSError:
        pass
try:
    socket.create_connection(("::1", port), 2)
    print("::1 reached")
except OSError:
    pass
"#;

#[test]
fn the_server_and_the_hosts_loopback_are_unreachable() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let ports = [
        server.origin.rsplit_once(':').expect("it has a port").1.to_owned(),
        elsewhere.local_addr().expect("it is bound").port().to_string(),
    ];
    for port in ports {
        assert_eq!(output(&computer, &format!("python3 - {port} <<'END'{PROBE}END")), "");
    }
}

#[test]
fn a_server_with_remote_access_refuses_its_own_computers() {
    if !can_test_sandbox() {
        return;
    }
    let own = own_address();
    let data = tempfile::tempdir().expect("the tests may write to /tmp");
    let mut server = Server::start_in(data, &["--listen", "0.0.0.0:0", "--allow-remote"]);
    let port = server.origin.rsplit_once(':').expect("it has a port").1.to_owned();
    server.origin = format!("http://127.0.0.1:{port}");
    let computer = server.computer();
    let responses = output(&computer, &format!("python3 - {port} {own} <<'END'{PROBE}END"));
    assert!(responses.is_empty() || responses == format!("{own} 403\n"), "{responses}");
}

/// Returns the address that this machine uses for connections to other machines.
fn own_address() -> std::net::IpAddr {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("there is a free port");
    // Connecting a UDP socket sends nothing.
    let routed = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    routed.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

#[test]
fn another_computers_display_and_sockets_are_unreachable() {
    let server = Server::start();
    let computer = server.computer();
    let other = second(&server, &computer);
    let display = output(&other, "echo -n $DISPLAY");
    assert_ne!(output(&computer, "echo -n $DISPLAY"), display);
    assert_ne!(computer.bash(&format!("DISPLAY={display} xrandr"))["exit_code"], 0);
    if !can_test_sandbox() {
        return;
    }
    assert_eq!(output(&computer, "ls /tmp/.X11-unix | wc -l"), "1\n");
    let own = output(&computer, "cat /proc/net/unix | grep -c '@'");
    assert_eq!(own.trim(), "0", "abstract sockets of others are visible");
}

/// One computer plays a tone, while another records its own audio output.
#[test]
fn audio_of_another_computer_cannot_be_recorded() {
    const TONE: &str = "python3 -c 'import sys\nwhile True: sys.stdout.buffer.write(b\"\\x00\\x40\" * 4096)' \
                        | pacat --raw --format=s16le >/dev/null 2>&1 &";
    const LISTEN: &str = "timeout 2 parec --raw --format=s16le -d out.monitor | tr -d '\\000' | wc -c";
    let server = Server::start();
    let computer = server.computer();
    let other = second(&server, &computer);
    other.bash(TONE);
    wait_until("the tone to reach the recorder of its own computer", || output(&other, LISTEN) != "0\n");
    assert_eq!(
        output(&computer, "timeout 30 parec --raw -d out.monitor 2>/dev/null | head -c 1000 | wc -c"),
        "1000\n"
    );
    assert_eq!(output(&computer, LISTEN), "0\n");
}

#[test]
fn binary_output_is_returned_as_text() {
    let server = Server::start();
    let computer = server.computer();
    let all = computer.bash("printf 'a\\0b\\xff\\xfe\\n'; printf '\\xe2\\x82'");
    assert_eq!(all["output"], "a\0b\u{fffd}\u{fffd}\n\u{fffd}");
    let noise = computer.bash("head -c 200000 /dev/urandom; echo; echo end");
    assert!(noise["output"].as_str().is_some_and(|text| text.ends_with("\nend\n")));
    let code = "import sys\nsys.stdout.buffer.write(bytes(range(256)))";
    let python = computer.act("exec", &json!({ "code": code })).expect(200);
    assert_eq!(python["success"], true);
    assert!(python["output"].as_str().is_some_and(|text| text.starts_with("\0\u{1}\u{2}")));
}
