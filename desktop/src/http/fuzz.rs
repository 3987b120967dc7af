//! Fuzz targets that pass arbitrary bytes to the server, as a connection and as the body of each call.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::response::IntoResponse as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split};
use tokio::runtime::{self, Runtime};
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tower_http::normalize_path::NormalizePathLayer;

use crate::app::{Admission, ApiError, App, read};
use crate::computer::{Fleet, Homes, Isolation, RuntimeDir, Spawner, Users};
use crate::files::{Contents, LinkSigner};
use crate::store::Store;
use crate::stream::Connections;

use super::serve::{Endpoints, serve_connection};
use super::{actions, commands, computers, files, router, streaming, workspaces};

/// The API key that the inputs in the corpus contain.
const KEY: &str = "sk_live_fuzz";

/// The number of connections after which a new server replaces the current one. The accumulated data of more
/// connections would slow the server down.
const CONNECTIONS_PER_SERVER: u32 = 500;

/// A complete server without a listener. No input can name one of its workspaces, because their ids are not
/// predictable, so no computer starts.
struct TestServer {
    runtime: Runtime,
    app: Arc<App>,
    connections_left: u32,
    _folder: TempDir,
}

impl TestServer {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("/tmp is writable");
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().expect("the runtime starts");
        let app = runtime.block_on(async {
            let store =
                Arc::new(Store::open(&folder.path().join("orgo.db")).expect("the directory is empty"));
            let contents =
                Arc::new(Contents::open(folder.path(), &HashSet::new()).expect("the directory is writable"));
            let fleet = Fleet::new(
                Arc::clone(&store),
                Arc::clone(&contents),
                Homes::open(folder.path().to_owned(), Users::detect(), Isolation::Box)
                    .expect("the folder exists"),
                RuntimeDir::create().expect("/run or /tmp is writable"),
                Spawner::start().expect("a thread starts"),
            );
            let link_signer = LinkSigner::new("link-key".to_owned().into());
            let connections = Connections::new(folder.path());
            let admission = Admission::new(&[], false).expect("an empty list is valid");
            App {
                store,
                fleet,
                contents,
                link_signer,
                connections,
                api_key: KEY.to_owned().into(),
                admission,
            }
        });
        Self { runtime, app: Arc::new(app), connections_left: CONNECTIONS_PER_SERVER, _folder: folder }
    }

    /// Returns the server's responses to these bytes.
    fn responses_to(&self, bytes: &[u8]) -> Vec<u8> {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 8800));
        let service = NormalizePathLayer::trim_trailing_slash().layer(router(Arc::clone(&self.app)));
        self.runtime.block_on(async {
            let (client, server) = duplex(1 << 16);
            let serving = tokio::spawn(serve_connection(
                server,
                Endpoints { local, peer: local },
                service,
                CancellationToken::new(),
            ));
            let (mut reader, mut writer) = split(client);
            let mut response = Vec::new();
            let sending = async {
                // The server may close the connection before it has read all bytes.
                let _ = writer.write_all(bytes).await;
                let _ = writer.shutdown().await;
            };
            let receiving = async { reader.read_to_end(&mut response).await };
            tokio::join!(sending, receiving).1.expect("memory can be read");
            serving.await.expect("the server does not panic");
            response
        })
    }
}

/// Sends the bytes over one connection. Panics if a response is not valid or contains the API key.
pub(crate) fn connection(data: &[u8]) {
    thread_local!(static SERVER: RefCell<Option<TestServer>> = const { RefCell::new(None) });
    let response = SERVER.with_borrow_mut(|server| {
        let server = match server {
            Some(server) if server.connections_left > 0 => server,
            server => server.insert(TestServer::new()),
        };
        server.connections_left -= 1;
        server.responses_to(data)
    });
    let text = String::from_utf8_lossy(&response);
    assert!(!text.contains(KEY), "a response contains the key: {text}");
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        assert!(text.is_empty(), "a response has no header: {text}");
        return;
    };
    let version = head.get(.."HTTP/1.1 ".len()).expect("a version");
    assert!(["HTTP/1.1 ", "HTTP/1.0 "].contains(&version), "{head}");
    let status = head[version.len()..].get(..3).expect("a status").to_owned();
    assert!(!status.starts_with('5'), "the server failed: {text}");
    if data.starts_with(b"HEAD") || !head.contains("content-type: application/json") {
        return;
    }
    // Another response may follow.
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .expect("a response has a content-length");
    let body: Value = serde_json::from_slice(&body.as_bytes()[..length]).expect("a response is JSON");
    if status.starts_with('4') {
        assert!(
            body["error"].is_string() && body["request_id"].is_string(),
            "an error response has no error or request_id: {body}"
        );
    }
}

/// Parses the bytes as the body of a call. Panics if the result is neither a valid value nor a client error.
pub(crate) fn body(data: &[u8]) {
    let Some((call, json)) = data.split_first() else { return };
    let error = match call % 12 {
        0 => read::<actions::Click>(json).err(),
        1 => read::<actions::Drag>(json).err(),
        2 => read::<actions::Type>(json).err(),
        3 => read::<actions::Key>(json).err(),
        4 => read::<actions::Scroll>(json).err(),
        5 => read::<actions::Wait>(json).err(),
        6 => read::<commands::Bash>(json).err(),
        7 => read::<commands::Exec>(json).err(),
        8 => read::<streaming::Start>(json).err(),
        9 => read::<files::Export>(json).err(),
        10 => read::<computers::CreateRequest>(json).and_then(computers::CreateRequest::validate).err(),
        _ => read::<workspaces::NewWorkspace>(json).err(),
    };
    if let Some(error) = error {
        let status = ApiError::into_response(error).status();
        assert!(status.is_client_error(), "an invalid body must be a client error: {status}");
    }
}
