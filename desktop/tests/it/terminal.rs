//! The terminal channel.

use serde_json::json;

use crate::server::{Computer, Server, may_change_users, wait_until};
use crate::socket::Socket;

/// Reads output until it holds `text`.
#[track_caller]
fn read_until(terminal: &mut Socket, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let frame = terminal.frame_of("output");
        seen.push_str(frame["data"].as_str().expect("it is a text"));
    }
    seen
}

fn input(terminal: &mut Socket, text: &str) {
    terminal.send(&json!({ "type": "input", "data": text }));
}

fn open(computer: &Computer<'_>, query: &str) -> Socket {
    Socket::open(computer, "terminal", query)
}

#[test]
fn a_shell_answers_resizes_and_says_how_it_ended() {
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
        // By its name, as programs do that open their terminal once more.
        input(
            &mut terminal,
            "echo by-$((20+1))-name > $(tty); [ $(stat -c %u $(tty)) = $(id -u) ] && echo ow''n\r",
        );
        let seen = read_until(&mut terminal, "own\r\n");
        assert!(seen.contains("by-21-name"), "{seen}");
    }
}

#[test]
fn a_long_text_of_wide_characters_comes_whole() {
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
fn a_program_in_the_background_does_not_hold_up_the_exit() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "sleep 1000 & disown; exit 4\r");
    assert_eq!(terminal.frame_of("exit")["code"], 4);
    assert_eq!(terminal.close_code(), 1000);
}

#[test]
fn a_client_that_leaves_takes_its_shell_along() {
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
fn an_answer_overtakes_the_output() {
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
fn a_client_that_does_not_read_holds_up_the_program_not_the_server() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "seq 3000000; echo en''d\r");
    // Everybody else is served meanwhile.
    assert_eq!(computer.bash("echo served")["output"], "served\n");
    let mut lines = 0;
    let mut tail = String::new();
    while !tail.contains("end\r\n") {
        let frame = terminal.frame_of("output");
        let text = frame["data"].as_str().expect("it is a text");
        lines += text.matches('\n').count();
        tail = tail.chars().rev().take(16).collect::<Vec<_>>().into_iter().rev().collect::<String>() + text;
    }
    assert!(lines > 3_000_000, "{lines}");
}

#[test]
fn the_computer_going_down_closes_its_sockets() {
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
