//! A response whose body is read piece by piece. The pieces stay outside the memory of this module.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable, pending};
use js_sys::{Reflect, Uint8Array};
use orgo_core::driver::read_piece;
use orgo_core::error::Error;
use orgo_core::rest::download::Download;
use orgo_core::rest::http::SendFailure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

use super::{Browser, failure, http};

/// The body of a response that is still arriving. Dropping it aborts the request.
#[derive(Debug)]
pub(super) struct OpenBody {
    pub(super) url: String,
    /// `None` for a response without a body.
    pub(super) reader: Option<ReadableStreamDefaultReader>,
    pub(super) request: http::Sent,
}

/// Reads the next piece of a body. Returns `None` at the end.
pub(super) async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let piece = JsFuture::from(reader.read()).await?;
    let value = Reflect::get(&piece, &"value".into())?;
    // Not `dyn_into`: test environments such as jsdom replace the global `Uint8Array`, but `fetch` keeps the original.
    Ok((!value.is_undefined()).then(|| value.unchecked_into()))
}

/// The place of the open response of one call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opened(Rc<RefCell<Place>>);

#[derive(Debug, Default)]
struct Place {
    body: Option<OpenBody>,
    /// Ends the read that is in progress.
    reading: Option<AbortHandle>,
    /// Whether the reader has canceled the stream.
    canceled: bool,
}

impl Opened {
    pub(super) fn put(&self, body: OpenBody) {
        let mut place = self.0.borrow_mut();
        if !place.canceled {
            place.body = Some(body);
        }
    }

    /// Aborts the request, also if its response is being read.
    pub(crate) fn cancel(&self) {
        let mut place = self.0.borrow_mut();
        place.canceled = true;
        let (body, reading) = (place.body.take(), place.reading.take());
        drop(place);
        drop(body);
        if let Some(reading) = reading {
            reading.abort();
        }
    }

    /// Reads the next piece. Returns `None` at the end. Aborts the request after a failure.
    pub(crate) async fn read(
        &self,
        browser: &Browser,
        download: &mut Download,
    ) -> Result<Option<Uint8Array>, Error> {
        let taken = self.0.borrow_mut().body.take();
        let Some(body) = taken else {
            return if self.0.borrow().canceled { Err(download.aborted()) } else { Ok(None) };
        };
        let (canceled, cancel) = abortable(pending::<()>());
        self.0.borrow_mut().reading = Some(cancel);
        let next = async {
            match &body.reader {
                None => Ok(None),
                Some(reader) => read(reader).await.map_err(|error| lost(browser, &body.url, &error)),
            }
        };
        let canceled = async {
            let _ = canceled.await;
        };
        let size = |piece: &Uint8Array| piece.length().into();
        let piece = read_piece(browser, download, size, next, canceled).await;
        self.0.borrow_mut().reading = None;
        let piece = piece?;
        if piece.is_some() {
            self.put(body);
        } else {
            body.request.complete();
        }
        Ok(piece)
    }
}

/// Describes the failure of a response.
pub(super) fn lost(browser: &Browser, url: &str, error: &JsValue) -> SendFailure {
    failure::of_request(browser, url, error, "the response was cut off: ")
}
