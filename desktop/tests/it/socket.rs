//! A channel's socket, seen from a client.

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

use crate::server::{Computer, PATIENCE};

pub(crate) struct Socket(WebSocket<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// `query` follows the token.
    pub(crate) fn open(computer: &Computer<'_>, channel: &str, query: &str) -> Self {
        let show = computer.show();
        let instance = show["instance_id"].as_str().expect("it is a text");
        Self::open_at(
            computer,
            &format!("/desktops/{instance}/ws/{channel}?token={}{query}", computer.password()),
        )
    }

    pub(crate) fn open_at(computer: &Computer<'_>, path: &str) -> Self {
        let address = format!("{}{path}", computer.server.origin.replacen("http", "ws", 1));
        Self::open_with(address.into_client_request().expect("it is an address"))
    }

    /// As a browser that resolves `host` to this machine.
    pub(crate) fn open_by_host(computer: &Computer<'_>, host: &str, path: &str) -> Self {
        let address = format!("{}{path}", computer.server.origin.replacen("http", "ws", 1));
        let mut request = address.into_client_request().expect("it is an address");
        request.headers_mut().insert("host", host.parse().expect("it is a header's value"));
        Self::open_with(request)
    }

    fn open_with(request: Request) -> Self {
        let (socket, _) = connect(request).expect("every socket is accepted at first");
        let socket = Self(socket);
        socket.stream().set_read_timeout(Some(PATIENCE)).expect("it is not zero");
        socket
    }

    fn stream(&self) -> &TcpStream {
        match self.0.get_ref() {
            MaybeTlsStream::Plain(stream) => stream,
            _ => unreachable!("the server speaks plain HTTP"),
        }
    }

    /// Of the client's end.
    pub(crate) fn port(&self) -> u16 {
        self.stream().local_addr().expect("it is connected").port()
    }

    /// Has the kernel keep as little as it can of what the client does not read.
    pub(crate) fn keep_little_unread(&self) {
        set_socket_recv_buffer_size(self.stream(), 1).expect("the kernel takes the least that it has");
    }

    pub(crate) fn send(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).expect("the socket is open");
    }

    pub(crate) fn send_binary(&mut self, frame: &Value) {
        self.0.send(Message::binary(frame.to_string())).expect("the socket is open");
    }

    /// Another hand that writes, for another thread.
    pub(crate) fn writer(&self) -> Writer {
        let stream = self.stream().try_clone().expect("there is room for a descriptor");
        Writer(WebSocket::from_raw_socket(stream, Role::Client, None))
    }

    /// Ends the stream to the server, also for a writer.
    pub(crate) fn stop_sending(&self) {
        self.stream().shutdown(Shutdown::Write).expect("it is connected");
    }

    #[track_caller]
    pub(crate) fn message(&mut self) -> Message {
        self.0.read().expect("the server says something in time")
    }

    /// The next JSON frame.
    #[track_caller]
    pub(crate) fn frame(&mut self) -> Value {
        match self.message() {
            Message::Text(text) => serde_json::from_str(text.as_str()).expect("every text frame is JSON"),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// The next JSON frame; `None` if it does not come in time, or the socket closes.
    pub(crate) fn frame_before(&mut self, deadline: Instant) -> Option<Value> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.stream().set_read_timeout(Some(left.max(Duration::from_millis(1)))).expect("it is not zero");
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(text.as_str()).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The JSON frames before the next one of a type.
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

    /// The next JSON frame of a type; others are passed over.
    #[track_caller]
    pub(crate) fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The code that the server closes with; what comes before is passed over.
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
    /// Waits for room in the connection; `false` once it is closed.
    pub(crate) fn try_send(&mut self, frame: &Value) -> bool {
        self.0.send(Message::text(frame.to_string())).is_ok()
    }

    pub(crate) fn send(&mut self, frame: &Value) {
        assert!(self.try_send(frame), "the socket is open");
    }
}
