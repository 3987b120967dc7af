//! Reports file changes in the user's Desktop and Downloads folders, but not in their subfolders.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::agent::FolderChange;
use crate::computer::Machine;

use super::queue::Queue;
use super::{Event, EventType};

pub(super) const TYPES: &[EventType] = &[EventType::FileChange];

const FOLDERS: &[&str] = &["Desktop", "Downloads"];

pub(super) async fn watch(machine: &Machine, queue: Arc<Queue>) -> Result<JoinHandle<()>, String> {
    let mut changes = machine.agent().watch_folders(FOLDERS).await.map_err(|error| error.to_string())?;
    let home = machine.home().to_owned();
    Ok(tokio::spawn(async move {
        while let Some(FolderChange { folder, name, action }) = changes.next().await {
            let path = format!("{home}/{folder}/{name}");
            let data = json!({ "path": path, "action": action.name() });
            queue.push(Event::now(EventType::FileChange, data));
        }
    }))
}
