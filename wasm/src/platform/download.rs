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

/// The stream of one call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streaming(Rc<State>);

#[derive(Default)]
struct State {
    /// `None` before the response, and while a piece is being read.
    download: Cell<Option<Download>>,
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
    /// Starts the stream.
    pub(crate) fn start(&self, download: Download) {
        self.0.download.set(Some(download));
    }

    /// Aborts the request, also if its response is being read.
    pub(crate) fn cancel(&self, browser: &Browser) {
        self.0.canceled.set(true);
        drop(browser.opened.take());
        if let Some(reading) = self.0.reading.take() {
            reading.abort();
        }
    }

    /// Reads the next piece. Returns `None` at the end. Aborts the request after a failure.
    pub(crate) async fn read(&self, browser: &Browser) -> Result<Option<Uint8Array>, Error> {
        let Some(mut download) = self.0.download.take() else { return Ok(None) };
        let piece = self.read_from(browser, &mut download).await;
        self.0.download.set(Some(download));
        piece
    }

    async fn read_from(
        &self,
        browser: &Browser,
        download: &mut Download,
    ) -> Result<Option<Uint8Array>, Error> {
        let Some(mut running) = browser.opened.take() else {
            return if self.0.canceled.get() { Err(download.aborted()) } else { Ok(None) };
        };
        let (canceled, cancel) = abortable(pending::<()>());
        self.0.reading.set(Some(cancel));
        let next = async { running.read().await.map_err(|error| running.lost(browser, &error)) };
        let canceled = async {
            let _ = canceled.await;
        };
        let size = |piece: &Uint8Array| piece.length().into();
        let piece = read_piece(browser, download, size, next, canceled).await;
        self.0.reading.take();
        let piece = piece?;
        if piece.is_some() && !self.0.canceled.get() {
            browser.opened.set(running);
        }
        Ok(piece)
    }
}
