//! Runs Python code inside a computer, each time in a new interpreter.
//!
//! The interpreter runs the code like `python3 -u FILE`, so the code behaves like a program in a file. The exit status
//! decides whether the code succeeded. `assets/python/sitecustomize.py` sets `sys.path`, and describes the exception
//! that ended the code.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::time::{Instant, sleep_until};

use crate::agent::Exit;
use crate::inherited::memory_file;

use super::command::{CommandError, CommandResult, Outcome, follow};
use super::machine::Machine;

/// The divisor that determines when the first attempt ends. If the program has not begun when `limit /
/// START_LIMIT_DIVISOR` of the time limit is left, the interpreter is restarted without the packages in the home.
const START_LIMIT_DIVISOR: u32 = 4;
/// The maximum number of bytes that are read from a report.
const MAX_REPORT_BYTES: usize = 128 * 1024;
/// The maximum number of characters of a class name in a response.
const MAX_TYPE_CHARS: usize = 256;
/// The maximum number of characters of an error in a response, without the line number.
const MAX_ERROR_CHARS: usize = 20 * 1024;

/// The result of running Python code.
#[derive(Debug)]
pub(crate) struct PythonResult {
    pub(crate) output: String,
    pub(crate) failure: Option<PythonFailure>,
    pub(crate) timed_out: bool,
    /// Whether the code ran without the packages in the home, because they ended or delayed the interpreter before the
    /// code began.
    pub(crate) without_user_site: bool,
}

/// The reason why Python code failed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct PythonFailure {
    pub(crate) error: String,
    /// The class of the exception, such as `NameError`, or the signal that ended the interpreter, such as `SIGKILL`.
    pub(crate) error_type: String,
}

impl Machine {
    /// Runs `code` until it ends, and kills it if it runs longer than `limit`.
    pub(crate) async fn python(&self, code: &str, limit: Duration) -> Result<PythonResult, CommandError> {
        let deadline = Instant::now() + limit;
        let report = report_file()?;
        let first = tokio::select! {
            ran = self.interpret(code, &["-u"], &report, deadline) => Some(ran?),
            () = not_begun_by(&report, deadline - limit / START_LIMIT_DIVISOR) => None,
        };
        match first {
            Some(result) if result.outcome == Outcome::TimedOut || has_begun(&report) => {
                Ok(evaluate(result, code, limit, &report))
            }
            // The packages in the home have ended this interpreter, or delay the start of the code.
            _ => {
                let report = report_file()?;
                let result = self.interpret(code, &["-u", "-s"], &report, deadline).await?;
                Ok(PythonResult { without_user_site: true, ..evaluate(result, code, limit, &report) })
            }
        }
    }

    async fn interpret(
        &self,
        code: &str,
        options: &[&str],
        report: &File,
        deadline: Instant,
    ) -> Result<CommandResult, CommandError> {
        let source = memory_file("source", code.as_bytes())?;
        // `-u` turns off output buffering, so the result contains all output up to the time limit.
        let argv = std::iter::once("python3").chain(options.iter().copied()).map(str::to_owned).collect();
        let variables = [("PYTHONPATH".into(), self.python_path())];
        let process = self.spawn_script(argv, variables, source.as_fd(), report.as_fd()).await?;
        follow(process, deadline.saturating_duration_since(Instant::now())).await
    }
}

/// Returns whether the program has begun. Until then the report is empty.
fn has_begun(report: &File) -> bool {
    !read_report(report).is_empty()
}

/// Waits until `time`. Returns if the program has not begun by then; otherwise never returns.
async fn not_begun_by(report: &File, time: Instant) {
    sleep_until(time).await;
    if has_begun(report) {
        std::future::pending::<()>().await;
    }
}

/// Returns the result for an interpreter that has ended.
fn evaluate(result: CommandResult, code: &str, limit: Duration, report: &File) -> PythonResult {
    let timed_out = result.outcome == Outcome::TimedOut;
    let failure = match result.outcome {
        Outcome::TimedOut => Some(PythonFailure {
            error: format!("the code ran longer than {} s and was ended", limit.as_secs()),
            error_type: "TimeoutError".into(),
        }),
        Outcome::Exited(Exit { code: 0, .. }) => None,
        Outcome::Exited(end) => {
            let exception = Exception::parse(&read_report(report));
            Some(exception.map_or_else(|| describe_exit(end), |exception| exception.explain(code)))
        }
    };
    PythonResult { output: result.output, failure, timed_out, without_user_site: false }
}

/// Creates a file in memory for the report. Unlike a pipe, such a file accepts a report of any length without a reader.
fn report_file() -> io::Result<File> {
    Ok(File::from(memfd_create("report", MemfdFlags::CLOEXEC)?))
}

/// Reads the report, at most [`MAX_REPORT_BYTES`]. The program may still have the file open.
fn read_report(report: &File) -> Vec<u8> {
    let mut bytes = vec![0; MAX_REPORT_BYTES];
    let mut filled = 0;
    while let Ok(length @ 1..) = report.read_at(&mut bytes[filled..], filled as u64) {
        filled += length;
    }
    bytes.truncate(filled);
    bytes
}

/// The exception that ended a program, as described by `sitecustomize.py`.
#[derive(Debug)]
struct Exception {
    /// The line number, counted from 1; `None` if no line of the code is in the traceback.
    line: Option<usize>,
    class: String,
    message: String,
}

impl Exception {
    /// Parses a report. Returns `None` if the report is invalid, for example because the program itself has written to
    /// the file.
    fn parse(report: &[u8]) -> Option<Self> {
        let mut fields = report.splitn(3, |&byte| byte == 0);
        let line: usize = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let text = |bytes| String::from_utf8_lossy(bytes);
        let class: String = text(fields.next()?).chars().take(MAX_TYPE_CHARS).collect();
        let message = text(fields.next()?).chars().take(MAX_ERROR_CHARS).collect();
        (!class.is_empty()).then_some(Self { line: (line > 0).then_some(line), class, message })
    }

    /// Returns the failure for a response. The text for an exception without a message is the name of its class. The
    /// text for an `assert` statement without a message is the statement.
    fn explain(self, code: &str) -> PythonFailure {
        let Self { line, class, message } = self;
        let text = if message.trim().is_empty() {
            let statement = line.and_then(|line| line_of(code, line)).map(str::trim);
            statement.filter(|text| text.starts_with("assert")).unwrap_or(&class)
        } else {
            &message
        };
        let error = match line {
            Some(line) => format!("{text} (line {line})"),
            None => text.to_owned(),
        };
        PythonFailure { error, error_type: class }
    }
}

/// Returns line `number` of the code. Like Python, counts from 1 and accepts LF, CR and CRLF.
fn line_of(code: &str, number: usize) -> Option<&str> {
    let mut rest = code;
    for _ in 1..number {
        let end = rest.find(['\n', '\r'])?;
        let length = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + length..];
    }
    rest.split(['\n', '\r']).next()
}

/// Describes how an interpreter ended without a report: by `sys.exit`, `os._exit` or a signal.
fn describe_exit(end: Exit) -> PythonFailure {
    match end.signal {
        Some(signal) => {
            let name = signal_name(signal);
            PythonFailure { error: format!("the interpreter was ended by {name}"), error_type: name }
        }
        None => PythonFailure {
            error: format!("the program exited with code {}", end.code),
            error_type: "SystemExit".into(),
        },
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGVTALRM => "SIGVTALRM",
        libc::SIGPROF => "SIGPROF",
        libc::SIGSYS => "SIGSYS",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(report: &[u8], code: &str) -> Option<(String, String)> {
        let PythonFailure { error, error_type } = Exception::parse(report)?.explain(code);
        Some((error, error_type))
    }

    #[test]
    fn an_error_is_never_empty_and_contains_the_line_number() {
        let code = "a = 1\r\nif a:\r  assert a == 2\n";
        for (report, error) in [
            (&b"3\0AssertionError\0"[..], "assert a == 2 (line 3)"),
            (b"2\0AssertionError\0", "AssertionError (line 2)"),
            (b"9\0AssertionError\0", "AssertionError (line 9)"),
            (b"3\0AssertionError\0two\0parts", "two\0parts (line 3)"),
            (b"0\0E\0\xff", "\u{fffd}"),
            (b"0\0E\0 \n", "E"),
        ] {
            assert_eq!(explained(report, code).map(|(error, _)| error).as_deref(), Some(error));
        }
    }

    #[test]
    fn an_invalid_report_is_ignored() {
        for report in [&b""[..], b"\0", b"1", b"1\0E", b"x\0E\0", b"-1\0E\0", b"1\0\0text", b"\xff\0E\0"] {
            assert_eq!(explained(report, ""), None, "{report:?}");
        }
    }

    #[test]
    fn the_length_of_a_report_is_limited() {
        let report = report_file().expect("there is enough memory");
        report.write_all_at(&vec![b'x'; 2 * MAX_REPORT_BYTES], 0).expect("there is enough memory");
        assert_eq!(read_report(&report).len(), MAX_REPORT_BYTES);
        let long = [b"1\0", vec![b'E'; 1_000].as_slice(), b"\0", &vec![b'x'; 100_000]].concat();
        let (error, class) = explained(&long, "").expect("the report is valid");
        assert!(error.len() < MAX_ERROR_CHARS + 100 && class.len() == MAX_TYPE_CHARS);
    }
}
