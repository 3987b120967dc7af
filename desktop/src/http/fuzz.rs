//! Any bytes as a connection to the server, and as the body of each call.

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
use crate::files::{Contents, Linker};
use crate::store::Store;
use crate::stream::Connections;

use super::serve::{Ends, speak};
use super::{actions, commands, computers, files, router, streaming, workspaces};

/// What the kept inputs call with.
const KEY: &str = "sk_live_fuzz";

/// A server lives for so many connections: what they leave in its data would make it slower and slower.
const CONNECTIONS: u32 = 500;

/// A whole server, except that it listens nowhere. It has no workspace whose id could be guessed, so no computer
/// starts.
struct Stage {
    runtime: Runtime,
    app: Arc<App>,
    left: u32,
    _folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let app = runtime.block_on(async {
            let store = Arc::new(Store::open(&folder.path().join("orgo.db")).expect("the data is new"));
            let contents =
                Arc::new(Contents::open(folder.path(), &HashSet::new()).expect("the folder is ours"));
            let fleet = Fleet::new(
                Arc::clone(&store),
                Arc::clone(&contents),
                Homes::open(folder.path().to_owned(), Users::detect(), Isolation::Box)
                    .expect("the folder is there"),
                RuntimeDir::create().expect("there is room for a folder"),
                Spawner::start().expect("a thread starts"),
            );
            let linker = Linker::new("link-key".to_owned().into());
            let connections = Connections::new(folder.path());
            let admission = Admission::new(&[], false).expect("there are no origins");
            App { store, fleet, contents, linker, connections, api_key: KEY.to_owned().into(), admission }
        });
        Self { runtime, app: Arc::new(app), left: CONNECTIONS, _folder: folder }
    }

    /// What the server answers to these bytes.
    fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 8800));
        let service = NormalizePathLayer::trim_trailing_slash().layer(router(Arc::clone(&self.app)));
        self.runtime.block_on(async {
            let (client, server) = duplex(1 << 16);
            let serving =
                tokio::spawn(speak(server, Ends { own, peer: own }, service, CancellationToken::new()));
            let (mut reader, mut writer) = split(client);
            let mut answer = Vec::new();
            let asking = async {
                // An error means that the server has heard enough.
                let _ = writer.write_all(bytes).await;
                let _ = writer.shutdown().await;
            };
            let hearing = async { reader.read_to_end(&mut answer).await };
            tokio::join!(asking, hearing).1.expect("memory can be read");
            serving.await.expect("the server does not panic");
            answer
        })
    }
}

/// Any bytes on a connection get answers, each of which is a proper one and shows no key.
pub(crate) fn connection(data: &[u8]) {
    thread_local!(static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) });
    let answer = STAGE.with_borrow_mut(|stage| {
        let stage = match stage {
            Some(stage) if stage.left > 0 => stage,
            stage => stage.insert(Stage::new()),
        };
        stage.left -= 1;
        stage.answer(data)
    });
    let text = String::from_utf8_lossy(&answer);
    assert!(!text.contains(KEY), "no answer shows the key: {text}");
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        assert!(text.is_empty(), "an answer has a head: {text}");
        return;
    };
    let version = head.get(.."HTTP/1.1 ".len()).expect("a version");
    assert!(["HTTP/1.1 ", "HTTP/1.0 "].contains(&version), "{head}");
    let status = head[version.len()..].get(..3).expect("a status").to_owned();
    assert!(!status.starts_with('5'), "a request is to blame, not the server: {text}");
    if data.starts_with(b"HEAD") || !head.contains("content-type: application/json") {
        return;
    }
    // Another answer may follow.
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .expect("an answer says its length");
    let body: Value = serde_json::from_slice(&body.as_bytes()[..length]).expect("an answer is JSON");
    if status.starts_with('4') {
        assert!(
            body["error"].is_string() && body["request_id"].is_string(),
            "a refusal explains itself: {body}"
        );
    }
}

/// Any body of a call is taken or refused, never more.
pub(crate) fn body(data: &[u8]) {
    let Some((call, json)) = data.split_first() else { return };
    let refusal = match call % 12 {
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
        10 => read::<computers::Creation>(json).and_then(computers::Creation::check).err(),
        _ => read::<workspaces::NewWorkspace>(json).err(),
    };
    if let Some(refusal) = refusal {
        let status = ApiError::into_response(refusal).status();
        assert!(status.is_client_error(), "the body is to blame: {status}");
    }
}
