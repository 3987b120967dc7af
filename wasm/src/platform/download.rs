//! A response whose body is read piece by piece. The pieces stay outside the memory of this module.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable, pending};
use js_sys::Uint8Array;
use orgo_core::driver::read_piece;
use orgo_core::error::Error;
use orgo_core::rest::download::Download;

use super::Browser;

/// The stream of one call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streaming(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    /// `None` before the response, and while a piece is being read.
    download: Option<Download>,
    /// Ends the read that is in progress.
    reading: Option<AbortHandle>,
    canceled: bool,
}

impl Streaming {
    /// Starts the stream.
    pub(crate) fn start(&self, download: Download) {
        self.0.borrow_mut().download = Some(download);
    }

    /// Aborts the request, also if its response is being read.
    pub(crate) fn cancel(&self, browser: &Browser) {
        let mut state = self.0.borrow_mut();
        state.canceled = true;
        let reading = state.reading.take();
        drop(state);
        drop(browser.opened.borrow_mut().take());
        if let Some(reading) = reading {
            reading.abort();
        }
    }

    /// Reads the next piece. Returns `None` at the end. Aborts the request after a failure.
    pub(crate) async fn read(&self, browser: &Browser) -> Result<Option<Uint8Array>, Error> {
        let Some(mut download) = self.0.borrow_mut().download.take() else { return Ok(None) };
        let piece = self.read_from(browser, &mut download).await;
        self.0.borrow_mut().download = Some(download);
        piece
    }

    async fn read_from(
        &self,
        browser: &Browser,
        download: &mut Download,
    ) -> Result<Option<Uint8Array>, Error> {
        let taken = browser.opened.borrow_mut().take();
        let Some(mut running) = taken else {
            return if self.0.borrow().canceled { Err(download.aborted()) } else { Ok(None) };
        };
        let (canceled, cancel) = abortable(pending::<()>());
        self.0.borrow_mut().reading = Some(cancel);
        let next = async { running.read().await.map_err(|error| running.lost(browser, &error)) };
        let canceled = async {
            let _ = canceled.await;
        };
        let size = |piece: &Uint8Array| piece.length().into();
        let piece = read_piece(browser, download, size, next, canceled).await;
        self.0.borrow_mut().reading = None;
        let piece = piece?;
        if piece.is_some() && !self.0.borrow().canceled {
            *browser.opened.borrow_mut() = Some(running);
        }
        Ok(piece)
    }
}
