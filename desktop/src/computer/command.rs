//! Runs a command inside a computer until it exits, with a time limit and a limit on the size of the kept output.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

use crate::agent::{AgentError, Descriptor, Exit, Process, Stdio};

use super::machine::Machine;

/// The maximum number of output bytes that are kept per command.
const MAX_OUTPUT_BYTES: usize = 8 * 1024 * 1024;

/// The reason why a command could not be run, or why its output could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error("cannot read the command's output: {0}")]
    Output(#[from] io::Error),
}

/// The way in which a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Exited(Exit),
    /// The command reached its time limit, and was killed together with the processes that it started.
    TimedOut,
}

/// The output of a command, and how the command ended.
#[derive(Debug)]
pub(crate) struct CommandResult {
    /// Stdout and stderr in the order in which they were written. Invalid UTF-8 is replaced by U+FFFD.
    pub(crate) output: String,
    pub(crate) outcome: Outcome,
}

impl Machine {
    /// Runs a program until it exits, and kills it if it runs longer than `limit`. Background processes of the program
    /// keep running after the program has exited.
    pub(crate) async fn run(
        &self,
        argv: Vec<String>,
        limit: Duration,
    ) -> Result<CommandResult, CommandError> {
        follow(self.spawn(argv, Stdio::Merged).await?, limit).await
    }
}

/// Waits until a process exits, and returns its output. Kills the process if it runs longer than `limit`.
pub(crate) async fn follow(mut process: Process, limit: Duration) -> Result<CommandResult, CommandError> {
    // The agent returns a pipe for every process that was started with `Stdio::Merged`.
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
        // The process is dropped after this read, because dropping it closes the connection. The agent then reads and
        // discards the output of background processes from the same pipe.
        kept.push_available(&output)?;
        drop(process);
    }
    Ok(CommandResult { output: kept.into_text(), outcome })
}

/// The first [`MAX_OUTPUT_BYTES`] bytes of a command's output, and the number of bytes that were dropped after them.
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

    /// Reads the data that is available in the pipe, but at most the capacity of one pipe. Because of this limit, the
    /// call returns even if a process never stops writing.
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
            text.push_str(&format!("\n[{} more bytes were dropped]\n", self.dropped));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surplus_output_is_counted_and_dropped() {
        let mut kept = BoundedOutput::default();
        kept.push(&vec![b'a'; MAX_OUTPUT_BYTES - 1]);
        kept.push(b"abc");
        kept.push(b"d");
        let text = kept.into_text();
        assert!(text.starts_with("aaa"));
        assert!(text.ends_with("\n[3 more bytes were dropped]\n"));
    }
}
