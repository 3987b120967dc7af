//! HTTP by `XMLHttpRequest`, which tells how much of a request was sent.

use js_sys::{ArrayBuffer, Promise, Reflect, Uint8Array, global};
use orgo_core::driver::Progress;
use orgo_core::http::{Reached, Request, Response, SendFailure};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ProgressEvent, XmlHttpRequest, XmlHttpRequestResponseType};

use super::failure::{NO_CAUSE, message};

/// One request. It is aborted when it is let go of.
pub(super) struct Exchange {
    xhr: XmlHttpRequest,
    on_sent: Closure<dyn Fn(ProgressEvent)>,
    on_change: Closure<dyn Fn()>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // An abort has events of its own.
        self.listen(false);
        let _ = self.xhr.abort();
    }
}

impl Exchange {
    /// Nothing where the platform has no such requests, as Node and service workers have none.
    pub(super) fn new(progress: Progress) -> Option<Self> {
        // Each exception leaves a slot of wasm-bindgen's table behind, so none is provoked to find out.
        if !Reflect::has(&global(), &"XMLHttpRequest".into()).unwrap_or_default() {
            return None;
        }
        let xhr = XmlHttpRequest::new().ok()?;
        let on_sent = {
            let progress = progress.clone();
            Closure::new(move |event: ProgressEvent| {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it counts bytes"
                )]
                progress.sent(event.loaded() as usize);
            })
        };
        let on_change = {
            let xhr = xhr.clone();
            Closure::new(move || {
                if xhr.ready_state() >= XmlHttpRequest::HEADERS_RECEIVED {
                    progress.heard();
                }
            })
        };
        Some(Self { xhr, on_sent, on_change })
    }

    /// Sends the request and reads its whole answer.
    pub(super) async fn run(self, request: &Request) -> Result<Response, SendFailure> {
        let never = |error: JsValue| SendFailure { reached: Reached::Never, message: message(&error) };
        let xhr = &self.xhr;
        xhr.open(request.method.as_str(), &request.url).map_err(never)?;
        xhr.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
        for (name, value) in &request.headers {
            xhr.set_request_header(name, value).map_err(never)?;
        }
        self.listen(true);
        let ended = Promise::new(&mut |resolve, _| xhr.set_onloadend(Some(&resolve)));
        xhr.send_with_opt_u8_array(request.body.as_deref()).map_err(never)?;
        // It does not reject.
        let _ = JsFuture::from(ended).await;

        let status = xhr.status().unwrap_or_default();
        let body = xhr.response().ok().and_then(|body| body.dyn_into::<ArrayBuffer>().ok());
        match body {
            Some(body) if status != 0 => Ok(Response {
                status,
                headers: headers(&xhr.get_all_response_headers().unwrap_or_default()),
                body: Uint8Array::new(&body).to_vec(),
            }),
            _ => Err(SendFailure {
                reached: Reached::Maybe,
                message: format!("the request failed {NO_CAUSE}"),
            }),
        }
    }

    fn listen(&self, on: bool) {
        let function = |closure: &JsValue| on.then(|| closure.unchecked_ref::<js_sys::Function>().clone());
        self.xhr.set_onreadystatechange(function(self.on_change.as_ref()).as_ref());
        if let Ok(upload) = self.xhr.upload() {
            upload.set_onprogress(function(self.on_sent.as_ref()).as_ref());
        }
    }
}

/// Reads lines of `name: value`.
fn headers(text: &str) -> Vec<(String, String)> {
    let fields = text.lines().filter_map(|line| line.split_once(": "));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
