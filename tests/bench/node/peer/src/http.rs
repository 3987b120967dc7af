//! The part of HTTP/1.1 that the clients of the benchmark use.

use std::io;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use crate::socket;

/// The size of the screenshot, in pixels. Random colors cannot be compressed, so the image has 900 kB.
const SCREENSHOT_SIZE: (u32, u32) = (640, 470);
const CHUNK: usize = 256 << 10;

static SCREENSHOT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (width, height) = SCREENSHOT_SIZE;
    let mut state = 1_u32;
    let mut colors = Vec::new();
    colors.resize_with((width * height * 3) as usize, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let mut image = Vec::new();
    let mut encoder = png::Encoder::new(&mut image, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&colors));
    // Writing to memory does not fail.
    written.unwrap_or_default();
    let encoded = STANDARD.encode(image);
    json(&format!(r#"{{"image":"data:image/png;base64,{encoded}","width":{width},"height":{height}}}"#))
});

/// The response to the preflight request of a page, which the browser asks for once.
const PREFLIGHT: &str = "HTTP/1.1 204 No Content\r\naccess-control-allow-origin: *\r\n\
    access-control-allow-methods: *\r\naccess-control-allow-headers: authorization, *\r\n\
    access-control-max-age: 7200\r\n\r\n";

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Serves the requests of a connection until the client closes it.
pub(crate) async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(16 << 10);
    loop {
        let Some(request) = read_head(&mut stream, &mut buffer).await? else { return Ok(()) };
        if let Some(key) = request.header("sec-websocket-key") {
            let accept = derive_accept_key(key.as_bytes());
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            return socket::serve(stream, buffer, &request.path).await;
        }
        if request.method == "OPTIONS" {
            stream.write_all(PREFLIGHT.as_bytes()).await?;
            continue;
        }
        discard_body(&mut stream, &mut buffer, &request).await?;
        respond(&mut stream, &request).await?;
    }
}

async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|part| part == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Ok(Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers }))
}

async fn discard_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &Request) -> io::Result<()> {
    if request.header("transfer-encoding").is_some() {
        while !buffer.ends_with(b"0\r\n\r\n") {
            if buffer.len() > CHUNK {
                buffer.drain(..buffer.len() - 8);
            }
            if stream.read_buf(buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        buffer.clear();
        return Ok(());
    }
    let mut left: usize =
        request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let ready = left.min(buffer.len());
    buffer.drain(..ready);
    left -= ready;
    let mut chunk = vec![0; CHUNK.min(left)];
    while left > 0 {
        let room = left.min(CHUNK);
        match stream.read(&mut chunk[..room]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => left -= count,
        }
    }
    Ok(())
}

async fn respond(stream: &mut TcpStream, Request { path, query, .. }: &Request) -> io::Result<()> {
    let file = r#"{"id":"f1","filename":"a.bin","size_bytes":1,"content_type":"application/octet-stream"}"#;
    match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["blob", bytes] => return send_blob(stream, bytes.parse().unwrap_or(0)).await,
        ["api", "computers", _, "screenshot"] => stream.write_all(&SCREENSHOT).await,
        ["api", "files", "upload"] => stream.write_all(&json(&format!(r#"{{"file":{file}}}"#))).await,
        ["api", "files", "download"] => {
            let size = query.trim_start_matches("id=f");
            stream.write_all(&json(&format!(r#"{{"url":"/blob/{size}"}}"#))).await
        }
        ["api", "computers", _, "vnc-password"] => stream.write_all(&json(r#"{"password":"pass"}"#)).await,
        ["api", "computers", id] => {
            let computer = format!(r#"{{"id":"{id}","name":"bench","status":"running"}}"#);
            stream.write_all(&json(&computer)).await
        }
        _ => stream.write_all(&json(r#"{"success":true}"#)).await,
    }
}

async fn send_blob(stream: &mut TcpStream, mut left: usize) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {left}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let chunk = vec![7; CHUNK];
    while left > 0 {
        let count = left.min(CHUNK);
        stream.write_all(&chunk[..count]).await?;
        left -= count;
    }
    Ok(())
}

fn json(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
