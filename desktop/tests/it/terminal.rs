//! The terminal channel.

use serde_json::json;

use crate::server::{Computer, Server, may_change_users, wait_until};
use crate::socket::Socket;

/// Reads output until it contains `text`, and returns it.
#[track_caller]
pub(crate) fn read_until(terminal: &mut Socket, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let frame = terminal.frame_of("output");
        seen.push_str(frame["data"].as_str().expect("it is a string"));
    }
    seen
}

pub(crate) fn input(terminal: &mut Socket, text: &str) {
    terminal.send(&json!({ "type": "input", "data": text }));
}

pub(crate) fn open(computer: &Computer<'_>, query: &str) -> Socket {
    Socket::open(computer, "terminal", query)
}

#[test]
fn a_shell_runs_commands_is_resized_and_reports_its_exit_code() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "&cols=101&rows=31");
    input(&mut terminal, "echo $((6*7)); stty size; tty\r");
    let seen = read_until(&mut terminal, "/dev/pts/");
    assert!(seen.contains("42") && seen.contains("31 101"), "{seen}");

    terminal.send(&json!({ "type": "resize", "cols": 90, "rows": 20 }));
    terminal.send_binary(&json!({ "type": "input", "data": "stty size\r" }));
    read_until(&mut terminal, "20 90");

    terminal.send(&json!({ "type": "ping" }));
    terminal.frame_of("pong");
    for malformed in
        [json!({ "type": "dance" }), json!([]), json!({ "type": "resize", "cols": 0, "rows": 1 })]
    {
        terminal.send(&malformed);
        terminal.frame_of("error");
    }
    input(&mut terminal, "exit 7\r");
    assert_eq!(terminal.frame_of("exit")["code"], 7);
    assert_eq!(terminal.close_code(), 1000);
}

#[test]
fn a_terminal_belongs_to_the_computers_user() {
    let servers: [fn() -> Server; 2] = [Server::start, || Server::start_as_user(65_533)];
    let is_root = may_change_users();
    for start in servers.into_iter().take(if is_root { 2 } else { 1 }) {
        let server = start();
        let computer = server.computer();
        let mut terminal = open(&computer, "");
        // Opens the terminal device by its path, as some programs do.
        input(
            &mut terminal,
            "echo by-$((20+1))-name > $(tty); [ $(stat -c %u $(tty)) = $(id -u) ] && echo ow''n\r",
        );
        let seen = read_until(&mut terminal, "own\r\n");
        assert!(seen.contains("by-21-name"), "{seen}");
    }
}

#[test]
fn long_output_of_wide_characters_arrives_complete() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash("for i in $(seq 20000); do printf '日本語🙂%d\\n' $i; done > wide.txt");
    let mut terminal = open(&computer, "");
    input(&mut terminal, "stty -onlcr; cat wide.txt; echo en''d\r");
    let seen = read_until(&mut terminal, "end\n");
    assert!(!seen.contains('\u{fffd}'));
    let expected: String = (1..=20_000).map(|number| format!("日本語🙂{number}\n")).collect();
    assert!(seen.contains(&expected));
}

#[test]
fn a_background_program_does_not_delay_the_exit() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "sleep 1000 & disown; exit 4\r");
    assert_eq!(terminal.frame_of("exit")["code"], 4);
    assert_eq!(terminal.close_code(), 1000);
}

#[test]
fn a_shell_ends_when_its_client_disconnects() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "echo rea''dy; sleep 4322\r");
    read_until(&mut terminal, "ready");
    let count =
        || computer.bash("pgrep -cf 'sleep 432[2]'")["output"].as_str().map(|count| count.trim().to_owned());
    wait_until("the program to run", || count().as_deref() == Some("1"));
    drop(terminal);
    wait_until("the program to end", || count().as_deref() == Some("0"));
}

#[test]
fn a_pong_is_sent_before_queued_output() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "yes\r");
    read_until(&mut terminal, "y\r\ny\r\n");
    terminal.send(&json!({ "type": "ping" }));
    terminal.frame_of("pong");
    input(&mut terminal, "\u{3}exit 5\r");
    assert_eq!(terminal.frame_of("exit")["code"], 5);
}

#[test]
fn a_client_that_does_not_read_blocks_its_program_but_not_the_server() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "seq 3000000; echo en''d\r");
    // The server responds to other calls at the same time.
    assert_eq!(computer.bash("echo served")["output"], "served\n");
    let mut lines = 0;
    let mut tail = String::new();
    while !tail.contains("end\r\n") {
        let frame = terminal.frame_of("output");
        let text = frame["data"].as_str().expect("it is a string");
        lines += text.matches('\n').count();
        tail = tail.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect::<String>() + text;
    }
    assert!(lines > 3_000_000, "{lines}");
}

/// Starts a program that waits for a file named `go`, then reads this number of input bytes and prints their checksum.
fn slow_reader(terminal: &mut Socket, bytes: usize) {
    let wait = "until [ -e go ]; do sleep 0.1; done";
    input(terminal, &format!("stty raw -echo; tty; echo rea''dy; {wait}; head -c {bytes} | sha256sum\r"));
    read_until(terminal, "ready");
}

fn checksum(content: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn unread_input_is_queued_and_blocks_the_client() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    let content: Vec<u8> = (0..6_000_000_u32).map(|at| b'a' + (at % 25) as u8).collect();
    slow_reader(&mut terminal, content.len());
    let (started, text) = (std::time::Instant::now(), content.clone());
    let writer = terminal.writer();
    let sending = std::thread::spawn(move || {
        let mut writer = writer;
        // Sends more messages than any queue can contain.
        for piece in text.chunks(2_000) {
            writer
                .send(&json!({ "type": "input", "data": std::str::from_utf8(piece).expect("it is ASCII") }));
        }
    });
    // The server sends empty output to show that the channel is alive.
    while terminal.frame()["data"] != "" {}
    assert!(!sending.is_finished(), "the server accepted 6 MB within {:?}", started.elapsed());
    assert_eq!(computer.bash("touch go; echo served")["output"], "served\n");
    let seen = read_until(&mut terminal, "  -");
    assert!(seen.contains(&checksum(&content)), "{seen}");
    sending.join().expect("all messages are sent");
}

#[test]
fn a_pong_waits_for_unread_input_but_other_messages_do_not() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    let content = vec![b'x'; 500_000];
    slow_reader(&mut terminal, content.len());
    terminal.send(&json!({ "type": "ping" }));
    terminal.frame_of("pong");
    input(&mut terminal, std::str::from_utf8(&content).expect("it is ASCII"));
    terminal.send(&json!({ "type": "ping" }));
    terminal.send(&json!({ "type": "resize", "cols": 33, "rows": 44 }));
    let size = || computer.bash("stty size -F /dev/pts/0")["output"].as_str().map(str::to_owned);
    wait_until("the size to change", || size().as_deref() == Some("44 33\n"));
    for _ in 0..2 {
        assert_eq!(terminal.frame(), json!({ "type": "output", "data": "" }));
    }
    computer.bash("touch go");
    let mut frames = terminal.frames_until("pong");
    while !frames.iter().any(|frame| frame.to_string().contains(&checksum(&content))) {
        frames.push(terminal.frame_of("output"));
    }
}

#[test]
fn a_shell_ends_when_its_client_disconnects_with_unread_input() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "stty raw -echo; echo rea''dy; sleep 4323\r");
    read_until(&mut terminal, "ready");
    let mut writer = terminal.writer();
    let sending = std::thread::spawn(move || {
        while writer.try_send(&json!({ "type": "input", "data": "x".repeat(100_000) })) {}
    });
    while terminal.frame()["data"] != "" {}
    terminal.stop_sending();
    sending.join().expect("it stops when the connection is closed");
    drop(terminal);
    let count =
        || computer.bash("pgrep -cf 'sleep 432[3]'")["output"].as_str().map(|count| count.trim().to_owned());
    wait_until("the program to end", || count().as_deref() == Some("0"));
}

#[test]
fn stopping_a_computer_closes_its_sockets() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    let mut events = Socket::open(&computer, "events", "");
    let mut audio = Socket::open(&computer, "audio", "");
    audio.frame_of("started");
    computer.act("stop", &json!({})).expect(200);
    for socket in [&mut terminal, &mut events, &mut audio] {
        assert_eq!(socket.close_code(), 1001);
    }
    computer.wait_for_status("stopped");
    let path = format!("/desktops/{}/ws/terminal?token=x", computer.id);
    assert_eq!(Socket::open_at(&computer, &path).close_code(), 4404);
}
