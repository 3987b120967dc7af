//! `exec` runs code as `python3 FILE` does in the home: small programs are run by both, and whatever can be seen is compared.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::server::{Computer, Server, wait_until};

/// One after the other, each after a line `#: NAME`.
const PROGRAMS: &str = include_str!("programs.py");

/// Files of the home. Those that have the name of a module must not come before it in what Python itself imports.
const HOME: &[(&str, &str)] = &[
    ("helper.py", "def double(x): return 2 * x\ndef fail():\n    raise RuntimeError('in the helper')\n"),
    ("broken.py", "x = 1\ny = (\n"),
    ("colorsys.py", "own = True\n"),
    ("os.py", "raise SystemError('the os of the home')\n"),
    ("site.py", "raise SystemError('the site of the home')\n"),
    ("sitecustomize.py", "print('the sitecustomize of the home')\n"),
    ("usercustomize.py", "print('the usercustomize of the home')\n"),
];

/// Sources that a file of programs cannot hold.
fn odd_sources() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", text("")),
        ("a line end", text("\n")),
        ("only a comment", text("# nothing")),
        ("no line end", text("print(1)")),
        ("byte order mark", text("\u{feff}print('é', __doc__)\n")),
        ("two byte order marks", text("\u{feff}\u{feff}print(1)\n")),
        ("byte order mark and coding", text("\u{feff}# coding: utf-8\nprint('é')\n")),
        ("byte order mark against coding", text("\u{feff}# coding: latin-1\nprint('é')\n")),
        ("coding latin-1", text("# -*- coding: latin-1 -*-\nprint('é', len('é'))\n")),
        (
            "coding on the second line",
            text("#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nprint('é')\n"),
        ),
        ("coding that does not exist", text("# coding: nonsense\nprint(1)\n")),
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
        ("names of all scripts", text("größe = 1\nprint(größe, '𝔘')\nassert größe == '🙂'\n")),
        ("unfinished text", text("print('a)\n")),
        ("unfinished block", text("def f():\n")),
        ("wrong character", text("x = 1 ‚ 2\n")),
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
    let answer = computer.act("exec", &json!({ "code": code, "timeout": 60 })).expect(200);
    assert_eq!(answer["timeout"], false, "{code}");
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    Run {
        output: steady(&in_home(computer, &text("output"))),
        success: answer["success"] == true,
        exit_code: None,
        error: text("error"),
        class: text("error_type"),
    }
}

fn by_file(computer: &Computer<'_>, code: &str) -> Run {
    // Each a few hundred bytes, but for two: a command is at most 128 KiB long.
    computer.bash("rm -f ~/main.b64");
    let encoded = STANDARD.encode(code);
    for part in encoded.as_bytes().chunks(100_000) {
        let part = std::str::from_utf8(part).expect("it is ASCII");
        computer.bash(&format!("printf %s {part} >> ~/main.b64"));
    }
    let command = "base64 -d < ~/main.b64 > ~/main.py && rm ~/main.b64 && cd ~ && exec python3 -u ~/main.py";
    let command = if encoded.is_empty() { "> ~/main.py; exec python3 -u ~/main.py" } else { command };
    let answer = computer.bash(command);
    computer.bash("rm -f ~/main.py");
    let exit_code = answer["exit_code"].as_i64();
    Run {
        output: steady(answer["output"].as_str().expect("it is a text")),
        success: exit_code == Some(0),
        exit_code,
        error: String::new(),
        class: String::new(),
    }
}

/// As if the program had been a file of the home.
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

/// The folder that has one for each program of `exec`.
fn scratch(computer: &Computer<'_>) -> String {
    let code = "import os\nprint(os.path.dirname(os.path.dirname(__file__)))";
    exec(computer, code)["output"].as_str().expect("it is a text").trim().to_owned()
}

/// Without what no two runs have in common: addresses, and how long tests took.
fn steady(output: &str) -> String {
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

/// What `whole` has and `part` lacks, if it is one piece.
fn missing_piece<'a>(whole: &'a str, part: &str) -> Option<&'a str> {
    let length = whole.len().checked_sub(part.len())?;
    // Where the piece begins with the text that follows it there are several ways; a traceback begins a line.
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

/// The line of a traceback that names the class of the exception.
fn last_line(traceback: &str) -> Option<&str> {
    let named = |line: &&str| {
        let line = line.strip_prefix("  | ").unwrap_or(line);
        let class = line.split(": ").next().unwrap_or(line);
        !class.is_empty() && class.chars().all(|c| c.is_alphanumeric() || "._".contains(c))
    };
    traceback.lines().rfind(named)
}

/// What differs, if anything does.
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
        // Nothing but the exit status is known: or the traceback went nowhere.
        let unseen = !exec.class.starts_with("SIG") && exec.class != "SystemExit";
        let told = exec.error == format!("the program exited with code {code}")
            || exec.class.starts_with("SIG") && code > 128;
        return (!told && !unseen).then(|| format!("exit code {code}"));
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
fn exec_does_what_python3_does_with_a_file() {
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
    assert_eq!(names.len(), programs.len(), "every program has a name of its own");
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

/// What `pip install --user` and the like put into the home works as it does with `python3`.
#[test]
fn exec_takes_what_the_user_has_installed_for_python() {
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
fn an_error_has_a_text_a_class_and_a_line() {
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
        let answer = exec(&computer, code);
        assert_eq!(
            (&answer["success"], &answer["error_type"], &answer["error"]),
            (&json!(false), &json!(class), &json!(error)),
            "{code}"
        );
        assert!(!answer["output"].as_str().expect("it is a text").contains("Traceback"), "{answer}");
    }
    let answer = exec(&computer, "import sys\nsys.exit('gone')");
    assert_eq!(answer["output"], "gone\n");
}

#[test]
fn an_error_of_any_length_is_bounded() {
    let server = Server::start();
    let computer = server.computer();
    for code in [
        "raise ValueError('x' * 60_000_000)",
        "error = ValueError('x')\nfor _ in range(1000): error.add_note('🙂' * 100_000)\nraise error",
        "raise type('E' * 1_000_000, (Exception,), {})",
        "raise ExceptionGroup('x' * 1_000_000, [ValueError('y' * 1_000_000)] * 1000)",
    ] {
        let answer = exec(&computer, code);
        assert_eq!(answer["success"], false, "{code}");
        let size = answer.to_string().len();
        assert!((100..200_000).contains(&size), "{code}: {size}");
    }
    let answer = exec(&computer, "raise ValueError('x' * 60_000_000)");
    let error = answer["error"].as_str().expect("it is a text");
    assert!(error.ends_with("\n[59983616 more characters were dropped] (line 1)"), "{}", &error[16_000..]);
}

/// The exit status decides, whatever a program does to the descriptor of the description.
#[test]
fn a_program_cannot_have_its_failure_taken_for_a_success() {
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
        let answer = exec(&computer, &format!("{every}{what}"));
        assert_eq!(answer["success"], success, "{what}: {answer}");
    }
    // A file that has the number by then is not written to, and nothing is lost.
    let code = "import os, resource\nos.closerange(3, 1000)\n\
                for _ in range(200): last = os.open('victim', os.O_RDWR | os.O_CREAT)\nraise ValueError('seen')";
    let answer = exec(&computer, code);
    assert_eq!((&answer["success"], &answer["error_type"]), (&json!(false), &json!("SystemExit")));
    assert!(
        answer["output"].as_str().is_some_and(|output| output.ends_with("ValueError: seen\n")),
        "{answer}"
    );
    assert_eq!(computer.bash("cat ~/victim")["output"], "");
}

#[test]
fn the_file_of_a_program_goes_with_it() {
    let server = Server::start();
    let computer = server.computer();
    let run = scratch(&computer);
    let left =
        || computer.bash(&format!("ls -d {run}/exec-*"))["output"].as_str().expect("it is a text").to_owned();
    // Names that a program could take, and what it could put into its folder.
    computer.bash(&format!("for n in $(seq 0 30); do ln -s /etc {run}/exec-$n; done"));
    assert_eq!(exec(&computer, "print(open(__file__).read())")["output"], "print(open(__file__).read())\n");
    computer.bash(&format!("rm -rf {run}/*"));
    assert_eq!(exec(&computer, "import os\nos.kill(os.getpid(), 9)")["success"], false);
    let answer =
        computer.act("exec", &json!({ "code": "print(1)\nwhile True: pass", "timeout": 1 })).expect(200);
    assert_eq!((&answer["output"], &answer["timeout"]), (&json!("1\n"), &json!(true)));
    wait_until("the file of the ended program to go", || left().starts_with("ls: "));
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
fn what_a_program_leaves_in_the_background_goes_on_and_a_time_limit_ends_it() {
    let server = Server::start();
    let computer = server.computer();
    let code = "import subprocess\nprint(subprocess.Popen(['sleep', '4311']).pid)";
    assert_eq!(exec(&computer, code)["success"], true);
    assert_eq!(computer.bash("sleep 0.3; pgrep -fc 'sleep 431[1]'")["output"], "1\n");
    let code = "import multiprocessing, os, time\ndef f(): os.execvp('sleep', ['sleep', '4312'])\n\
                if __name__ == '__main__':\n  multiprocessing.get_context('spawn').Process(target=f).start()\n  \
                os.fork() or os.setsid() or f()\n  print('begun')\n  time.sleep(60)";
    let answer = computer.act("exec", &json!({ "code": code, "timeout": 2 })).expect(200);
    assert_eq!(
        (&answer["output"], &answer["timeout"], &answer["error_type"]),
        (&json!("begun\n"), &json!(true), &json!("TimeoutError"))
    );
    wait_until("all that the program started to end", || {
        computer.bash("pgrep -f 'sleep 431[2]'")["exit_code"] == 1
    });
}
