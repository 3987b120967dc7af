//! Sends HTTP requests with `XMLHttpRequest`, which reports upload progress.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array, global};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Request, Response, SendFailure};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ProgressEvent, XmlHttpRequest, XmlHttpRequestResponseType};

use super::Listener;
use super::failure::{NO_CAUSE, message};
use super::file::{Source, body_to_js};

#[wasm_bindgen]
extern "C" {
    /// An `XMLHttpRequest`. The methods of `web_sys` accept one type of body each.
    type Sender;

    #[wasm_bindgen(method, catch)]
    fn send(this: &Sender, body: &JsValue) -> Result<(), JsValue>;
}

/// One request. Dropping this value aborts the request.
pub(super) struct Exchange {
    xhr: XmlHttpRequest,
    limit: u64,
    on_sent: Listener,
    on_change: Listener,
    on_received: Listener,
    /// The status of a response whose body exceeds the limit. The abort of the request clears the status of `xhr`.
    too_large: Rc<Cell<Option<u16>>>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // The abort would fire events too.
        self.listen(false);
        let _ = self.xhr.abort();
    }
}

impl Exchange {
    /// Creates a request. Returns `None` if the platform has no `XMLHttpRequest`, as in Node and in service workers.
    pub(super) fn new(progress: Progress, limit: u64) -> Option<Self> {
        // Checked without an exception, because each exception leaves a slot of wasm-bindgen's table behind.
        if !Reflect::has(&global(), &"XMLHttpRequest".into()).unwrap_or_default() {
            return None;
        }
        let xhr = XmlHttpRequest::new().ok()?;
        let on_sent = {
            let progress = progress.clone();
            Listener::new(move |event: JsValue| {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it counts bytes"
                )]
                progress.sent(event.unchecked_ref::<ProgressEvent>().loaded() as u64);
            })
        };
        let on_change = {
            let xhr = xhr.clone();
            Listener::new(move |_| {
                if xhr.ready_state() >= XmlHttpRequest::HEADERS_RECEIVED {
                    progress.received();
                }
            })
        };
        let too_large = Rc::<Cell<Option<u16>>>::default();
        let on_received = {
            let (xhr, too_large) = (xhr.clone(), Rc::clone(&too_large));
            #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
            Listener::new(move |event: JsValue| {
                let event = event.unchecked_ref::<ProgressEvent>();
                // The total is the announced length, or 0.
                let exceeds = event.loaded().max(event.total()) > limit as f64;
                // Chromium may report the last piece when the response is complete. An abort would then fire no event, so the
                // request would never end. `run` checks the length of a complete response.
                if exceeds && xhr.ready_state() != XmlHttpRequest::DONE {
                    too_large.set(xhr.status().ok());
                    let _ = xhr.abort();
                }
            })
        };
        Some(Self { xhr, limit, on_sent, on_change, on_received, too_large })
    }

    /// Sends the request and reads the whole response.
    pub(super) async fn run(self, request: &Request, file: Option<&Source>) -> Result<Response, SendFailure> {
        let never = |error: JsValue| SendFailure::never(message(&error));
        let xhr = &self.xhr;
        xhr.open(request.method.as_str(), &request.url).map_err(never)?;
        xhr.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
        for (name, value) in &request.headers {
            xhr.set_request_header(name, value).map_err(never)?;
        }
        self.listen(true);
        let ended = Promise::new(&mut |resolve, _| xhr.set_onloadend(Some(&resolve)));
        let body = request.body.as_ref().map(|body| body_to_js(body, file)).transpose()?;
        xhr.unchecked_ref::<Sender>().send(&body.unwrap_or_default()).map_err(never)?;
        // This promise never rejects.
        let _ = JsFuture::from(ended).await;

        if let Some(status) = self.too_large.get() {
            return Ok(Response { status, too_large: true, ..Response::default() });
        }
        let status = xhr.status().unwrap_or_default();
        // Not `dyn_into`, because the buffer may be of another realm.
        let body = xhr.response().ok().filter(JsValue::is_object);
        let body = body.map(JsCast::unchecked_into::<ArrayBuffer>);
        match body {
            Some(body) if status != 0 => {
                let bytes = Uint8Array::new(&body);
                // The last piece may arrive without a progress event.
                let too_large = u64::from(bytes.length()) > self.limit;
                Ok(Response {
                    status,
                    headers: headers(&xhr.get_all_response_headers().unwrap_or_default()),
                    body: if too_large { Vec::new() } else { bytes.to_vec() },
                    too_large,
                })
            }
            _ => Err(SendFailure::maybe(format!("the request failed {NO_CAUSE}"))),
        }
    }

    fn listen(&self, on: bool) {
        let function = |closure: &JsValue| on.then(|| closure.unchecked_ref::<js_sys::Function>().clone());
        self.xhr.set_onreadystatechange(function(self.on_change.as_ref()).as_ref());
        self.xhr.set_onprogress(function(self.on_received.as_ref()).as_ref());
        if let Ok(upload) = self.xhr.upload() {
            upload.set_onprogress(function(self.on_sent.as_ref()).as_ref());
        }
    }
}

/// Parses the header lines of a response: `name: value`.
fn headers(text: &str) -> Vec<(String, String)> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}
