//! A client of a WebSocket channel.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::Value;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::Role;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

use crate::server::{Computer, TIMEOUT};

pub(crate) struct Socket(WebSocket<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects to a channel of a computer. Appends `query` to the URL after the token.
    pub(crate) fn open(computer: &Computer<'_>, channel: &str, query: &str) -> Self {
        let show = computer.show();
        let instance = show["instance_id"].as_str().expect("it is a string");
        Self::open_at(
            computer,
            &format!("/desktops/{instance}/ws/{channel}?token={}{query}", computer.password()),
        )
    }

    pub(crate) fn open_at(computer: &Computer<'_>, path: &str) -> Self {
        let address = format!("{}{path}", computer.server.origin.replacen("http", "ws", 1));
        Self::open_with(address.into_client_request().expect("it is an address"))
    }

    /// Connects with `host` in the Host header, like a browser that resolves `host` to this machine.
    pub(crate) fn open_by_host(computer: &Computer<'_>, host: &str, path: &str) -> Self {
        let address = format!("{}{path}", computer.server.origin.replacen("http", "ws", 1));
        let mut request = address.into_client_request().expect("it is an address");
        request.headers_mut().insert("host", host.parse().expect("it is a header's value"));
        Self::open_with(request)
    }

    fn open_with(request: Request) -> Self {
        let (socket, _) = connect(request).expect("the server accepts every socket at first");
        let socket = Self(socket);
        socket.stream().set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
        socket
    }

    fn stream(&self) -> &TcpStream {
        match self.0.get_ref() {
            MaybeTlsStream::Plain(stream) => stream,
            _ => unreachable!("the server speaks plain HTTP"),
        }
    }

    /// Returns the port of the client.
    pub(crate) fn port(&self) -> u16 {
        self.stream().local_addr().expect("it is connected").port()
    }

    /// Shrinks the kernel's receive buffer to its minimum.
    pub(crate) fn minimize_receive_buffer(&self) {
        set_socket_recv_buffer_size(self.stream(), 1).expect("the kernel raises the value to its minimum");
    }

    pub(crate) fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).expect("the socket is open");
    }

    pub(crate) fn send_binary(&mut self, frame: &Value) {
        self.0.send(Message::binary(frame.to_string())).expect("the socket is open");
    }

    pub(crate) fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.0.send(Message::binary(bytes)).expect("the socket is open");
    }

    /// Sends a message. Returns `false` if the connection is closed.
    pub(crate) fn try_send_bytes(&mut self, bytes: Vec<u8>) -> bool {
        self.0.send(Message::binary(bytes)).is_ok()
    }

    /// Returns the next message, or `None` if none arrives before the deadline.
    pub(crate) fn message_before(&mut self, deadline: Instant) -> Option<Message> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.stream()
            .set_read_timeout(Some(left.max(Duration::from_millis(1))))
            .expect("the timeout is not zero");
        match self.0.read() {
            Ok(message) => Some(message),
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                None
            }
            Err(error) => panic!("the socket ends without a close frame: {error}"),
        }
    }

    /// Returns a second handle of the socket, with which another thread can send.
    pub(crate) fn writer(&self) -> Writer {
        let stream = self.stream().try_clone().expect("descriptors are available");
        Writer(WebSocket::from_raw_socket(stream, Role::Client, None))
    }

    /// Closes the sending half of the connection. A [`Writer`] can then no longer send either.
    pub(crate) fn stop_sending(&self) {
        self.stream().shutdown(Shutdown::Write).expect("it is connected");
    }

    #[track_caller]
    pub(crate) fn message(&mut self) -> Message {
        self.0.read().expect("the server sends a message in time")
    }

    /// Returns the next JSON frame.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Value {
        match self.message() {
            Message::Text(text) => serde_json::from_str(text.as_str()).expect("every text frame is JSON"),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// Returns the next JSON frame. Returns `None` if no frame arrives before the deadline, or if the socket closes.
    pub(crate) fn frame_before(&mut self, deadline: Instant) -> Option<Value> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.stream()
                .set_read_timeout(Some(left.max(Duration::from_millis(1))))
                .expect("the timeout is not zero");
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(text.as_str()).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Returns all JSON frames before the next frame of this type.
    #[track_caller]
    pub(crate) fn frames_until(&mut self, kind: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame();
            if frame["type"] == kind {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Waits for the next JSON frame of this type and returns it. Skips other frames.
    #[track_caller]
    pub(crate) fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Waits until the server closes the socket, and returns the close code. Skips other messages.
    #[track_caller]
    pub(crate) fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.message() {
                return frame.map_or(CloseCode::Status, |frame| frame.code).into();
            }
        }
    }
}

pub(crate) struct Writer(WebSocket<TcpStream>);

impl Writer {
    /// Waits until the connection accepts the frame. Returns `false` if the connection is closed.
    pub(crate) fn try_send(&mut self, frame: &Value) -> bool {
        self.0.send(Message::text(frame.to_string())).is_ok()
    }

    pub(crate) fn send(&mut self, frame: &Value) {
        assert!(self.try_send(frame), "the socket is open");
    }
}
