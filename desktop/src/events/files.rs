//! Changes in the user's Desktop and Downloads folders, from the kernel. Folders inside them are not looked into.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use inotify::{EventMask, Inotify, WatchMask};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::computer::{HOME, Machine};

use super::queue::Queue;
use super::{Event, EventType};

pub(super) const TYPES: &[EventType] = &[EventType::FileChange];

const FOLDERS: &[&str] = &["Desktop", "Downloads"];
/// Room for a burst of events with long names.
const BUFFER: usize = 16 * 1024;

pub(super) fn watch(machine: &Machine, queue: Arc<Queue>) -> Result<JoinHandle<()>, String> {
    let inotify = Inotify::init().map_err(|error| error.to_string())?;
    // A file is modified when a writer has closed it, not with each of its writes.
    let interest = WatchMask::CREATE | WatchMask::CLOSE_WRITE | WatchMask::DELETE | WatchMask::MOVE;
    let mut folders = HashMap::new();
    for folder in FOLDERS {
        // The user may have removed one of them.
        match inotify.watches().add(machine.layout().home.join(folder), interest) {
            Ok(watch) => drop(folders.insert(watch, *folder)),
            Err(error) => tracing::debug!("the folder {folder} of a computer is not watched: {error}"),
        }
    }
    let mut changes = inotify.into_event_stream([0; BUFFER]).map_err(|error| error.to_string())?;
    Ok(tokio::spawn(async move {
        while let Some(Ok(change)) = changes.next().await {
            let described = action(change.mask).zip(change.name.as_deref()).zip(folders.get(&change.wd));
            if let Some(((action, name), folder)) = described {
                queue.push(describe(folder, name, action));
            }
        }
    }))
}

/// A rename is the end of one name and the beginning of another.
fn action(mask: EventMask) -> Option<&'static str> {
    if mask.intersects(EventMask::CREATE | EventMask::MOVED_TO) {
        Some("created")
    } else if mask.contains(EventMask::CLOSE_WRITE) {
        Some("modified")
    } else if mask.intersects(EventMask::DELETE | EventMask::MOVED_FROM) {
        Some("deleted")
    } else {
        None
    }
}

fn describe(folder: &str, name: &OsStr, action: &str) -> Event {
    let path = format!("{HOME}/{folder}/{}", name.to_string_lossy());
    Event::now(EventType::FileChange, json!({ "path": path, "action": action }))
}
