//! Keeps the last output of a box and of its slirp4netns process in memory.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::pipe::{PipeFlags, pipe_with};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use crate::untrusted::printable;

/// The maximum size of the kept output, in bytes.
const CAPACITY: usize = 4 * 1024;

/// The log of one box. Cheap to clone. A background task fills the log until all write ends of the pipe are closed.
#[derive(Clone, Debug)]
pub(super) struct BoxLog {
    kept: Arc<Mutex<VecDeque<u8>>>,
}

impl BoxLog {
    /// Creates a log. Returns the log and the write end of the pipe that feeds it.
    pub(super) fn open() -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut read = pipe::Receiver::from_owned_fd(read)?;
        let log = Self { kept: Arc::default() };
        let followed = log.clone();
        tokio::spawn(async move {
            let mut chunk = [0; 1024];
            while let Ok(length @ 1..) = read.read(&mut chunk).await {
                followed.push(&chunk[..length]);
            }
        });
        Ok((log, write))
    }

    fn push(&self, chunk: &[u8]) {
        let mut kept = self.lock();
        kept.extend(chunk);
        let surplus = kept.len().saturating_sub(CAPACITY);
        kept.drain(..surplus);
    }

    pub(super) fn last_line(&self) -> String {
        let kept: Vec<u8> = self.lock().iter().copied().collect();
        let text = String::from_utf8_lossy(&kept);
        // The output of slirp4netns ends with a warning that is not related to the failure.
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with("WARNING"));
        // Control characters are removed, because the line may be printed on a terminal and returned to a client.
        printable(line.unwrap_or("no reason given"))
    }

    /// Locks the kept output. Ignores poisoning, because code that holds the lock cannot panic in the middle of a
    /// change.
    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_kept_within_the_capacity() {
        let log = BoxLog { kept: Arc::default() };
        assert_eq!(log.last_line(), "no reason given");
        log.push("x".repeat(CAPACITY * 3).as_bytes());
        log.push(b"\nbwrap: \x1b[2Jno\n\nWARNING: an experiment\n");
        assert_eq!(log.last_line(), "bwrap: [2Jno");
        assert!(log.lock().len() <= CAPACITY);
    }
}
