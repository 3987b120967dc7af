//! `exec` behaves like `python3 FILE` in the home. The tests run small programs both ways and compare all visible results.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::server::{Computer, Server, wait_until};

/// The programs. A line `#: NAME` precedes each one.
const PROGRAMS: &str = include_str!("programs.py");

/// The files in the home. Some have the name of a standard module; Python's own code must still import the standard
/// one.
const HOME: &[(&str, &str)] = &[
    ("helper.py", "def double(x): return 2 * x\ndef fail():\n    raise RuntimeError('in the helper')\n"),
    ("broken.py", "x = 1\ny = (\n"),
    ("colorsys.py", "own = True\n"),
    ("os.py", "raise SystemError('the os of the home')\n"),
    ("site.py", "raise SystemError('the site of the home')\n"),
    ("sitecustomize.py", "print('the sitecustomize of the home')\n"),
    ("usercustomize.py", "print('the usercustomize of the home')\n"),
];

/// Returns programs that `programs.py` cannot contain because of their encoding, line ends or size.
fn odd_sources() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("an empty file", text("")),
        ("only a line feed", text("\n")),
        ("only a comment", text("# nothing")),
        ("no line feed at the end", text("print(1)")),
        ("byte order mark", text("\u{feff}print('é', __doc__)\n")),
        ("two byte order marks", text("\u{feff}\u{feff}print(1)\n")),
        ("byte order mark and coding", text("\u{feff}# coding: utf-8\nprint('é')\n")),
        ("byte order mark that contradicts the coding", text("\u{feff}# coding: latin-1\nprint('é')\n")),
        ("coding latin-1", text("# -*- coding: latin-1 -*-\nprint('é', len('é'))\n")),
        (
            "coding on the second line",
            text("#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nprint('é')\n"),
        ),
        ("unknown coding", text("# coding: nonsense\nprint(1)\n")),
        ("coding rot13", text("# coding: rot13\nprint(1)\n")),
        ("CRLF", text("if True:\r\n    print('a')\r\nx = '''b\r\nc'''\r\nprint(repr(x))\r\n1/0\r\n")),
        ("CR", text("print('a')\rprint('b')\r1/0\r")),
        ("mixed line ends", text("print('a')\r\nprint('b')\nprint('c')\rassert 0\n")),
        ("form feed", text("print('a')\n\x0c\nprint('b')\n")),
        ("NUL", text("print('a')\nprint('b\0')\n")),
        ("NUL at the end", text("print('a')\n\0")),
        ("NUL in a comment", text("print('a') # \0\n")),
        ("control Z", text("print('a')\n\x1aprint('b')\n")),
        ("a long source", format!("x = 0\n{}print(x)\n", "x += 1\n".repeat(50_000)).into_bytes()),
        ("a long line", format!("x = [{}]\nprint(len(x))\n", "1,".repeat(100_000)).into_bytes()),
        ("deep brackets", format!("x = {}{}\n", "(".repeat(300), ")".repeat(300)).into_bytes()),
        ("non-ASCII names", text("größe = 1\nprint(größe, '𝔘')\nassert größe == '🙂'\n")),
        ("unterminated string", text("print('a)\n")),
        ("incomplete block", text("def f():\n")),
        ("invalid character", text("x = 1 ‚ 2\n")),
    ]
}

#[derive(Debug)]
struct Run {
    output: String,
    success: bool,
    exit_code: Option<i64>,
    error: String,
    class: String,
}

fn by_exec(computer: &Computer<'_>, code: &str) -> Run {
    let response = computer.act("exec", &json!({ "code": code, "timeout": 60 })).expect(200);
    assert_eq!(response["timeout"], false, "{code}");
    let text = |name: &str| response[name].as_str().unwrap_or_default().to_owned();
    Run {
        output: normalized(&in_home(computer, &text("output"))),
        success: response["success"] == true,
        exit_code: None,
        error: text("error"),
        class: text("error_type"),
    }
}

fn by_file(computer: &Computer<'_>, code: &str) -> Run {
    // Writes the program in parts, because a command has at most 128 KiB and two of the programs are larger.
    computer.bash("rm -f ~/main.b64");
    let encoded = STANDARD.encode(code);
    for part in encoded.as_bytes().chunks(100_000) {
        let part = std::str::from_utf8(part).expect("it is ASCII");
        computer.bash(&format!("printf %s {part} >> ~/main.b64"));
    }
    let command = "base64 -d < ~/main.b64 > ~/main.py && rm ~/main.b64 && cd ~ && exec python3 -u ~/main.py";
    let command = if encoded.is_empty() { "> ~/main.py; exec python3 -u ~/main.py" } else { command };
    let response = computer.bash(command);
    computer.bash("rm -f ~/main.py");
    let exit_code = response["exit_code"].as_i64();
    Run {
        output: normalized(response["output"].as_str().expect("it is a string")),
        success: exit_code == Some(0),
        exit_code,
        error: String::new(),
        class: String::new(),
    }
}

/// Replaces the path of the program's folder with the home, as if the program were a file in the home.
fn in_home(computer: &Computer<'_>, output: &str) -> String {
    if !output.contains("/exec-") {
        return output.to_owned();
    }
    let (folder, home) = (format!("{}/exec-", scratch(computer)), computer.home());
    let mut text = String::new();
    let mut rest = output;
    while let Some((before, after)) = rest.split_once(&folder) {
        text.push_str(before);
        text.push_str(&home);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    text + rest
}

/// Returns the folder in which each `exec` call has a folder for its program.
fn scratch(computer: &Computer<'_>) -> String {
    let code = "import os\nprint(os.path.dirname(os.path.dirname(__file__)))";
    exec(computer, code)["output"].as_str().expect("it is a string").trim().to_owned()
}

/// Replaces text that differs in every run: memory addresses and durations.
fn normalized(output: &str) -> String {
    let mut text = String::new();
    let mut rest = output;
    while let Some(at) = rest.find("0x").into_iter().chain(rest.find(" in 0.")).min() {
        let (before, found) = rest.split_at(at);
        text.push_str(before);
        text.push_str("...");
        rest = found[2..].trim_start_matches(|c: char| c.is_ascii_hexdigit() || "n .".contains(c));
    }
    text + rest
}

/// Returns the text that must be inserted into `part` to get `whole`. Returns `None` if no single insertion is
/// sufficient.
fn missing_piece<'a>(whole: &'a str, part: &str) -> Option<&'a str> {
    let length = whole.len().checked_sub(part.len())?;
    // There are several candidates if the piece starts with the same text that follows it. Of these, prefers a
    // traceback.
    let starts = (0..=part.len()).filter(|&start| {
        whole.is_char_boundary(start)
            && part.is_char_boundary(start)
            && whole.is_char_boundary(start + length)
    });
    let mut pieces = starts
        .filter(|&start| whole.starts_with(&part[..start]) && whole.ends_with(&part[start..]))
        .map(|start| &whole[start..start + length]);
    let first = pieces.next()?;
    Some(if is_traceback(first) { first } else { pieces.find(|piece| is_traceback(piece)).unwrap_or(first) })
}

fn is_traceback(piece: &str) -> bool {
    let heads = ["Traceback (most recent call last):\n", "  + Exception Group Traceback", "  File \""];
    heads.iter().any(|head| piece.starts_with(head)) || last_line(piece) == Some(piece.trim_end())
}

/// Returns the line of a traceback that contains the class of the exception.
fn last_line(traceback: &str) -> Option<&str> {
    let named = |line: &&str| {
        let line = line.strip_prefix("  | ").unwrap_or(line);
        let class = line.split(": ").next().unwrap_or(line);
        !class.is_empty() && class.chars().all(|c| c.is_alphanumeric() || "._".contains(c))
    };
    traceback.lines().rfind(named)
}

/// Describes the first difference between the two runs, if there is one.
fn difference(file: &Run, exec: &Run) -> Option<String> {
    if file.success != exec.success {
        return Some("success".into());
    }
    if exec.success {
        return (file.output != exec.output || !exec.error.is_empty()).then(|| "the output".into());
    }
    if exec.error.trim().is_empty() {
        return Some("the error is empty".into());
    }
    let code = file.exit_code.unwrap_or_default();
    if file.output == exec.output {
        // Either `exec` received only the exit status, or the program discarded the traceback.
        let has_exception = !exec.class.starts_with("SIG") && exec.class != "SystemExit";
        let has_exit_status = exec.error == format!("the program exited with code {code}")
            || exec.class.starts_with("SIG") && code > 128;
        return (!has_exit_status && !has_exception).then(|| format!("exit code {code}"));
    }
    let Some(piece) = missing_piece(&file.output, &exec.output) else { return Some("the output".into()) };
    if !is_traceback(piece) {
        return Some(format!("the output lacks {piece:?}"));
    }
    let line = last_line(piece).unwrap_or_default();
    let line = line.strip_prefix("  | ").unwrap_or(line);
    let class = line.split(": ").next().unwrap_or(line).rsplit('.').next().unwrap_or_default();
    (class != exec.class).then(|| format!("the class is {class:?}"))
}

fn prepare(computer: &Computer<'_>) {
    for (name, text) in HOME {
        computer.bash(&format!("cat > ~/{name} <<'END'\n{text}END"));
    }
}

#[test]
fn exec_behaves_like_python3_with_a_file() {
    let server = Server::start();
    let computer = server.computer();
    prepare(&computer);
    let mut programs: Vec<(String, String)> = PROGRAMS
        .split("#: ")
        .skip(1)
        .map(|program| program.split_once('\n').expect("it has a name"))
        .map(|(name, code)| (name.to_owned(), code.to_owned()))
        .collect();
    let odd = odd_sources().into_iter();
    programs.extend(odd.map(|(name, code)| (name.to_owned(), String::from_utf8(code).expect("it is UTF-8"))));
    let wanted = std::env::var("ORGO_PROGRAM").unwrap_or_default();
    programs.retain(|(name, _)| name.contains(&wanted));
    let names: BTreeMap<_, _> = programs.iter().map(|(name, code)| (name, code)).collect();
    assert_eq!(names.len(), programs.len(), "every program has its own name");
    let mut differing = Vec::new();
    for (name, code) in &programs {
        let (file, exec) = (by_file(&computer, code), by_exec(&computer, code));
        if let Some(what) = difference(&file, &exec) {
            println!("--- {name}: {what}\n    file: {file:.2000?}\n    exec: {exec:.2000?}");
            differing.push(name);
        }
    }
    println!("{} programs, {} differ", programs.len(), differing.len());
    assert!(differing.is_empty(), "{differing:?}");
}

/// Packages and hooks in the user's `site-packages` folder work as with `python3`.
#[test]
fn exec_uses_the_users_python_packages() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash("mkdir -p $(python3 -m site --user-site)");
    let programs = ["import sys; print(sys.path, 'own' in dir(sys))", "1 / 0", "print(1)", "x = ("];
    for (name, text) in [
        ("own.pth", "import sys; sys.own = 1\n"),
        ("usercustomize.py", "print('usercustomize')\n"),
        (
            "usercustomize.py",
            "import sys\nsys.excepthook = lambda *error: print('of usercustomize', error[0])\n",
        ),
        ("usercustomize.py", "import sys\nsys.path_hooks.append(lambda path: 1 / 0)\n"),
        ("usercustomize.py", "raise ValueError('broken')\n"),
        ("hook.pth", "import sys; sys.excepthook = lambda *error: print('of a pth file', error[0])\n"),
    ] {
        computer.bash(&format!(
            "cat > $(python3 -m site --user-site 2>/dev/null | tail -n 1)/{name} <<'END'\n{text}END"
        ));
        for code in programs {
            let (file, exec) = (by_file(&computer, code), by_exec(&computer, code));
            let difference = difference(&file, &exec);
            assert_eq!(difference, None, "{text}{code}\n{file:?}\n{exec:?}");
        }
    }
}

fn exec(computer: &Computer<'_>, code: &str) -> Value {
    computer.act("exec", &json!({ "code": code })).expect(200)
}

#[test]
fn an_error_has_a_message_a_class_and_a_line() {
    let server = Server::start();
    let computer = server.computer();
    for (code, class, error) in [
        ("raise ValueError('\\udce9')", "ValueError", "\\udce9 (line 1)"),
        ("\nassert 1 == 2", "AssertionError", "assert 1 == 2 (line 2)"),
        (
            &format!("{}1/0{}", "\n".repeat(19), "\n".repeat(10)),
            "ZeroDivisionError",
            "division by zero (line 20)",
        ),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt (line 1)"),
        ("if True\n  pass", "SyntaxError", "expected ':' (line 1)"),
        (
            "import json\njson.loads('')",
            "JSONDecodeError",
            "Expecting value: line 1 column 1 (char 0) (line 2)",
        ),
        ("import sys\nsys.exit('gone')", "SystemExit", "the program exited with code 1"),
        ("import os\nos._exit(3)", "SystemExit", "the program exited with code 3"),
        ("import os\nos.abort()", "SIGABRT", "the interpreter was ended by SIGABRT"),
        ("import os\nos.kill(os.getpid(), 40)", "signal 40", "the interpreter was ended by signal 40"),
        (
            "raise ExceptionGroup('two', [ValueError('a'), TypeError('b')])",
            "ExceptionGroup",
            "two (2 sub-exceptions)\n- ValueError: a\n- TypeError: b (line 1)",
        ),
    ] {
        let response = exec(&computer, code);
        assert_eq!(
            (&response["success"], &response["error_type"], &response["error"]),
            (&json!(false), &json!(class), &json!(error)),
            "{code}"
        );
        assert!(!response["output"].as_str().expect("it is a string").contains("Traceback"), "{response}");
    }
    let response = exec(&computer, "import sys\nsys.exit('gone')");
    assert_eq!(response["output"], "gone\n");
}

#[test]
fn the_length_of_an_error_is_bounded() {
    let server = Server::start();
    let computer = server.computer();
    for code in [
        "raise ValueError('x' * 60_000_000)",
        "error = ValueError('x')\nfor _ in range(1000): error.add_note('🙂' * 100_000)\nraise error",
        "raise type('E' * 1_000_000, (Exception,), {})",
        "raise ExceptionGroup('x' * 1_000_000, [ValueError('y' * 1_000_000)] * 1000)",
    ] {
        let response = exec(&computer, code);
        assert_eq!(response["success"], false, "{code}");
        let size = response.to_string().len();
        assert!((100..200_000).contains(&size), "{code}: {size}");
    }
    let response = exec(&computer, "raise ValueError('x' * 60_000_000)");
    let error = response["error"].as_str().expect("it is a string");
    assert!(error.ends_with("\n[59983616 more characters were dropped] (line 1)"), "{}", &error[16_000..]);
}

/// Only the exit status decides whether a program succeeded, even if the program writes to the descriptor that reports
/// its exception.
#[test]
fn a_program_cannot_disguise_its_failure_as_success() {
    let server = Server::start();
    let computer = server.computer();
    let every = "import os\nall = [int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) > 2]\n";
    for (what, success) in [
        ("for fd in all:\n  try: os.write(fd, b'1\\0E\\0text')\n  except OSError: pass", true),
        ("for fd in all:\n  try: os.write(fd, b'')\n  except OSError: pass\nraise ValueError", false),
        ("os.closerange(3, 1000)", true),
        ("os.closerange(3, 1000)\nraise ValueError", false),
        ("os.closerange(0, 1000)\nraise ValueError", false),
        ("for fd in all:\n  try: os.ftruncate(fd, 1 << 40)\n  except OSError: pass\nos._exit(1)", false),
        ("os.fork() or __import__('time').sleep(30)", true),
    ] {
        let response = exec(&computer, &format!("{every}{what}"));
        assert_eq!(response["success"], success, "{what}: {response}");
    }
    // If another file has the number of that descriptor, `exec` does not write to the file, and the traceback is in the
    // output.
    let code = "import os, resource\nos.closerange(3, 1000)\n\
                for _ in range(200): last = os.open('victim', os.O_RDWR | os.O_CREAT)\nraise ValueError('seen')";
    let response = exec(&computer, code);
    assert_eq!((&response["success"], &response["error_type"]), (&json!(false), &json!("SystemExit")));
    assert!(
        response["output"].as_str().is_some_and(|output| output.ends_with("ValueError: seen\n")),
        "{response}"
    );
    assert_eq!(computer.bash("cat ~/victim")["output"], "");
}

#[test]
fn the_file_of_a_program_is_removed_when_it_ends() {
    let server = Server::start();
    let computer = server.computer();
    let run = scratch(&computer);
    let left = || {
        computer.bash(&format!("ls -d {run}/exec-*"))["output"].as_str().expect("it is a string").to_owned()
    };
    // The user can create links in place of the folders, and fill the folders.
    computer.bash(&format!("for n in $(seq 0 30); do ln -s /etc {run}/exec-$n; done"));
    assert_eq!(exec(&computer, "print(open(__file__).read())")["output"], "print(open(__file__).read())\n");
    computer.bash(&format!("rm -rf {run}/*"));
    assert_eq!(exec(&computer, "import os\nos.kill(os.getpid(), 9)")["success"], false);
    let response =
        computer.act("exec", &json!({ "code": "print(1)\nwhile True: pass", "timeout": 1 })).expect(200);
    assert_eq!((&response["output"], &response["timeout"]), (&json!("1\n"), &json!(true)));
    wait_until("the file of the ended program to be removed", || left().starts_with("ls: "));
    let code = "import os\nfolder = os.path.dirname(__file__)\nfor _ in range(5000):\n  \
                os.mkdir(folder + '/d')\n  os.chdir(folder + '/d')\n  folder = '.'";
    assert_eq!(exec(&computer, code)["success"], true);
    assert_eq!(
        exec(&computer, "import os\nos.remove(__file__)\nos.rmdir(os.path.dirname(__file__))")["success"],
        true
    );
    computer.bash(&format!("chmod 0 {run}"));
    assert_eq!(exec(&computer, "print(2)")["output"], "2\n", "the folder is opened again");
}

#[test]
fn background_processes_outlive_their_program_unless_it_times_out() {
    let server = Server::start();
    let computer = server.computer();
    let code = "import subprocess\nprint(subprocess.Popen(['sleep', '4311']).pid)";
    assert_eq!(exec(&computer, code)["success"], true);
    assert_eq!(computer.bash("sleep 0.3; pgrep -fc 'sleep 431[1]'")["output"], "1\n");
    let code = "import multiprocessing, os, time\ndef f(): os.execvp('sleep', ['sleep', '4312'])\n\
                if __name__ == '__main__':\n  multiprocessing.get_context('spawn').Process(target=f).start()\n  \
                os.fork() or os.setsid() or f()\n  print('begun')\n  time.sleep(60)";
    let response = computer.act("exec", &json!({ "code": code, "timeout": 2 })).expect(200);
    assert_eq!(
        (&response["output"], &response["timeout"], &response["error_type"]),
        (&json!("begun\n"), &json!(true), &json!("TimeoutError"))
    );
    wait_until("all processes that the program started to end", || {
        computer.bash("pgrep -f 'sleep 431[2]'")["exit_code"] == 1
    });
}
