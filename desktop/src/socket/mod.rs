//! The WebSocket channels: terminal, audio, events and screen.
//!
//! If the token is wrong or the computer does not exist, the server accepts the WebSocket connection and then closes it
//! with a close code. The protocol requires this, because a web page cannot read the HTTP status of a failed upgrade.

mod audio;
mod close;
mod events;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod outbox;
mod screen;
mod terminal;
mod utf8;

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::app::{ApiError, App, QueryParams, bearer, without_port};
use crate::computer::Machine;

use close::CloseCode;

/// The maximum size of a client's message in bytes. A long paste into a terminal fits in one message.
const MAX_MESSAGE_SIZE: usize = 1024 * 1024;

/// Returns the routes of both protocol generations. In the older generation, the first label of the host name
/// (`5b90e2c7.localhost`) is the computer's id. In the newer generation, the id is part of the path.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/desktops/{id}/ws/{channel}", get(by_path))
        .route("/terminal", get(by_host))
        .route("/audio", get(by_host))
        .route("/events", get(by_host))
        .route("/websockify", get(by_host))
}

#[derive(Clone, Copy, Debug)]
enum Channel {
    Terminal,
    Audio,
    Events,
    Screen,
}

impl Channel {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "terminal" => Some(Self::Terminal),
            "audio" => Some(Self::Audio),
            "events" => Some(Self::Events),
            "websockify" => Some(Self::Screen),
            _ => None,
        }
    }
}

/// The query parameters of all channels.
#[derive(Debug, Deserialize)]
struct Query {
    token: Option<String>,
    cols: Option<u16>,
    rows: Option<u16>,
    sample_rate: Option<u32>,
    channels: Option<u16>,
    /// Whether the input of a viewer of the screen is removed: `1` or `true`.
    view_only: Option<String>,
}

async fn by_path(
    State(app): State<Arc<App>>,
    Path((id, channel)): Path<(String, String)>,
    options: Result<QueryParams<Query>, ApiError>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    open(app, &id, &channel, options, &headers, request).await
}

async fn by_host(
    State(app): State<Arc<App>>,
    options: Result<QueryParams<Query>, ApiError>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (id, _) = without_port(host).split_once('.').unwrap_or_default();
    let channel = request.uri().path().trim_start_matches('/').to_owned();
    open(app, id, &channel, options, &headers, request).await
}

async fn open(
    app: Arc<App>,
    id: &str,
    channel: &str,
    options: Result<QueryParams<Query>, ApiError>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let channel = Channel::from_name(channel).ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "Unknown channel: must be terminal, audio, events or websockify")
    })?;
    let QueryParams(query) = options?;
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app).await.map_err(|_| {
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "This address accepts only WebSocket connections")
    })?;
    let token = query.token.as_deref().or_else(|| bearer(headers)).map(str::to_owned);
    let authorized = authorize(&app, id, channel, token.as_deref()).await;
    Ok(upgrade
        .max_message_size(MAX_MESSAGE_SIZE)
        .max_frame_size(MAX_MESSAGE_SIZE)
        // Some viewers of the screen offer this subprotocol, and disconnect if the server does not select it.
        .protocols(["binary"])
        .on_upgrade(move |socket| async move {
            match authorized {
                Ok(machine) => run(channel, socket, &app, machine, &query).await,
                Err(code) => close::close(socket, code).await,
            }
        })
        .into_response())
}

async fn authorize(
    app: &App,
    id: &str,
    channel: Channel,
    token: Option<&str>,
) -> Result<Arc<Machine>, CloseCode> {
    let computer = app.store.computer(id).ok().flatten().ok_or(CloseCode::NotFound)?;
    // The proxy of the service closes the screen of a stopped computer with a separate code.
    let not_running =
        if matches!(channel, Channel::Screen) { CloseCode::NotRunning } else { CloseCode::NotFound };
    let machine = app.fleet.machine(&computer).await.ok_or(not_running)?;
    match token {
        Some(token) if machine.password().matches(token) => Ok(machine),
        _ => Err(CloseCode::Unauthorized),
    }
}

async fn run(channel: Channel, socket: WebSocket, app: &App, machine: Arc<Machine>, query: &Query) {
    match channel {
        Channel::Terminal => terminal::run(socket, &machine, query.cols, query.rows).await,
        Channel::Audio => audio::run(socket, &machine, query.sample_rate, query.channels).await,
        Channel::Events => events::run(socket, machine).await,
        Channel::Screen => {
            let view_only = query.view_only.as_deref().is_some_and(|value| matches!(value, "1" | "true"));
            screen::run(socket, &machine, view_only, || app.fleet.is_shutting_down()).await;
        }
    }
}
