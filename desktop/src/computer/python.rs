//! Running Python code inside a computer, each time in a fresh interpreter.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::fs::{MemfdFlags, OFlags, SealFlags, fcntl_add_seals, fcntl_setfl, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use serde::Deserialize;

use super::command::{CommandError, Outcome};
use super::layout::SUPPORT;
use super::machine::Machine;

/// The longest report that is read, in bytes: what a pipe holds.
const REPORT_LIMIT: usize = 64 * 1024;

/// What the code did.
#[derive(Debug)]
pub(crate) struct PythonOutcome {
    pub(crate) output: String,
    pub(crate) failure: Option<PythonFailure>,
    pub(crate) timed_out: bool,
}

/// Why it did not run to its end.
#[derive(Debug, Deserialize)]
pub(crate) struct PythonFailure {
    pub(crate) error: String,
    /// The exception's class, such as `NameError`.
    pub(crate) error_type: String,
}

impl Machine {
    /// Runs `code` until it ends or `limit` has passed.
    pub(crate) async fn python(&self, code: &str, limit: Duration) -> Result<PythonOutcome, CommandError> {
        let code = in_memory(code)?;
        let (report, report_end) = report_pipe()?;
        let argv = vec![
            "python3".into(),
            // Output shows as it is written, so that what came before a time limit is not lost in a buffer.
            "-u".into(),
            format!("{SUPPORT}/exec.py"),
        ];
        let transcript = self.run(argv, limit, &[code.as_fd(), report_end.as_fd()]).await?;
        drop(report_end);
        let timed_out = transcript.outcome == Outcome::TimedOut;
        let failure = match transcript.outcome {
            Outcome::TimedOut => Some(PythonFailure {
                error: format!("the code ran longer than {} s and was ended", limit.as_secs()),
                error_type: "TimeoutError".into(),
            }),
            Outcome::Exited(code) => read_report(&report).or_else(|| died(code)),
        };
        Ok(PythonOutcome { output: transcript.output, failure, timed_out })
    }
}

/// A file without a name, which whoever gets it can only read.
fn in_memory(text: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("code", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// Both ends, of which reading the first never waits.
fn report_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&read, OFlags::NONBLOCK)?;
    Ok((read, write))
}

/// What is in the pipe by now. A program that still has the other end cannot hold this up.
fn read_report(report: &OwnedFd) -> Option<PythonFailure> {
    let mut json = vec![0; REPORT_LIMIT];
    let mut filled = 0;
    while filled < json.len() {
        match rustix::io::read(report, &mut json[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(length) => filled += length,
        }
    }
    serde_json::from_slice(&json[..filled]).ok()
}

/// Without a report the interpreter itself ended: by a signal, or by `os._exit`.
fn died(code: i32) -> Option<PythonFailure> {
    (code != 0).then(|| PythonFailure {
        error: format!("the interpreter ended with exit code {code}"),
        error_type: "SystemExit".into(),
    })
}
