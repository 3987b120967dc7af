//! The environment of programs in a computer: variables, `PATH`, shells, Python's tools and audio.

use serde_json::json;
use tungstenite::Message;

use crate::server::{Computer, Server, can_test_sandbox, is_sandboxed, wait_until};
use crate::socket::Socket;
use crate::terminal::{input, open, read_until};

/// Runs a command that must succeed, and returns its output.
#[track_caller]
pub(crate) fn output_of(computer: &Computer<'_>, command: &str) -> String {
    let response = computer.bash(command);
    assert_eq!(response["exit_code"], 0, "{command}: {response}");
    response["output"].as_str().expect("it is a string").trim_end().to_owned()
}

/// Runs Python code that must succeed, and returns its output.
#[track_caller]
fn run(computer: &Computer<'_>, code: &str) -> String {
    let response = computer.act("exec", &json!({ "code": code })).expect(200);
    assert_eq!(response["success"], true, "{code}: {response}");
    response["output"].as_str().expect("it is a string").trim_end().to_owned()
}

/// Creates a program that prints `text`.
fn add_program(computer: &Computer<'_>, path: &str, text: &str) {
    output_of(
        computer,
        &format!("mkdir -p $(dirname {path}); printf '#!/bin/sh\\necho {text}\\n' > {path}; chmod +x {path}"),
    );
}

#[test]
fn every_program_has_the_environment_variables_of_a_desktop() {
    let server = Server::start();
    let computer = server.computer();
    let home = computer.home();
    let mut expected = vec![
        ("HOME", &*home),
        ("USER", "user"),
        ("LOGNAME", "user"),
        ("SHELL", "/bin/bash"),
        ("LANG", "C.UTF-8"),
        ("XDG_SESSION_TYPE", "x11"),
        ("BROWSER", "web-browser"),
        ("TERM", "xterm-256color"),
    ];
    let mut folders = format!("{home}/.local/bin:{home}/bin:");
    if is_sandboxed() {
        assert_eq!(home, "/home/user");
        expected.push(("XDG_RUNTIME_DIR", "/run/user"));
        expected.push(("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/bus"));
        folders.push_str("/usr/local/bin:");
    }
    let mut terminal = open(&computer, "");
    input(&mut terminal, "env > ~/terminal.env; echo do''ne\r");
    read_until(&mut terminal, "done");
    let panel = computer.processes("tint2")[0];
    output_of(&computer, &format!("tr '\\0' '\\n' < /proc/{panel}/environ > panel.env"));
    run(&computer, "import subprocess\nsubprocess.run('env > exec.env', shell=True, check=True)");
    output_of(&computer, "env > bash.env");
    for place in ["bash", "exec", "terminal", "panel"] {
        let variables = output_of(&computer, &format!("cat {place}.env"));
        let has = |name: &str, value: &str| variables.lines().any(|line| line == format!("{name}={value}"));
        for (name, value) in &expected {
            assert!(has(name, value), "{place} has a wrong {name}: {variables}");
        }
        let path = variables.lines().find_map(|line| line.strip_prefix("PATH=")).unwrap_or_default();
        assert!(path.starts_with(&folders), "{place}: {path}");
        assert!(variables.contains("\nDISPLAY=:") || variables.starts_with("DISPLAY=:"), "{place}");
    }
    assert_eq!(output_of(&computer, "tput colors"), "256");
    input(&mut terminal, "tput colors; tput -T $TERM longname; echo\r");
    assert!(read_until(&mut terminal, "xterm with").contains("256\r\n"));
    assert_eq!(output_of(&computer, "locale charmap; printf 'é' | wc -m"), "UTF-8\n1");
}

#[test]
fn a_computer_inherits_nothing_from_the_process_that_starts_the_server() {
    // Starts the server like a shell script that holds a lock and uses `nohup`, under a service manager that sets a
    // strict umask.
    const STARTER: &str = r#"trap "" HUP INT QUIT TERM; umask 077; exec 9>>"$LOCK" 77<&0; exec "$@""#;
    let folder = tempfile::tempdir().expect("the tests may write to /tmp");
    let lock = folder.path().join("held-lock").display().to_string();
    let server = Server::start_by(&["env", &format!("LOCK={lock}"), "bash", "-c", STARTER, "bash"]);
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    let probe = "umask; grep SigIgn /proc/self/status | tail -c 8; ls /proc/self/fd | tr '\\n' ' '; ls -l /proc/$(pgrep -x Xvnc | head -n 1)/fd | grep -c held-lock";
    // The second line contains the last digits of the mask of ignored signals, without the signals that the C library
    // uses internally.
    let expected = "0022\n0000000\n0 1 2 3 0";
    assert_eq!(output_of(&computer, &format!("{probe}; true")), expected);
    let run = run(&computer, &format!("import subprocess\nsubprocess.run({probe:?}, shell=True)"));
    assert_eq!(run, expected);
    input(&mut terminal, "sleep 86399\r");
    wait_until("the program", || computer.bash("pgrep -fx 'sleep 86399'")["exit_code"] == 0);
    input(&mut terminal, "\x1c");
    read_until(&mut terminal, "Quit");
    input(&mut terminal, "sleep 86398\r");
    wait_until("the program", || computer.bash("pgrep -fx 'sleep 86398'")["exit_code"] == 0);
    drop(terminal);
    wait_until("the program to end with its terminal", || {
        computer.bash("pgrep -fx 'sleep 86398'")["exit_code"] == 1
    });
}

#[test]
fn a_computer_resolves_its_own_host_name() {
    if !can_test_sandbox() {
        return;
    }
    let mut server = Server::start();
    let id = server.computer().id;
    // One in 43 random instance IDs has only digits, which resolvers take for an IPv4 address.
    server.signal(rustix::process::Signal::TERM);
    server.process.wait().expect("it ends");
    let store = rusqlite::Connection::open(server.data.path().join("orgo.db")).expect("it exists");
    store.execute("UPDATE computers SET instance_id = '12345678'", []).expect("the server has ended");
    // A server needs the database for itself.
    drop(store);
    let other = tempfile::tempdir().expect("the tests may write to /tmp");
    let server = Server::start_in(std::mem::replace(&mut server.data, other), &[]);
    let computer = Computer { server: &server, id };
    computer.wait_for_status("running");
    assert_eq!(computer.show()["instance_id"], "12345678");
    let own =
        "import socket\nprint(socket.gethostbyname(socket.gethostname()), socket.gethostbyname('localhost'))";
    assert_eq!(run(&computer, own), "127.0.1.1 127.0.0.1");
    assert_eq!(output_of(&computer, "hostname -i"), "127.0.1.1");
    let hosts = std::fs::read_to_string("/etc/hosts").expect("it exists");
    assert!(output_of(&computer, "cat /etc/hosts").starts_with(hosts.trim_end()));
}

#[test]
fn programs_in_user_folders_are_found_even_if_the_folders_are_created_later() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    input(&mut terminal, "echo rea''dy\r");
    read_until(&mut terminal, "ready");
    add_program(&computer, "~/bin/second", "two");
    add_program(&computer, "~/.local/bin/first", "one");
    assert_eq!(output_of(&computer, "first; second"), "one\ntwo");
    assert_eq!(run(&computer, "import os\nos.system('first')"), "one");
    input(&mut terminal, "first; second\r");
    read_until(&mut terminal, "one\r\ntwo\r\n");
    // Starts the program by a keyboard shortcut of the window manager, as a menu would.
    output_of(
        &computer,
        "sed -i 's/<keybind key=\"W-e\">.*/<keybind key=\"W-e\"><action name=\"Execute\"><command>sh -c \"first > menu.out\"<\\/command><\\/action><\\/keybind>/' ~/.config/openbox/rc.xml; openbox --reconfigure",
    );
    wait_until("the window manager's program", || {
        computer.act("key", &json!({ "key": "super+e" })).expect(200);
        computer.bash("cat ~/menu.out")["output"] == "one\n"
    });
}

#[test]
fn programs_in_the_home_do_not_replace_those_that_the_computer_needs() {
    let server = Server::start();
    let computer = server.computer();
    for program in
        ["bash", "sh", "python3", "Xvnc", "openbox", "pulseaudio", "dbus-daemon", "tint2", "pcmanfm", "parec"]
    {
        add_program(&computer, &format!("~/.local/bin/{program}"), "mine; exit 1");
    }
    let works = || {
        assert_eq!(output_of(&computer, "echo $((1+1))"), "2");
        assert_eq!(run(&computer, "import sys\nprint(sys.executable)"), "/usr/bin/python3");
        let mut terminal = open(&computer, "");
        input(&mut terminal, "echo $((40+2))\r");
        read_until(&mut terminal, "42\r\n");
        Socket::open(&computer, "audio", "").frame_of("started");
        assert_eq!(computer.show()["instance_details"]["missing_parts"], json!([]));
    };
    works();
    computer.act("restart", &json!({})).expect(200);
    computer.wait_for_status("running");
    works();
    // Commands of the user do use the programs in the home.
    assert_eq!(output_of(&computer, "python3 || true"), "mine");
}

#[test]
fn a_command_is_never_parsed_as_an_option() {
    let server = Server::start();
    let computer = server.computer();
    for command in
        ["-c ls", "--help", "--version", "-", "--", "-x", "+x", "--rcfile /etc/passwd", "-o posix", "-i"]
    {
        let response = computer.bash(command);
        let first = command.split(' ').next().expect("it has a word");
        assert_eq!(response["output"], format!("bash: line 1: {first}: command not found\n"), "{command}");
        assert_eq!(response["exit_code"], 127, "{command}");
    }
    add_program(&computer, "~/.local/bin/--help", "helped");
    assert_eq!(output_of(&computer, "--help"), "helped");
    assert_eq!(output_of(&computer, ""), "");
    assert_eq!(output_of(&computer, "echo $0 $#"), "bash 0");
}

#[test]
fn the_terminal_is_a_login_shell() {
    let server = Server::start();
    let computer = server.computer();
    output_of(
        &computer,
        "echo 'export MINE=from-profile' >> ~/.profile; echo 'alias hey=\"echo from-bashrc\"' >> ~/.bashrc",
    );
    let mut terminal = open(&computer, "");
    input(&mut terminal, "echo rea''d $MINE; hey\r");
    read_until(&mut terminal, "read from-profile\r\nfrom-bashrc\r\n");
    if is_sandboxed() {
        input(&mut terminal, "shopt -q login_shell && echo log''in\r");
        read_until(&mut terminal, "login\r\n");
    }
    // `bash` calls do not read these files, because their content may be broken.
    assert_eq!(output_of(&computer, "echo -$MINE-"), "--");
    assert_eq!(output_of(&computer, "bash -lc 'echo -$MINE-'"), "-from-profile-");
    for shell in ["bash", "sh"] {
        assert_eq!(
            output_of(&computer, &format!("{shell} -lc 'echo $PATH'")),
            output_of(&computer, "echo $PATH"),
            "{shell}"
        );
    }

    output_of(&computer, "rm ~/.profile");
    let mut terminal = open(&computer, "");
    input(&mut terminal, "hey\r");
    read_until(&mut terminal, "from-bashrc\r\n");
    output_of(&computer, "echo 'export MINE=from-bash-profile' > ~/.bash_profile");
    let mut terminal = open(&computer, "");
    input(&mut terminal, "echo is $MINE\r");
    read_until(&mut terminal, "is from-bash-profile\r\n");
}

#[test]
fn a_terminal_works_despite_broken_shell_settings() {
    let server = Server::start();
    let computer = server.computer();
    for (broken, ends) in [
        ("exit 3", true),
        ("set -e; false", true),
        ("f() { exit 2; }; f", true),
        ("echo exit 4 > ~/other; . ~/other", true),
        ("PROMPT_COMMAND='exit 5'", true),
        ("exec /nonexistent", false),
        ("if true; then", false),
        (")", false),
        ("return 1", false),
        ("set -u; echo $nope", false),
        ("set -n", false),
        ("PATH=", false),
        ("unset HOME PATH PS1", false),
        ("head -c 1000 /dev/urandom", false),
    ] {
        for file in [".profile", ".bashrc"] {
            let command = json!({ "code": format!("open('{file}', 'w').write({broken:?} + '\\n')") });
            output_of(&computer, "rm -f ~/.profile ~/.bashrc ~/.bash_profile");
            assert_eq!(computer.act("exec", &command).expect(200)["success"], true);
            let mut terminal = open(&computer, "");
            // Sends input before the shell is ready, which must not be lost.
            input(&mut terminal, "echo $((40+2)) works\r");
            let seen = read_until(&mut terminal, "42 works\r\n");
            assert_eq!(seen.contains("This shell has not read them"), ends, "{file}: {broken}: {seen}");
            input(&mut terminal, "exit 7\r");
            assert_eq!(terminal.frame_of("exit")["code"], 7, "{file}: {broken}");
            assert_eq!(output_of(&computer, "echo works"), "works");
        }
    }
    // Ctrl-C interrupts settings that run forever.
    for broken in ["while :; do :; done", "sleep 100000", "read -r _ < fifo"] {
        output_of(&computer, &format!("rm -f fifo; mkfifo fifo; echo 'echo be''gun; {broken}' > ~/.profile"));
        let mut terminal = open(&computer, "");
        read_until(&mut terminal, "begun");
        input(&mut terminal, "\u{3}");
        input(&mut terminal, "echo $((40+2)) works\r");
        read_until(&mut terminal, "42 works\r\n");
    }
    output_of(&computer, "rm -rf ~/.profile ~/.bashrc; mkdir ~/.profile ~/.bashrc");
    let mut terminal = open(&computer, "");
    input(&mut terminal, "echo $((40+2)) works\r");
    read_until(&mut terminal, "42 works\r\n");
}

#[test]
fn backspace_removes_a_whole_character() {
    let server = Server::start();
    let computer = server.computer();
    let mut terminal = open(&computer, "");
    for (number, (typed, kept)) in [
        ("é\u{7f}x", "78"),
        ("日本\u{7f}", "e697a5"),
        ("a🙂\u{7f}b", "6162"),
        ("é\u{7f}\u{7f}x", "78"),
        ("ab é\u{17}c", "61622063"),
        ("日\u{15}z", "7a"),
    ]
    .into_iter()
    .enumerate()
    {
        input(&mut terminal, &format!("cat > f{number}; echo kept-$((1+1))-{number}\r"));
        // The terminal echoes the line before the program runs.
        wait_until("the program", || computer.bash(&format!("test -e f{number}"))["exit_code"] == 0);
        input(&mut terminal, &format!("{typed}\u{4}\u{4}"));
        read_until(&mut terminal, &format!("kept-2-{number}"));
        assert_eq!(output_of(&computer, &format!("od -An -tx1 f{number} | tr -d ' \\n'")), kept, "{typed:?}");
    }
    input(&mut terminal, "stty -a\r");
    let modes = read_until(&mut terminal, "echoke");
    for mode in ["iutf8", "icrnl", "icanon", "echo", "isig"] {
        assert!(modes.split_whitespace().any(|word| word == mode), "{mode}: {modes}");
    }
    assert!(modes.contains("erase = ^?"), "{modes}");
}

/// Code that builds the wheel of a package with a module and a command.
const WHEEL: &str = r#"
import zipfile
with zipfile.ZipFile("parcel-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("parcel.py", "def main():\n    print('unpacked')\n")
    about = "parcel-1.0.dist-info/"
    wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n")
    wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(about + "entry_points.txt", "[console_scripts]\nparcel = parcel:main\n")
    wheel.writestr(about + "RECORD", "")
"#;

#[test]
fn python_packages_install_for_the_user_or_into_a_virtual_environment() {
    let server = Server::start();
    let computer = server.computer();
    assert_eq!(output_of(&computer, "python --version"), output_of(&computer, "python3 --version"));
    assert_eq!(output_of(&computer, "python -c 'import sys; print(sys.argv)' a 'b c'"), "['-c', 'a', 'b c']");
    run(&computer, WHEEL);
    let install = "install --quiet --no-index ./parcel-1.0-py3-none-any.whl";
    let home = computer.home();
    output_of(&computer, &format!("python3 -m venv box && box/bin/pip {install} && box/bin/parcel"));
    assert_eq!(
        output_of(&computer, ". box/bin/activate; parcel; command -v python"),
        format!("unpacked\n{home}/box/bin/python")
    );
    assert_eq!(computer.bash("python3 -c 'import parcel'")["exit_code"], 1);

    // Without a virtual environment, pip installs packages in the home, because the system's folders are read-only.
    output_of(&computer, &format!("pip {install}"));
    assert_eq!(
        output_of(&computer, "parcel; command -v parcel"),
        format!("unpacked\n{home}/.local/bin/parcel")
    );
    assert_eq!(run(&computer, "import parcel\nparcel.main()"), "unpacked");
    output_of(&computer, "python -m pip uninstall --quiet --yes parcel");
    assert_eq!(computer.bash("parcel")["exit_code"], 127);
}

#[test]
fn audio_played_through_alsa_reaches_the_channel() {
    let server = Server::start();
    let computer = server.computer();
    run(
        &computer,
        "import array, math, wave\n\
         with wave.open('tone.wav', 'wb') as file:\n\
         \x20   file.setparams((1, 2, 48000, 0, 'NONE', ''))\n\
         \x20   file.writeframes(array.array('h', [round(20000 * math.sin(2 * math.pi * 440 * n / 48000)) for n in range(48000)]).tobytes())",
    );
    // The computer defines the default device itself, because the host's packages may not define one.
    assert_eq!(output_of(&computer, "aplay -L | grep -x default"), "default");
    let mut players = vec![
        "aplay -q tone.wav",
        "aplay -q -D pulse tone.wav",
        "aplay -q -D plug:default tone.wav",
        "speaker-test -t sine -f 440 -b 200000 -l 1",
        "ffmpeg -v error -i tone.wav -f alsa default",
    ];
    // Only in a box does the audio server's socket have the default path.
    if is_sandboxed() {
        players.push("env -u PULSE_SERVER aplay -q tone.wav");
    }
    for player in players {
        let mut audio = Socket::open(&computer, "audio", "");
        audio.frame_of("started");
        output_of(&computer, &format!("{player} > player.log 2>&1 &"));
        let mut loud = 0;
        while loud < 12_000 {
            match audio.message() {
                Message::Binary(bytes) => {
                    let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
                    loud += samples.filter(|sample| sample.unsigned_abs() > 1_000).count();
                }
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
        wait_until("the player to end", || {
            computer.bash("pgrep -x 'aplay|ffmpeg|speaker-test'")["exit_code"] == 1
        });
        assert_eq!(computer.bash("amixer -q sget Master >/dev/null")["exit_code"], 0);
    }
}
