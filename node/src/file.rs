//! The file of an upload, which JavaScript reads while the connection accepts its bytes.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// The number of pieces that may wait for the connection.
const MAX_WAITING: usize = 4;

/// What JavaScript provides.
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
    Failed(String),
}

/// The reader of a file for the requests of one call. Each request opens the file once.
#[derive(Debug, Clone)]
pub(crate) struct File(UnboundedSender<mpsc::Sender<Piece>>);

/// The half of a file that JavaScript uses. Clones share it.
#[derive(Clone)]
pub(crate) struct Feed(Arc<FeedState>);

struct FeedState {
    openings: tokio::sync::Mutex<UnboundedReceiver<mpsc::Sender<Piece>>>,
    /// The request that reads the file; `None` before its start and after its end.
    request: Mutex<Option<mpsc::Sender<Piece>>>,
}

impl File {
    /// Creates both halves.
    pub(crate) fn new() -> (Self, Feed) {
        let (sender, openings) = mpsc::unbounded_channel();
        let state = FeedState { openings: openings.into(), request: Mutex::default() };
        (Self(sender), Feed(Arc::new(state)))
    }

    /// Starts to read the file from its first byte.
    pub(crate) fn open(&self) -> mpsc::Receiver<Piece> {
        let (sender, pieces) = mpsc::channel(MAX_WAITING);
        // Fails if JavaScript has dropped the call. The request then fails too, because the pieces have no sender.
        let _ = self.0.send(sender);
        pieces
    }
}

impl Feed {
    /// Waits until a request needs bytes of the file. Returns `start` if it needs the first ones, else `more`. Returns `None`
    /// after the call has ended.
    pub(crate) async fn next_request(&self) -> Option<&'static str> {
        let request = self.request().clone();
        if let Some(request) = request {
            if request.reserve().await.is_ok() {
                return Some("more");
            }
            // The request has ended.
            *self.request() = None;
        }
        let opened = self.0.openings.lock().await.recv().await?;
        *self.request() = Some(opened);
        Some("start")
    }

    /// Passes the next bytes to the request. Returns whether there is room for more, without a wait.
    pub(crate) fn provide(&self, bytes: &[u8]) -> bool {
        let request = self.request();
        let Some(request) = request.as_ref().filter(|request| request.capacity() > 0) else { return false };
        request.try_send(Piece::Bytes(Bytes::copy_from_slice(bytes))).is_ok() && request.capacity() > 0
    }

    /// Ends the file. `problem`: why it could not be read completely.
    pub(crate) fn end(&self, problem: Option<String>) {
        let piece = problem.map_or(Piece::End, Piece::Failed);
        if let Some(request) = self.request().take() {
            // Fails only if the request has ended, because JavaScript provides pieces only if there is room.
            let _ = request.try_send(piece);
        }
    }

    fn request(&self) -> MutexGuard<'_, Option<mpsc::Sender<Piece>>> {
        self.0.request.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a request whose file could not be read.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn take(pieces: &mut mpsc::Receiver<Piece>) -> Option<String> {
        match pieces.recv().now_or_never()?? {
            Piece::Bytes(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Piece::End => Some("end".to_owned()),
            Piece::Failed(problem) => Some(problem),
        }
    }

    #[test]
    fn javascript_is_asked_for_bytes_only_while_there_is_room() {
        let (file, feed) = File::new();
        let next = || feed.next_request().now_or_never();
        assert_eq!(next(), None);
        let mut pieces = file.open();
        assert_eq!(next(), Some(Some("start")));
        for number in 1..MAX_WAITING {
            assert!(feed.provide(b"a"), "{number}");
        }
        assert!(!feed.provide(b"a"));
        assert_eq!(next(), None);
        assert!(!feed.provide(b"refused"));
        assert_eq!(take(&mut pieces).as_deref(), Some("a"));
        assert_eq!(next(), Some(Some("more")));
        feed.end(None);
        let rest: Vec<_> = std::iter::from_fn(|| take(&mut pieces)).collect();
        assert_eq!(rest, ["a", "a", "a", "end"]);
    }

    #[test]
    fn each_request_reads_the_file_from_its_start_and_the_end_of_the_call_is_reported() {
        let (file, feed) = File::new();
        let next = || feed.next_request().now_or_never();
        let first = file.open();
        assert_eq!(next(), Some(Some("start")));
        drop(first);
        assert!(!feed.provide(b"lost"));
        assert_eq!(next(), None);
        let mut second = file.open();
        assert_eq!(next(), Some(Some("start")));
        feed.end(Some("the disk failed".to_owned()));
        assert_eq!(take(&mut second).as_deref(), Some("the disk failed"));
        assert_eq!(next(), None);
        drop(file);
        assert_eq!(next(), Some(None));
    }
}
