//! Screenshots, pointer and keyboard input, and `wait`.

use std::sync::Arc;
use std::time::Duration;

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
use crate::screen::{self, ImageFormat, Screen, ScreenError};
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

/// The longest drag and the longest wait.
const LONGEST: f64 = 60.0;
const LONGEST_SCROLL: i32 = 1000;

/// Runs `work` with the screen. A long one is given up when the computer stops or its client leaves.
async fn on_screen<T: Send + 'static>(
    machine: &Machine,
    access: ScreenAccess,
    work: impl FnOnce(&Screen, &CancellationToken) -> Result<T, ScreenError> + Send + 'static,
) -> Result<T, ApiError> {
    let abandoned = machine.stopping().child_token();
    let _unless_it_waits = abandoned.clone().drop_guard();
    match machine.on_screen(access, move |screen| work(screen, &abandoned)).await {
        Ok(done) => Ok(done?),
        Err(panicked) => Err(ApiError::internal(panicked)),
    }
}

fn done(action: &str, details: &Value) -> Json<Value> {
    Json(json!({ "success": true, "action": action, "details": details }))
}

fn seconds(field: &str, value: f64) -> Result<Duration, ApiError> {
    if (0.0..=LONGEST).contains(&value) {
        return Ok(Duration::from_secs_f64(value));
    }
    Err(ApiError::bad_request(format!("{field}: must be 0 to {LONGEST} seconds")))
}

/// How a screenshot is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct ScreenshotOptions {
    #[serde(default)]
    response_format: ResponseFormat,
    #[serde(default)]
    format: PictureFormat,
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

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PictureFormat {
    #[default]
    Png,
    #[serde(alias = "jpg")]
    Jpeg,
}

impl PictureFormat {
    fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
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
    let format = match options.format {
        PictureFormat::Png => ImageFormat::Png,
        PictureFormat::Jpeg => ImageFormat::Jpeg,
    };
    // A computer that has just started shows its wallpaper and its panel in a moment.
    machine.drawn().await;
    let image =
        on_screen(machine, ScreenAccess::View, move |screen, _| screen.screenshot(format, scale)).await?;
    Ok(match options.response_format {
        ResponseFormat::Binary => ([(CONTENT_TYPE, image.mime_type)], image.bytes.clone()).into_response(),
        ResponseFormat::Url => {
            let name = app.contents.keep_screenshot(&image.bytes, options.format.extension()).await?;
            // Without `mime_type`, by which the official client tells a picture from an address.
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

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Button {
    #[default]
    Left,
    Middle,
    Right,
}

impl Button {
    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Middle => "middle",
            Self::Right => "right",
        }
    }
}

impl From<Button> for screen::Button {
    fn from(button: Button) -> Self {
        match button {
            Button::Left => Self::Left,
            Button::Middle => Self::Middle,
            Button::Right => Self::Right,
        }
    }
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
    on_screen(&machine, ScreenAccess::Input, move |screen, _| screen.click(x, y, button.into(), double))
        .await?;
    let action = if double { "double_click" } else { "click" };
    Ok(done(action, &json!({ "x": x, "y": y, "button": button.name(), "double": double })))
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
    let duration = seconds("duration", duration.unwrap_or(0.5))?;
    on_screen(&machine, ScreenAccess::Input, move |screen, abandoned| {
        screen.drag((start_x, start_y), (end_x, end_y), button.into(), duration, abandoned)
    })
    .await?;
    let details = json!({
        "start_x": start_x, "start_y": start_y, "end_x": end_x, "end_y": end_y,
        "button": button.name(), "duration": duration.as_secs_f64(),
    });
    Ok(done("drag", &details))
}

#[derive(Debug, Deserialize)]
pub(super) struct Type {
    text: String,
    delay_ms: Option<u64>,
}

async fn type_text(Live(machine): Live, Body(input): Body<Type>) -> Result<Json<Value>, ApiError> {
    let Type { text, delay_ms } = input;
    if delay_ms.is_some_and(|delay| delay > 1000) {
        return Err(ApiError::bad_request("delay_ms: must be 0 to 1000"));
    }
    let length = text.chars().count();
    let delay = delay_ms.filter(|&delay| delay > 0).map(Duration::from_millis);
    let left_out = on_screen(&machine, ScreenAccess::Input, move |screen, abandoned| {
        screen.type_text(&text, delay, abandoned)
    })
    .await?;
    let mut details = json!({ "text_length": length });
    if !left_out.is_empty() {
        details["left_out"] = json!({ "count": left_out.len(), "characters": code_points(left_out) });
    }
    Ok(done("type", &details))
}

/// The distinct characters as code points, for example `U+000C`.
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
    Ok(done("key_press", &json!({ "key": key })))
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Up,
    Down,
    Left,
    Right,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

impl From<Direction> for screen::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Up,
            Direction::Down => Self::Down,
            Direction::Left => Self::Left,
            Direction::Right => Self::Right,
        }
    }
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
    let steps = u32::try_from(amount).ok().filter(|_| (1..=LONGEST_SCROLL).contains(&amount));
    let steps =
        steps.ok_or_else(|| ApiError::bad_request(format!("amount: must be 1 to {LONGEST_SCROLL}")))?;
    // The service takes a missing one of the two as 0.
    let at = match (scroll.x, scroll.y) {
        (None, None) => None,
        (x, y) => Some((x.unwrap_or(0), y.unwrap_or(0))),
    };
    on_screen(&machine, ScreenAccess::Input, move |screen, _| screen.scroll(direction.into(), steps, at))
        .await?;
    Ok(done("scroll", &json!({ "direction": direction.name(), "amount": amount })))
}

/// API versions use different names for the same parameter. Some clients send both.
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
    let pause = seconds(field, value)?;
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(Json(json!({ "success": true, "action": "wait" }))),
        () = machine.stopping().cancelled() => Err(ApiError::not_running()),
    }
}
