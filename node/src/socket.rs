//! WebSockets. The reading and the writing half share the socket on the I/O thread.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Uri;
use http::header::USER_AGENT;
use http::uri::{PathAndQuery, Scheme};
use orgo_core::channel::{ConnectFailure, MAX_MESSAGE_BYTES};
use orgo_core::client::address::SocketUrl;
use orgo_core::driver::{Message, Outgoing, SocketReader, SocketWriter};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::connect::{Connector, Stream, USER_AGENT_VALUE};
use crate::error::{BoxError, describe};
use crate::pooled::Pooled;

/// The size of the buffer for the frame header, in bytes, of which each socket has one. tungstenite clears the buffer
/// before each read, so a large one costs time as well as memory. [`Pooled`] reads larger blocks from the system.
const READ_BUFFER: usize = 4 << 10;
/// The time limit for closing a socket, including the wait for the server's close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<Pooled<Stream>>;
type Shared = Rc<RefCell<Socket>>;

/// The reading half of a socket.
pub(crate) struct Reader(Shared);

/// The writing half of a socket.
pub(crate) struct Writer(Shared);

/// Opens a socket.
pub(crate) async fn connect(
    connector: Connector,
    url: SocketUrl,
) -> Result<(Reader, Writer), ConnectFailure> {
    let failed = |error: &BoxError| ConnectFailure { status: None, message: describe(&**error) };
    let uri: Uri = url.expose().parse().map_err(|error: http::uri::InvalidUri| failed(&error.into()))?;
    let stream = connector.tunnel(origin(&uri).map_err(|error| failed(&error))?).await;
    let stream = stream.map_err(|error| failed(&error))?;
    let socket = handshake(uri, stream).await.map_err(|error| match error {
        Error::Http(response) => ConnectFailure {
            status: Some(response.status().as_u16()),
            message: format!("the server responded with {}", response.status()),
        },
        error => failed(&error.into()),
    })?;
    let socket = Rc::new(RefCell::new(socket));
    Ok((Reader(Rc::clone(&socket)), Writer(socket)))
}

/// Returns the server of a WebSocket URL, as an `http` or `https` URL without secrets.
fn origin(uri: &Uri) -> Result<Uri, BoxError> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(if uri.scheme_str() == Some("wss") { Scheme::HTTPS } else { Scheme::HTTP });
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Ok(Uri::from_parts(parts)?)
}

async fn handshake(uri: Uri, stream: Stream) -> Result<Socket, Error> {
    let mut request = uri.into_client_request()?;
    request.headers_mut().insert(USER_AGENT, http::HeaderValue::from_static(USER_AGENT_VALUE));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let (socket, _) = client_async_with_config(request, Pooled::new(stream), Some(config)).await?;
    Ok(socket)
}

impl Reader {
    fn poll_message(&self, context: &mut Context<'_>) -> Poll<Option<Result<tungstenite::Message, Error>>> {
        self.0.borrow_mut().poll_next_unpin(context)
    }
}

impl SocketReader for Reader {
    type Text = Utf8Bytes;
    type Binary = Bytes;

    fn defer(&mut self, deferred: bool) {
        self.0.borrow_mut().get_mut().get_mut().defer(deferred);
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Message<Utf8Bytes, Bytes>> {
        loop {
            return Poll::Ready(match ready!(self.poll_message(context)) {
                Some(Ok(tungstenite::Message::Text(text))) => Message::Text(text),
                Some(Ok(tungstenite::Message::Binary(bytes))) => Message::Binary(bytes),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    // Replies to the close frame by reading once more. Does not wait for the server to close the
                    // connection.
                    let _ = self.poll_message(context);
                    closed(frame)
                }
                Some(Ok(_)) => continue,
                Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => Message::too_large(),
                Some(Err(error)) => lost(describe(&error)),
                None => lost(String::new()),
            });
        }
    }
}

fn closed(frame: Option<CloseFrame>) -> Message<Utf8Bytes, Bytes> {
    // tungstenite replaces a code that no close frame may contain by this frame. Browsers report 1006.
    let frame = match frame {
        Some(frame) if frame.code == CloseCode::Protocol && frame.reason.as_str() == "Protocol violation" => {
            return lost(String::new());
        }
        frame => frame,
    };
    // As in browsers, 1005 means a close frame without a code.
    frame.map_or(Message::Closed { code: 1005, reason: String::new() }, |frame| Message::Closed {
        code: frame.code.into(),
        reason: frame.reason.as_str().to_owned(),
    })
}

fn lost(reason: String) -> Message<Utf8Bytes, Bytes> {
    Message::Closed { code: 1006, reason }
}

impl Writer {
    async fn write(&self, message: tungstenite::Message) -> Result<(), Error> {
        let Self(socket) = self;
        poll_fn(|context| socket.borrow_mut().poll_ready_unpin(context)).await?;
        socket.borrow_mut().start_send_unpin(message)?;
        poll_fn(|context| socket.borrow_mut().poll_flush_unpin(context)).await
    }
}

impl SocketWriter for Writer {
    async fn send(&mut self, message: Outgoing) {
        let message = match message {
            Outgoing::Text(text) => tungstenite::Message::text(text),
            Outgoing::Binary(bytes) => tungstenite::Message::binary(bytes),
        };
        // The reader reports the same failure.
        let _ = self.write(message).await;
    }

    async fn close(self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let close = async {
            if self.write(tungstenite::Message::Close(Some(frame))).await.is_ok() {
                let reader = Reader(self.0);
                while let Some(Ok(_)) = poll_fn(|context| reader.poll_message(context)).await {}
            }
        };
        // A server that does not reply must not keep the socket open or the process alive.
        let _ = timeout(CLOSE_LIMIT, close).await;
    }
}
