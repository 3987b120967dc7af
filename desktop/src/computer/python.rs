//! Running Python code inside a computer, each time in a fresh interpreter.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde::Deserialize;
use uuid::Uuid;

use super::command::{CommandError, Outcome};
use super::layout::{SUPPORT, inside};
use super::machine::Machine;

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
        let id = Uuid::new_v4().simple().to_string();
        let file = |suffix: &str| format!("{id}.{suffix}");
        let (code_file, report_file) = (file("py"), file("json"));
        let exchange = self.layout().exchange();
        let files = Files { code: &exchange.join(&code_file), report: &exchange.join(&report_file) };
        write_readable(files.code, code)?;
        let argv = vec![
            "python3".into(),
            // Output shows as it is written, so that what came before a time limit is not lost in a buffer.
            "-u".into(),
            format!("{SUPPORT}/exec.py"),
            inside(Path::new("exchange").join(code_file)),
            inside(Path::new("exchange").join(report_file)),
        ];
        let transcript = self.run(argv, limit).await?;
        let timed_out = transcript.outcome == Outcome::TimedOut;
        let failure = match transcript.outcome {
            Outcome::TimedOut => Some(PythonFailure {
                error: format!("the code ran longer than {} s and was ended", limit.as_secs()),
                error_type: "TimeoutError".into(),
            }),
            Outcome::Exited(code) => files.report()?.or_else(|| died(code)),
        };
        Ok(PythonOutcome { output: transcript.output, failure, timed_out })
    }
}

/// Without a report the interpreter itself ended: by a signal, or by `os._exit`.
fn died(code: i32) -> Option<PythonFailure> {
    (code != 0).then(|| PythonFailure {
        error: format!("the interpreter ended with exit code {code}"),
        error_type: "SystemExit".into(),
    })
}

/// The two files of one run, removed afterwards.
struct Files<'a> {
    code: &'a Path,
    report: &'a Path,
}

impl Files<'_> {
    fn report(&self) -> io::Result<Option<PythonFailure>> {
        match fs::read(self.report) {
            Ok(json) => Ok(serde_json::from_slice(&json).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        // The run folder goes with the computer in any case.
        let _ = fs::remove_file(self.code);
        let _ = fs::remove_file(self.report);
    }
}

/// The computer's user is another than the server's, and its folder keeps everybody else out.
fn write_readable(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}
