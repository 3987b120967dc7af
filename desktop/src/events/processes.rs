//! Reports when processes start and end. The computer's agent detects them.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::agent::ProcessChange;
use crate::computer::Machine;

use super::queue::Queue;
use super::{Event, EventType};

pub(super) const TYPES: &[EventType] = &[EventType::ProcessStart, EventType::ProcessStop];

pub(super) async fn watch(machine: &Machine, queue: Arc<Queue>) -> Result<JoinHandle<()>, String> {
    let mut table = machine.agent().watch_processes().await.map_err(|error| error.to_string())?;
    Ok(tokio::spawn(async move {
        while let Some(change) = table.next().await {
            let (kind, pid, name) = match change {
                ProcessChange::Started { pid, name } => (EventType::ProcessStart, pid, name),
                ProcessChange::Ended { pid, name } => (EventType::ProcessStop, pid, name),
            };
            queue.push(Event::now(kind, json!({ "pid": pid, "name": name })));
        }
    }))
}
