//! The server of the benchmark. It prints its port, and runs until its stdin ends.
//!
//! | request | response |
//! |---|---|
//! | `OPTIONS`, any path | the permission for pages of any origin |
//! | `POST /api/computers/ID/click` | a click result |
//! | `GET /api/computers/ID/screenshot` | a screenshot of 900 kB in base64 |
//! | `POST /api/files/upload` | a file, after the body was read |
//! | `GET /api/files/download?id=fBYTES`, `GET /blob/BYTES` | a link, and a file of this size |
//! | `GET /ws/COUNT/SIZE/RATE/ID/KIND` | a WebSocket: `COUNT` messages of `SIZE` bytes, `RATE` per second (0: no limit) |
//!
//! A terminal or an event channel starts to send when it receives a message with `input` or `subscribe`, an audio
//! channel at once.

mod frames;
mod http;
mod socket;

use std::io::Read as _;

use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        // A pipe ends when the process at its other end ends.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // The client has closed the connection.
            let _ = http::serve(stream).await;
        });
    }
}
