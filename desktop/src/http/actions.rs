//! Screenshots, pointer and keyboard input, and `wait`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::app::{ApiError, App, Body, QueryParams, integer, optional_integer};
use crate::computer::{Machine, ScreenAccess};
use crate::screen::{
    ActionDuration, Button, Direction, ImageFormat, Screen, ScreenError, TypingDelay, WheelClicks,
};
use crate::timestamp;

use super::storage;
use super::target::Live;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/computers/{id}/screenshot", get(screenshot))
        .route("/computers/{id}/click", post(click))
        .route("/computers/{id}/drag", post(drag))
        .route("/computers/{id}/type", post(type_text))
        .route("/computers/{id}/key", post(key))
        .route("/computers/{id}/scroll", post(scroll))
        .route("/computers/{id}/wait", post(wait))
}

/// Runs `work` with the screen. Cancels it if the computer stops or the client disconnects.
async fn on_screen<T: Send + 'static>(
    machine: &Machine,
    access: ScreenAccess,
    work: impl FnOnce(&Screen, &CancellationToken) -> Result<T, ScreenError> + Send + 'static,
) -> Result<T, ApiError> {
    let canceled = machine.stopping().child_token();
    let _cancel_on_drop = canceled.clone().drop_guard();
    match machine.on_screen(access, move |screen| work(screen, &canceled)).await {
        Ok(result) => Ok(result?),
        Err(panicked) => Err(ApiError::internal(panicked)),
    }
}

fn action_response(action: &str, details: &Value) -> Json<Value> {
    Json(json!({ "success": true, "action": action, "details": details }))
}

/// The query parameters of a screenshot.
#[derive(Debug, Deserialize)]
pub(super) struct ScreenshotOptions {
    #[serde(default)]
    response_format: ResponseFormat,
    #[serde(default)]
    format: ImageFormat,
    scale: Option<f32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ResponseFormat {
    #[default]
    Base64,
    Url,
    Binary,
}

async fn screenshot(
    State(app): State<Arc<App>>,
    Live(machine): Live,
    QueryParams(options): QueryParams<ScreenshotOptions>,
) -> Result<Response, ApiError> {
    screenshot_response(&app, &machine, &options).await
}

/// Takes a screenshot and returns the response in the requested format.
pub(super) async fn screenshot_response(
    app: &App,
    machine: &Machine,
    options: &ScreenshotOptions,
) -> Result<Response, ApiError> {
    let scale = options.scale;
    let format = options.format;
    // The wallpaper and the panel appear only some time after the start of the computer.
    machine.drawn().await;
    let image =
        on_screen(machine, ScreenAccess::View, move |screen, _| screen.screenshot(format, scale)).await?;
    Ok(match options.response_format {
        ResponseFormat::Binary => ([(CONTENT_TYPE, image.mime_type)], image.bytes.clone()).into_response(),
        ResponseFormat::Url => {
            let name = app.contents.store_screenshot(&image.bytes, format.extension()).await?;
            // The response has no `mime_type`: if it did, the official client would read it as an image, not as a URL.
            Json(json!({
                "success": true,
                "image": storage::link_to_screenshot(app, &name),
                "metadata": {
                    "id": name.split('.').next(),
                    "timestamp": timestamp::seconds(),
                    "size": image.bytes.len(),
                    "storage_path": format!("screenshots/{name}"),
                },
            }))
            .into_response()
        }
        ResponseFormat::Base64 => Json(json!({
            "success": true,
            "image": BASE64.encode(&image.bytes),
            "mime_type": image.mime_type,
            "width": image.width,
            "height": image.height,
        }))
        .into_response(),
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Click {
    #[serde(deserialize_with = "integer")]
    x: i32,
    #[serde(deserialize_with = "integer")]
    y: i32,
    #[serde(default)]
    button: Button,
    #[serde(default)]
    double: bool,
}

async fn click(Live(machine): Live, Body(click): Body<Click>) -> Result<Json<Value>, ApiError> {
    let Click { x, y, button, double } = click;
    on_screen(&machine, ScreenAccess::Input, move |screen, _| screen.click(x, y, button, double)).await?;
    let action = if double { "double_click" } else { "click" };
    Ok(action_response(action, &json!({ "x": x, "y": y, "button": button, "double": double })))
}

#[derive(Debug, Deserialize)]
pub(super) struct Drag {
    #[serde(deserialize_with = "integer")]
    start_x: i32,
    #[serde(deserialize_with = "integer")]
    start_y: i32,
    #[serde(deserialize_with = "integer")]
    end_x: i32,
    #[serde(deserialize_with = "integer")]
    end_y: i32,
    #[serde(default)]
    button: Button,
    duration: Option<f64>,
}

async fn drag(Live(machine): Live, Body(drag): Body<Drag>) -> Result<Json<Value>, ApiError> {
    let Drag { start_x, start_y, end_x, end_y, button, duration } = drag;
    let duration = ActionDuration::from_seconds("duration", duration.unwrap_or(0.5))?;
    on_screen(&machine, ScreenAccess::Input, move |screen, canceled| {
        screen.drag((start_x, start_y), (end_x, end_y), button, duration, canceled)
    })
    .await?;
    let details = json!({
        "start_x": start_x, "start_y": start_y, "end_x": end_x, "end_y": end_y,
        "button": button, "duration": duration.get().as_secs_f64(),
    });
    Ok(action_response("drag", &details))
}

#[derive(Debug, Deserialize)]
pub(super) struct Type {
    text: String,
    delay_ms: Option<u64>,
}

async fn type_text(Live(machine): Live, Body(input): Body<Type>) -> Result<Json<Value>, ApiError> {
    let Type { text, delay_ms } = input;
    let length = text.chars().count();
    let delay = delay_ms.filter(|&delay| delay > 0).map(TypingDelay::from_millis).transpose()?;
    let left_out = on_screen(&machine, ScreenAccess::Input, move |screen, canceled| {
        screen.type_text(&text, delay, canceled)
    })
    .await?;
    let mut details = json!({ "text_length": length });
    if !left_out.is_empty() {
        details["left_out"] = json!({ "count": left_out.len(), "characters": code_points(left_out) });
    }
    Ok(action_response("type", &details))
}

/// Returns the distinct characters as code points, for example `U+000C`.
fn code_points(mut characters: Vec<char>) -> Vec<String> {
    characters.sort_unstable();
    characters.dedup();
    characters.into_iter().map(|character| format!("U+{:04X}", u32::from(character))).collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    key: String,
}

async fn key(Live(machine): Live, Body(Key { key }): Body<Key>) -> Result<Json<Value>, ApiError> {
    let combo = key.clone();
    on_screen(&machine, ScreenAccess::Input, move |screen, _| screen.key(&combo)).await?;
    Ok(action_response("key_press", &json!({ "key": key })))
}

#[derive(Debug, Deserialize)]
pub(super) struct Scroll {
    direction: Direction,
    #[serde(default, deserialize_with = "optional_integer")]
    amount: Option<i32>,
    #[serde(default, deserialize_with = "optional_integer")]
    x: Option<i32>,
    #[serde(default, deserialize_with = "optional_integer")]
    y: Option<i32>,
}

async fn scroll(Live(machine): Live, Body(scroll): Body<Scroll>) -> Result<Json<Value>, ApiError> {
    let direction = scroll.direction;
    let amount = scroll.amount.unwrap_or(3);
    let clicks = WheelClicks::new(amount)?;
    // If only one coordinate is given, the hosted service uses 0 for the other.
    let at = match (scroll.x, scroll.y) {
        (None, None) => None,
        (x, y) => Some((x.unwrap_or(0), y.unwrap_or(0))),
    };
    on_screen(&machine, ScreenAccess::Input, move |screen, _| screen.scroll(direction, clicks, at)).await?;
    Ok(action_response("scroll", &json!({ "direction": direction, "amount": amount })))
}

/// The parameters of `wait`. API versions use different names for the same parameter, and some clients send both names.
#[derive(Debug, Deserialize)]
pub(super) struct Wait {
    duration: Option<f64>,
    seconds: Option<f64>,
}

async fn wait(
    State(_): State<Arc<App>>,
    Live(machine): Live,
    Body(wait): Body<Wait>,
) -> Result<Json<Value>, ApiError> {
    let (field, value) = match (wait.seconds, wait.duration) {
        (Some(value), _) => ("seconds", value),
        (None, Some(value)) => ("duration", value),
        (None, None) => return Err(ApiError::bad_request("duration is required")),
    };
    let pause = ActionDuration::from_seconds(field, value)?;
    tokio::select! {
        () = tokio::time::sleep(pause.get()) => Ok(Json(json!({ "success": true, "action": "wait" }))),
        () = machine.stopping().cancelled() => Err(ApiError::not_running()),
    }
}
