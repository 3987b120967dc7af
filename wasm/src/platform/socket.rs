//! WebSockets with `web_sys`. The WebSocket of gloo-net cannot close with a code once it is split, reports a message as
//! sent that it dropped because the socket was closed, and hides `bufferedAmount`, which the backpressure needs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{self, Future, poll_fn};
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array};
use orgo_core::Millis;
use orgo_core::channel::{ConnectFailure, HostOutput, MAX_MESSAGE_BYTES};
use orgo_core::client::address::SocketUrl;
use orgo_core::driver::{Message, Outgoing, SocketReader, SocketWriter};
use orgo_core::encoding::plain::HostText;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CloseEvent, WebSocket};

use super::timer::sleep;
use super::{Browser, Listener, clock};
use crate::task::enter;

/// How much the browser may buffer before the next message waits, in bytes.
const HIGH_WATER: u32 = 64 << 10;
/// The interval at which the buffer is checked while a message waits, in milliseconds. Browsers have no event for this.
const POLL_EVERY: Millis = 20;

#[wasm_bindgen(module = "/src/platform/socket.js")]
extern "C" {
    /// Cannot fail. With `catch`, wasm-bindgen wraps this function. Otherwise the module would import the JavaScript file
    /// directly, in addition to the glue, and `scripts/lib/shrink.mjs` renames only one imported module.
    #[wasm_bindgen(catch)]
    fn listen(
        socket: &WebSocket,
        on_message: &JsValue,
        on_other: &JsValue,
        collects: bool,
        accepts_output: bool,
    ) -> Result<(), JsValue>;

    /// As `listen`.
    #[wasm_bindgen(catch)]
    fn ignore(socket: &WebSocket, on_message: &JsValue) -> Result<(), JsValue>;

    /// A message, or several messages.
    type Received;

    /// Returns the length of text or of collected messages. An `ArrayBuffer` has none.
    #[wasm_bindgen(method, getter)]
    fn length(this: &Received) -> Option<u32>;
}

/// Whether text messages are collected. The complete module also runs on servers, some of which forbid events that outlive a
/// request, and all of which have cheaper calls than a page.
const COLLECTS: bool = cfg!(not(feature = "node"));

/// An event of the socket.
enum Event {
    Opened,
    Message(Message<Text>),
}

/// A text message. It shares the memory of the messages that were collected with it.
pub(crate) struct Text {
    all: Rc<Vec<u8>>,
    range: Range<usize>,
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { range: 0..text.len(), all: Rc::new(text.into_bytes()) }
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.all.get(self.range.clone()).unwrap_or_default()
    }
}

/// Events in order of arrival.
#[derive(Default)]
struct Inbox {
    events: RefCell<VecDeque<Event>>,
    reader: Cell<Option<Waker>>,
    opened: Cell<bool>,
    /// The exception of an error event before the socket opened, if the platform reports it.
    error: RefCell<JsValue>,
}

impl Inbox {
    fn push(&self, event: Event) {
        self.events.borrow_mut().push_back(event);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn poll_pop(&self, context: &mut Context<'_>) -> Poll<Event> {
        match self.events.borrow_mut().pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                self.reader.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }

    fn handle_message(&self, data: &JsValue) {
        if let Some(outputs) = data.dyn_ref::<Array>() {
            return self.handle_outputs(outputs);
        }
        let length = data.unchecked_ref::<Received>().length();
        if length.is_some() && !data.is_string() {
            return self.handle_collected(data.unchecked_ref::<Uint8Array>().to_vec());
        }
        // The browser already holds the whole message, but a message beyond the limit is not copied. The length of text
        // is in UTF-16 units.
        let length = length.unwrap_or_else(|| data.unchecked_ref::<ArrayBuffer>().byte_length());
        self.push(Event::Message(match data.as_string() {
            _ if length as usize > MAX_MESSAGE_BYTES => Message::too_large(),
            Some(text) => Message::Text(text.into()),
            None => Message::Binary(Uint8Array::new(data).to_vec()),
        }));
    }

    /// Handles text messages, each of which follows its length.
    fn handle_collected(&self, messages: Vec<u8>) {
        let all = Rc::new(messages);
        let mut start = 0;
        while let Some(length) = all.get(start..).and_then(|rest| rest.first_chunk()) {
            start += length.len();
            let end = start + u32::from_le_bytes(*length) as usize;
            self.push(Event::Message(Message::Text(Text { all: Rc::clone(&all), range: start..end })));
            start = end;
        }
    }

    /// Handles output of a terminal: texts, each of which precedes the fields of [`HostOutput`].
    fn handle_outputs(&self, outputs: &Array) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it counts messages or bytes"
        )]
        let number = |at| outputs.get(at).as_f64().unwrap_or_default() as usize;
        for at in (0..outputs.length()).step_by(4) {
            self.push(Event::Message(Message::Output(HostOutput {
                text: HostText::new(outputs.get(at)),
                bytes: number(at + 1),
                messages: number(at + 2),
                message_bytes: number(at + 3),
            })));
        }
    }

    /// Handles the opening, an error or the close of the socket.
    fn handle_event(&self, event: &JsValue) {
        match &*event.unchecked_ref::<web_sys::Event>().type_() {
            "open" => {
                self.opened.set(true);
                self.push(Event::Opened);
            }
            // In a browser an `error` event has no details, and a `close` event always follows. In Node the event has an
            // exception, and no `close` event may follow if the socket does not open.
            "error" => {
                if cfg!(feature = "node") && !self.opened.get() {
                    *self.error.borrow_mut() = Reflect::get(event, &"error".into()).unwrap_or_default();
                    self.push(Event::Message(Message::Closed { code: 1006, reason: String::new() }));
                }
            }
            _ => {
                let event = event.unchecked_ref::<CloseEvent>();
                self.push(Event::Message(Message::Closed { code: event.code(), reason: event.reason() }));
            }
        }
    }
}

/// A socket with its event handlers. Dropping this value detaches the handlers, and closes the socket if it is open.
struct Socket {
    socket: WebSocket,
    inbox: Rc<Inbox>,
    on_message: Listener,
    _on_other: Listener,
}

impl Socket {
    fn new(browser: &Browser, url: &str, accepts_output: bool) -> Result<Self, JsValue> {
        let socket = match &browser.host {
            Some(host) => host.open_socket(url)?,
            None => WebSocket::new(url)?,
        };
        let inbox = Rc::<Inbox>::default();
        let handler = |handle: fn(&Inbox, &JsValue)| {
            let inbox = Rc::clone(&inbox);
            Listener::new(move |event: JsValue| enter(clock(), || handle(&inbox, &event)))
        };
        let (on_message, on_other) = (handler(Inbox::handle_message), handler(Inbox::handle_event));
        listen(&socket, on_message.as_ref(), on_other.as_ref(), COLLECTS, accepts_output)?;
        Ok(Self { socket, inbox, on_message, _on_other: on_other })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = ignore(&self.socket, self.on_message.as_ref());
        // Without a code, `close` never throws. On a closing socket it does nothing.
        let _ = self.socket.close();
    }
}

/// Opens a socket.
pub(super) async fn connect(
    browser: Browser,
    url: SocketUrl,
    accepts_output: bool,
) -> Result<(Reader, Writer), ConnectFailure> {
    let failed = |message: String| ConnectFailure { status: None, message };
    // The message of the exception contains the URL, and so the password. The name of the exception does not.
    let socket = Socket::new(&browser, &url.expose(), accepts_output).map_err(|error| {
        let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
        failed(format!("the browser refuses to open {url}: {}", name.unwrap_or_default()))
    })?;
    match poll_fn(|context| socket.inbox.poll_pop(context)).await {
        Event::Opened => {
            let socket = Rc::new(socket);
            Ok((Reader(Rc::clone(&socket)), Writer(socket)))
        }
        Event::Message(_) => Err(match &browser.host {
            Some(host) => {
                let cause = host.explain(&url.to_string(), &socket.inbox.error.borrow());
                ConnectFailure { status: cause.status(), message: cause.message() }
            }
            None => failed(
                "the connection could not be opened (the browser gives no cause: unreachable, refused, or forbidden \
                 by CSP)"
                    .to_owned(),
            ),
        }),
    }
}

/// The reading half of a socket.
pub(crate) struct Reader(Rc<Socket>);

impl SocketReader for Reader {
    type Text = Text;
    type Binary = Vec<u8>;

    /// A browser buffers the messages that arrive. A `WebSocketStream` would make the server wait, but a connection that breaks
    /// during a write crashes the page in Chromium 156.
    fn holds_sender_back(&self) -> bool {
        false
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Message<Text>> {
        loop {
            if let Event::Message(message) = ready!(self.0.inbox.poll_pop(context)) {
                return Poll::Ready(message);
            }
        }
    }
}

/// The writing half of a socket.
pub(crate) struct Writer(Rc<Socket>);

impl SocketWriter for Writer {
    async fn send(&mut self, message: Outgoing) {
        let Self(socket) = self;
        // A closing socket drops the message without an error; the reader reports the close.
        let _ = match message {
            Outgoing::Text(text) => socket.socket.send_with_str(&text),
            Outgoing::Binary(bytes) => socket.socket.send_with_u8_array(&bytes),
        };
        while socket.socket.ready_state() == WebSocket::OPEN && socket.socket.buffered_amount() > HIGH_WATER {
            sleep(POLL_EVERY).await;
        }
    }

    /// Resolves immediately, because a browser sends its buffer before it closes the socket.
    fn close(self, code: u16) -> impl Future<Output = ()> + 'static {
        // Browsers refuse a reserved code. Dropping the socket then closes it without a code.
        let _ = self.0.socket.close_with_code(code);
        future::ready(())
    }
}
