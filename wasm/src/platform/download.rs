//! A response whose body is read piece by piece. The pieces stay outside the memory of this module.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable, pending};
use js_sys::Uint8Array;
use orgo_core::driver::read_piece;
use orgo_core::error::Error;
use orgo_core::rest::download::Download;

use super::Browser;
use super::http::Running;

/// The stream of one call. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Streaming(Rc<State>);

struct State {
    browser: Browser,
    /// `None` while a piece is being read.
    download: Cell<Option<Download>>,
    /// `None` while a piece is being read, and after the end.
    response: Cell<Option<Running>>,
    /// Ends the read that is in progress.
    reading: Cell<Option<AbortHandle>>,
    canceled: Cell<bool>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

impl Streaming {
    /// Starts the stream of an open response.
    pub(crate) fn new(browser: Browser, download: Download, response: Option<Running>) -> Self {
        let (reading, canceled) = (Cell::default(), Cell::default());
        let (download, response) = (Cell::new(Some(download)), Cell::new(response));
        Self(Rc::new(State { browser, download, response, reading, canceled }))
    }

    /// Aborts the request, also if its response is being read.
    pub(crate) fn cancel(&self) {
        self.0.canceled.set(true);
        drop(self.0.response.take());
        if let Some(reading) = self.0.reading.take() {
            reading.abort();
        }
    }

    /// Reads the next piece. Returns `None` at the end. Aborts the request after a failure.
    pub(crate) async fn read(&self) -> Result<Option<Uint8Array>, Error> {
        let Some(mut download) = self.0.download.take() else { return Ok(None) };
        let piece = self.read_from(&mut download).await;
        self.0.download.set(Some(download));
        piece
    }

    async fn read_from(&self, download: &mut Download) -> Result<Option<Uint8Array>, Error> {
        let State { browser, response, reading, canceled, .. } = &*self.0;
        let Some(mut running) = response.take() else {
            return if canceled.get() { Err(download.aborted()) } else { Ok(None) };
        };
        let (ended, end) = abortable(pending::<()>());
        reading.set(Some(end));
        let next = async { running.read().await.map_err(|error| running.lost(browser, &error)) };
        let ended = async {
            let _ = ended.await;
        };
        let size = |piece: &Uint8Array| piece.length().into();
        let piece = read_piece(browser, download, size, next, ended).await;
        reading.take();
        let piece = piece?;
        if piece.is_some() && !canceled.get() {
            response.set(Some(running));
        }
        Ok(piece)
    }
}
