//! Reports window, clipboard, screen size and user activity events. The X server detects them.

use std::sync::Arc;

use serde_json::json;

use crate::computer::Machine;
use crate::screen::{ScreenEvent, Watch};

use super::queue::Queue;
use super::{Event, EventType};

pub(super) const TYPES: &[EventType] = &[
    EventType::Active,
    EventType::Clipboard,
    EventType::Idle,
    EventType::ScreenChange,
    EventType::WindowClose,
    EventType::WindowFocus,
    EventType::WindowOpen,
];

pub(super) async fn watch(machine: &Machine, queue: Arc<Queue>) -> Result<Watch, String> {
    let screen = Arc::clone(machine.screen());
    // Runs on a blocking thread, because `watch` waits for replies of the X server.
    let opened =
        tokio::task::spawn_blocking(move || screen.watch(move |event| queue.push(describe(event)))).await;
    opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn describe(event: ScreenEvent) -> Event {
    let (kind, data) = match event {
        ScreenEvent::WindowFocus { window_id, title } => {
            (EventType::WindowFocus, json!({ "window_id": window_id, "title": title }))
        }
        ScreenEvent::WindowOpen { window_id, title } => {
            (EventType::WindowOpen, json!({ "window_id": window_id, "title": title }))
        }
        ScreenEvent::WindowClose { window_id } => (EventType::WindowClose, json!({ "window_id": window_id })),
        ScreenEvent::Clipboard { content } => (EventType::Clipboard, json!({ "content": content })),
        ScreenEvent::ScreenChange { width, height } => {
            (EventType::ScreenChange, json!({ "width": width, "height": height }))
        }
        ScreenEvent::Idle { idle_seconds } => (EventType::Idle, json!({ "idle_seconds": idle_seconds })),
        ScreenEvent::Active => (EventType::Active, json!({})),
    };
    Event::now(kind, data)
}
