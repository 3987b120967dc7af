//! Running a command inside a computer to its end, with a limit on time and on what is kept of its output.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

use crate::agent::{AgentError, Descriptor, Exit, Process, Stdio};

use super::machine::Machine;

/// How much of a command's output is kept.
const MAX_OUTPUT_BYTES: usize = 8 * 1024 * 1024;

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error("cannot read the command's output: {0}")]
    Output(#[from] io::Error),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Exited(Exit),
    /// It, and everything that it had started, was killed at its limit.
    TimedOut,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct CommandResult {
    /// Output and errors in the order written; bytes that are not UTF-8 are replaced.
    pub(crate) output: String,
    pub(crate) outcome: Outcome,
}

impl Machine {
    /// Runs a program until it exits or `limit` has passed. Programs that it left in the background go on.
    pub(crate) async fn run(
        &self,
        argv: Vec<String>,
        limit: Duration,
    ) -> Result<CommandResult, CommandError> {
        follow(self.spawn(argv, Stdio::Merged).await?, limit).await
    }
}

/// Follows a process until it exits or `limit` has passed, which kills it.
pub(crate) async fn follow(mut process: Process, limit: Duration) -> Result<CommandResult, CommandError> {
    // The agent gives every process with a pipe the reading end of it.
    let output = process.take_output().ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let output = Descriptor::new(output)?;
    let mut kept = BoundedOutput::default();
    let outcome = {
        let exit = process.exit();
        let limit = sleep(limit);
        tokio::pin!(exit, limit);
        let mut chunk = vec![0; 64 * 1024];
        let mut open = true;
        loop {
            tokio::select! {
                read = output.read(&mut chunk), if open => {
                    let length = read?;
                    kept.push(&chunk[..length]);
                    open = length > 0;
                }
                end = &mut exit => break Outcome::Exited(end?),
                () = &mut limit => break Outcome::TimedOut,
            }
        }
    };
    if outcome == Outcome::TimedOut {
        drop(process);
        kept.push_available(&output)?;
    } else {
        // Once the server hangs up, the agent reads on for what was left in the background.
        kept.push_available(&output)?;
        drop(process);
    }
    Ok(CommandResult { output: kept.into_text(), outcome })
}

/// The beginning of an output, and how much came after it.
#[derive(Default)]
struct BoundedOutput {
    bytes: Vec<u8>,
    dropped: usize,
}

impl BoundedOutput {
    fn push(&mut self, chunk: &[u8]) {
        let (kept, dropped) = chunk.split_at(chunk.len().min(MAX_OUTPUT_BYTES - self.bytes.len()));
        self.bytes.extend_from_slice(kept);
        self.dropped += dropped.len();
    }

    /// Takes what a pipe holds right now. A writer that never pauses cannot hold this up for more than one pipe's fill.
    fn push_available(&mut self, output: &Descriptor) -> io::Result<()> {
        const PIPE_CAPACITY: usize = 1024 * 1024;
        let mut chunk = vec![0; 64 * 1024];
        let mut taken = 0;
        while taken < PIPE_CAPACITY {
            let length = output.read_available(&mut chunk)?.unwrap_or(0);
            if length == 0 {
                break;
            }
            self.push(&chunk[..length]);
            taken += length;
        }
        Ok(())
    }

    fn into_text(self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.dropped > 0 {
            text.push_str(&format!("\n[{} more bytes were not kept]\n", self.dropped));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_not_kept() {
        let mut kept = BoundedOutput::default();
        kept.push(&vec![b'a'; MAX_OUTPUT_BYTES - 1]);
        kept.push(b"abc");
        kept.push(b"d");
        let text = kept.into_text();
        assert!(text.starts_with("aaa"));
        assert!(text.ends_with("\n[3 more bytes were not kept]\n"));
    }
}
