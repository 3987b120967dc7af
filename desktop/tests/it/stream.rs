//! Streaming to an RTMP receiver. The receiver is a second ffmpeg process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::server::{Computer, KEY, Response, Server, TIMEOUT, can_test_sandbox, is_sandboxed, wait_until};

/// Returns a free TCP port.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A process that receives one stream and records it to a file.
struct Receiver(Child);

impl Receiver {
    /// Starts ffmpeg as an RTMP server. Its log file contains a warning if a client requests a different application or
    /// key.
    fn start(port: u16, file: &Path) -> Self {
        let log = fs::File::create(file.with_extension("log")).expect("the folder is writable");
        let receiver = Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-listen", "1", "-i"])
            .arg(format!("rtmp://127.0.0.1:{port}/live/key"))
            .args(["-c", "copy", "-f", "matroska", "-flush_packets", "1", "-y"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("ffmpeg is installed where the tests run");
        wait_until("the receiver to listen", || listens(port));
        Self(receiver)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Ignores errors, because the process ends with its stream.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns whether a socket listens on a port. Does not connect to the port, because the receiver accepts only one
/// connection.
fn listens(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/tcp").expect("Linux has /proc");
    sockets.lines().any(|line| line.contains(&format!(":{port:04X} 00000000:0000 0A")))
}

fn configure(server: &Server, text: &str) {
    fs::write(server.data.path().join("stream-connections.toml"), text).expect("the folder is writable");
}

fn start(computer: &Computer<'_>, name: &str) -> Response {
    computer.act("stream/start", &json!({ "connection_name": name }))
}

fn status(computer: &Computer<'_>) -> Value {
    computer.server.get(&format!("/computers/{}/stream/status", computer.id)).expect(200)
}

/// Returns whether a process is running. A zombie is not running: its parent has only not reaped it yet.
fn is_running(pid: &Value) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| !status.contains("\nState:\tZ"))
}

/// Returns the report of ffprobe: the codec, the parameters and the number of packets of each stream in the file.
fn probe(file: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-of", "json"])
        .args(["-show_entries", "stream=codec_name,width,height,sample_rate,channels,nb_read_packets"])
        .arg(file)
        .output()
        .expect("it comes with ffmpeg");
    serde_json::from_slice(&output.stdout).expect("it writes JSON")
}

#[test]
fn a_stream_sends_screen_and_audio_until_it_is_stopped() {
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    let file = server.data.path().join("received.mkv");
    configure(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live'\nkey = 'key'\n"));
    assert_eq!(status(&computer), json!({ "status": "idle" }));

    let receiver = Receiver::start(port, &file);
    let started = start(&computer, "test").expect(200);
    assert_eq!((&started["success"], &started["status"]), (&json!(true), &json!("streaming")));
    assert!(is_running(&started["pid"]));
    let shown = status(&computer);
    assert_eq!((&shown["pid"], &shown["start_time"]), (&started["pid"], &started["start_time"]));
    assert_eq!(start(&computer, "test").expect(409)["code"], "already_streaming");
    wait_until("data to arrive", || fs::metadata(&file).is_ok_and(|file| file.len() > 100_000));

    let stopped = computer.act("stream/stop", &json!({})).expect(200);
    assert_eq!(stopped["success"], true);
    assert!(!is_running(&started["pid"]));
    assert_eq!(status(&computer), json!({ "status": "idle" }));
    let again = computer.act("stream/stop", &json!({})).expect(200);
    assert_eq!(again, json!({ "success": false, "error": "No active stream to stop" }));

    let mut receiver = receiver;
    receiver.0.wait().expect("it ends with the stream");
    let streams = probe(&file)["streams"].clone();
    let packets =
        |n: usize| streams[n]["nb_read_packets"].as_str().and_then(|count| count.parse::<u32>().ok());
    assert_eq!((&streams[0]["codec_name"], &streams[0]["width"]), (&json!("h264"), &json!(1280)));
    assert_eq!((&streams[1]["codec_name"], &streams[1]["channels"]), (&json!("aac"), &json!(2)));
    assert!(packets(0) > Some(5) && packets(1) > Some(5), "{streams}");
    assert_eq!(address_warnings(&file), Vec::<String>::new());
}

/// Returns the warnings of a receiver about an unexpected application or key.
fn address_warnings(file: &Path) -> Vec<String> {
    let log = fs::read_to_string(file.with_extension("log")).expect("the receiver creates it");
    let is_about_address = |line: &&str| line.contains("Unexpected stream") || line.contains("App field");
    log.lines().filter(is_about_address).map(str::to_owned).collect()
}

#[test]
fn the_stream_key_is_in_no_process_list_and_no_response() {
    const SECRETS: [&str; 2] = ["hunter2-app", "hunter2-key"];
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    let file = server.data.path().join("received.mkv");
    for address in [
        format!("url = 'rtmp://127.0.0.1:{port}/hunter2-app'\nkey = 'hunter2-key'"),
        format!("url = 'rtmp://127.0.0.1:{port}/hunter2-app/hunter2-key'"),
    ] {
        configure(&server, &format!("[test]\n{address}\n"));
        let receiver = Receiver::start(port, &file);
        let started = start(&computer, "test").expect(200);
        wait_until("the receiver to get the key", || {
            address_warnings(&file).iter().any(|line| line.contains(SECRETS[1]))
        });
        // Without a box the encoder connects to the target itself.
        let address = if is_sandboxed() {
            "rtmp://127.0.0.1:1935/\0".to_owned()
        } else {
            format!("rtmp://127.0.0.1:{port}/\0")
        };
        let mut seen = 0;
        for entry in fs::read_dir("/proc").expect("Linux has /proc").flatten() {
            for name in ["cmdline", "environ"] {
                let text = fs::read(entry.path().join(name)).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                seen += usize::from(text.contains(&address));
                assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
            }
        }
        // The address is in the command line of the encoder, and of bubblewrap if there is a box. If no command line
        // contains it, the test searches for the wrong address.
        assert!(seen >= if is_sandboxed() { 2 } else { 1 }, "{seen} command lines contain the address");
        assert!(
            !started.to_string().contains("hunter2") && !status(&computer).to_string().contains("hunter2")
        );
        computer.act("stream/stop", &json!({})).expect(200);
        drop(receiver);
    }
}

#[test]
fn a_stream_with_an_unreachable_target_is_terminated() {
    let server = Server::start();
    let computer = server.computer();
    let port = free_port();
    configure(&server, &format!("[gone]\nurl = 'rtmp://127.0.0.1:{port}/live'\nkey = 'hunter2'\n"));
    let refused = start(&computer, "gone").expect(502);
    assert_eq!(refused["code"], "stream_failed");
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    let shown = status(&computer);
    assert_eq!(shown["status"], "terminated");
    let reason = if is_sandboxed() {
        "cannot connect to the target: Connection refused"
    } else {
        "Connection refused"
    };
    assert!(shown["message"].as_str().is_some_and(|text| text.contains(reason)), "{shown}");

    let receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    // The receiver accepts any key.
    let started = start(&computer, "gone").expect(200);
    drop(receiver);
    wait_until("the stream to end", || status(&computer)["status"] == "terminated");
    assert!(!is_running(&started["pid"]));
    assert_eq!(computer.act("stream/stop", &json!({})).expect(200)["success"], false);
    assert_eq!(status(&computer)["status"], "idle");
}

#[test]
fn a_stream_ends_with_its_computer_and_with_a_killed_server() {
    let mut server = Server::start();
    let port = free_port();
    configure(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live/key'\n"));
    let computer = server.computer();
    let id = computer.id.clone();
    let receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&computer, "test").expect(200);
    computer.act("stop", &json!({})).expect(200);
    computer.wait_for_status("stopped");
    assert!(!is_running(&started["pid"]));
    assert_eq!(status(&computer)["status"], "idle");
    assert!(start(&computer, "test").refusal(400).starts_with("Desktop instance not available"));
    drop(receiver);

    computer.act("start", &json!({})).expect(200);
    let _receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&Computer { server: &server, id }, "test").expect(200);
    server.signal(rustix::process::Signal::KILL);
    server.process.wait().expect("it ends");
    wait_until("the encoder to end", || !is_running(&started["pid"]));
}

#[test]
fn an_unknown_connection_and_an_invalid_file_are_different_errors() {
    let server = Server::start();
    let computer = server.computer();
    assert_eq!(start(&computer, "test").expect(404)["code"], "connection_not_found");
    configure(&server, "[test]\nurl = 'file:///tmp/x'\n");
    assert!(start(&computer, "test").refusal(500).contains("test: url: must begin with rtmp"));
    configure(&server, "[test\n");
    assert!(start(&computer, "test").refusal(500).contains("stream-connections.toml"));
    assert_eq!(start(&computer, "").expect(500)["code"], "bad_settings");
    computer.act("stream/start", &json!({})).refusal(400);
}

/// Returns the process and its descendants, each parent before its children.
fn process_tree(pid: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .expect("Linux has /proc")
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, field(pid, "PPid")?.parse().ok()?))
        })
        .collect();
    let mut tree = vec![pid];
    let mut n = 0;
    while let Some(&parent) = tree.get(n) {
        tree.extend(processes.iter().filter(|(_, its_parent)| *its_parent == parent).map(|(pid, _)| pid));
        n += 1;
    }
    tree
}

/// Returns a field of `/proc/PID/status`, or `None` if the process has ended.
fn field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Finds the process with this name in a process tree. Panics if there is none.
fn find_process(tree: &[u32], name: &str) -> u32 {
    let found = tree.iter().find(|&&pid| field(pid, "Name").is_some_and(|its| its == name));
    *found.unwrap_or_else(|| panic!("{name} is not running"))
}

/// Returns the content of `/proc/PID/FILE` as text.
fn text(pid: u32, file: &str) -> String {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).expect("it is running, and the tests may read it");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn namespace(pid: u32, kind: &str) -> String {
    let link =
        fs::read_link(format!("/proc/{pid}/ns/{kind}")).expect("it is running, and the tests may read it");
    link.to_string_lossy().into_owned()
}

/// Returns the sockets that a process has open.
fn sockets(pid: u32) -> Vec<String> {
    let entries =
        fs::read_dir(format!("/proc/{pid}/fd")).expect("it is running, and the tests may read it").flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    links.map(|link| link.to_string_lossy().into_owned()).filter(|link| link.starts_with("socket:")).collect()
}

/// Returns the session ID of a process.
fn session(pid: u32) -> String {
    let stat = text(pid, "stat");
    let fields = stat.rsplit(") ").next().expect("it has fields after its name");
    fields.split(' ').nth(3).expect("the session ID is the sixth field").to_owned()
}

#[test]
fn the_encoder_has_the_rights_of_its_computers_user_and_no_network() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start_by(&["env", "CANARY=hunter2-canary"]);
    let server_pid = server.process.id();
    assert!(text(server_pid, "environ").contains("hunter2-canary"));
    let computer = server.computer();
    let enforced = computer.show()["instance_details"]["enforced"]["ram"] == true;
    let port = free_port();
    configure(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live/key'\n"));
    let _receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&computer, "test").expect(200);

    let display = find_process(&process_tree(server_pid), "Xvnc");
    let bwrap = started["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("it is a number");
    let tree = process_tree(bwrap);
    let encoder = find_process(&tree, "ffmpeg");
    for &pid in &tree {
        let environment = text(pid, "environ");
        let names: Vec<&str> = environment
            .split('\0')
            .filter(|variable| !variable.is_empty())
            .map(|variable| variable.split('=').next().expect("it has a name"))
            .collect();
        assert!(names.iter().all(|name| ["PATH", "PWD"].contains(name)), "{names:?}");
        assert!(!environment.contains(KEY), "{environment}");
        assert_eq!(field(pid, "Uid"), field(display, "Uid"));
        assert_eq!(field(pid, "Gid"), field(display, "Gid"));
        assert_eq!(field(pid, "Groups").as_deref().unwrap_or_default(), "");
        assert_eq!(field(pid, "CapEff").as_deref(), Some("0000000000000000"));
        assert_eq!(field(pid, "NoNewPrivs").as_deref(), Some("1"));
        assert_eq!(text(pid, "cgroup"), text(display, "cgroup"));
        assert_ne!(session(pid), session(server_pid));
    }
    if rustix::process::geteuid().is_root() {
        let user: u32 = field(encoder, "Uid")
            .and_then(|users| users.split_whitespace().next()?.parse().ok())
            .expect("it is a number");
        assert!(user >= 200_000, "{user}");
    }
    if enforced {
        assert!(text(encoder, "cgroup").contains("/orgo-desktop-"), "{}", text(encoder, "cgroup"));
    }
    for (right, value) in [("CapPrm", "0000000000000000"), ("Seccomp", "2")] {
        assert_eq!(field(encoder, right).as_deref(), Some(value), "{right}");
    }
    for kind in ["net", "user", "pid", "ipc", "uts", "mnt"] {
        for other in [server_pid, display] {
            assert_ne!(namespace(encoder, kind), namespace(other, kind), "{kind}");
        }
    }
    let interfaces = text(encoder, "net/dev");
    let interfaces: Vec<&str> =
        interfaces.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim).collect();
    assert_eq!(interfaces, ["lo"]);
    // The encoder has closed the listening sockets of its box. Only the server accepts connections on them.
    let server_sockets = sockets(server_pid);
    assert!(sockets(encoder).iter().all(|socket| !server_sockets.contains(socket)));
    computer.act("stream/stop", &json!({})).expect(200);
}

#[test]
fn the_encoder_sees_no_files_of_the_host_or_of_its_computer() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    computer.bash("echo private > ~/private");
    let port = free_port();
    configure(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live/key'\n"));
    let _receiver = Receiver::start(port, &server.data.path().join("received.mkv"));
    let started = start(&computer, "test").expect(200);
    let bwrap = started["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("it is a number");
    let encoder = find_process(&process_tree(bwrap), "ffmpeg");
    let root = format!("/proc/{encoder}/root");
    let listed = |folder: &str| {
        let entries = fs::read_dir(format!("{root}{folder}")).expect("it exists").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let allowed = ["bin", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "tmp", "usr"];
    assert_eq!(listed("/"), allowed);
    assert_eq!(listed("/run"), ["orgo-desktop"]);
    for name in ["shadow", "resolv.conf", "machine-id", "ssh"] {
        assert!(!listed("/etc").contains(&name.to_owned()), "{name}");
    }
    assert_eq!(listed("/tmp/.X11-unix"), ["X0"]);
    computer.act("stream/stop", &json!({})).expect(200);
}

/// Receives the RTMP handshake and then the first command. Returns the `tcUrl` and `app` of the command.
fn connect_command(listener: &TcpListener) -> (String, String) {
    let (mut stream, _) = listener.accept().expect("the server connects");
    stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
    let mut first = [0; 1 + 1536];
    stream.read_exact(&mut first).expect("the client starts the handshake");
    let mut reply = vec![3];
    reply.extend([0; 1536]);
    reply.extend(&first[1..]);
    stream.write_all(&reply).expect("the client reads");
    stream.read_exact(&mut [0; 1536]).expect("the client completes the handshake");
    let mut header = [0; 12];
    stream.read_exact(&mut header).expect("the client sends a command");
    assert_eq!(header[7], 20, "it is not a command");
    let length = u32::from_be_bytes([0, header[4], header[5], header[6]]) as usize;
    let mut command = Vec::new();
    while command.len() < length {
        let mut chunk = vec![0; 128.min(length - command.len())];
        stream.read_exact(&mut chunk).expect("the command continues");
        command.extend(chunk);
        if command.len() < length {
            // Each further chunk has a header of one byte.
            stream.read_exact(&mut [0]).expect("the command continues");
        }
    }
    (property(&command, "tcUrl"), property(&command, "app"))
}

/// Returns a string property of an AMF object.
fn property(object: &[u8], name: &str) -> String {
    let mut key = vec![0, u8::try_from(name.len()).expect("names are short")];
    key.extend(name.as_bytes());
    key.push(2);
    let start = object.windows(key.len()).position(|window| window == key).expect("it exists") + key.len();
    let length = usize::from(u16::from_be_bytes([object[start], object[start + 1]]));
    String::from_utf8(object[start + 2..][..length].to_vec()).expect("it is UTF-8")
}

#[test]
fn the_target_receives_the_configured_url_and_application() {
    let server = Server::start();
    let computer = server.computer();
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    for host in ["127.0.0.1", "localhost"] {
        configure(&server, &format!("[test]\nurl = 'rtmp://{host}:{port}/live/more'\nkey = 'key'\n"));
        thread::scope(|scope| {
            let received = scope.spawn(|| connect_command(&listener));
            // The target closes the connection after the first command.
            assert_eq!(start(&computer, "test").expect(502)["code"], "stream_failed");
            let expected = (format!("rtmp://{host}:{port}/live/more"), "live/more".to_owned());
            assert_eq!(received.join().expect("the command arrives"), expected);
        });
    }
}

#[test]
fn tls_requests_the_host_name_of_the_target() {
    let server = Server::start();
    let computer = server.computer();
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    configure(&server, &format!("[test]\nurl = 'rtmps://localhost:{port}/live/key'\n"));
    thread::scope(|scope| {
        let received = scope.spawn(|| client_hello(&listener));
        assert_eq!(start(&computer, "test").expect(502)["code"], "stream_failed");
        // The extension `server_name` ends with the type, the length and the text of the host name.
        let mut name = vec![0, 0, 9];
        name.extend(b"localhost");
        let hello = received.join().expect("it arrives");
        assert!(hello.windows(name.len()).any(|window| window == name), "{hello:?}");
    });
}

/// Returns the content of the first record that a TLS client sends.
fn client_hello(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _): (TcpStream, _) = listener.accept().expect("the server connects");
    stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
    let mut header = [0; 5];
    stream.read_exact(&mut header).expect("the client starts the handshake");
    assert_eq!(header[0], 22, "it is not a TLS handshake");
    let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut hello).expect("the record is complete");
    hello
}

#[test]
fn a_target_that_accepts_the_connection_but_never_replies_times_out() {
    let server = Server::start();
    let computer = server.computer();
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    configure(&server, &format!("[test]\nurl = 'rtmp://127.0.0.1:{port}/live/key'\n"));
    assert!(start(&computer, "test").refusal(502).contains("accepted no data within"));
    listener.set_nonblocking(true).expect("it is a socket");
    // On a slow machine the encoder may not have connected before the timeout.
    if let Ok((mut connection, _)) = listener.accept() {
        connection.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
        let mut rest = Vec::new();
        let ended = connection.read_to_end(&mut rest);
        assert!(
            ended.is_ok_and(|length| length == 1 + 1536),
            "the client starts the handshake and disconnects"
        );
    }
}
