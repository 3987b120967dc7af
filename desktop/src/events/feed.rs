//! The feed of one subscriber. An event source runs only while the subscriber is subscribed to at least one of the
//! source's event types.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::computer::Machine;
use crate::screen::Watch;

use super::queue::Queue;
use super::{Event, EventType, audio, files, processes, screen};

/// Receives the events of one computer for one subscriber. A new feed has no subscriptions.
pub(crate) struct Feed {
    machine: Arc<Machine>,
    queue: Arc<Queue>,
    screen: Option<Watch>,
    files: Option<Source>,
    processes: Option<Source>,
    audio: Option<Source>,
}

impl Feed {
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        Self { machine, queue: Arc::default(), screen: None, files: None, processes: None, audio: None }
    }

    /// Subscribes to additional event types. Their sources are running when this method returns, so later events are
    /// not missed.
    pub(crate) async fn subscribe(&mut self, types: &[EventType]) -> Result<(), String> {
        let wants = |source: &[EventType]| types.iter().any(|kind| source.contains(kind));
        if wants(screen::TYPES) && self.screen.is_none() {
            self.screen = Some(screen::watch(&self.machine, Arc::clone(&self.queue)).await?);
        }
        if wants(files::TYPES) && self.files.is_none() {
            self.files = Some(Source(files::watch(&self.machine, Arc::clone(&self.queue)).await?));
        }
        if wants(processes::TYPES) && self.processes.is_none() {
            self.processes = Some(Source(processes::watch(&self.machine, Arc::clone(&self.queue)).await?));
        }
        if wants(audio::TYPES) && self.audio.is_none() {
            self.audio = Some(Source(audio::watch(&self.machine, Arc::clone(&self.queue)).await?));
        }
        self.queue.subscribe(types);
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, types: &[EventType]) {
        self.queue.unsubscribe(types);
        let idle = |source: &[EventType]| !self.queue.is_subscribed_to_any(source);
        if idle(screen::TYPES) {
            self.screen = None;
        }
        if idle(files::TYPES) {
            self.files = None;
        }
        if idle(processes::TYPES) {
            self.processes = None;
        }
        if idle(audio::TYPES) {
            self.audio = None;
        }
    }

    /// Waits for the next event. This method is cancel safe: dropping the future loses no event.
    pub(crate) async fn next(&mut self) -> Event {
        self.queue.pop().await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let dropped = self.queue.dropped();
        if dropped > 0 {
            tracing::info!("an events client read too slowly: {dropped} events were dropped");
        }
    }
}

/// A task that is aborted when this handle is dropped.
struct Source(JoinHandle<()>);

impl Drop for Source {
    fn drop(&mut self) {
        self.0.abort();
    }
}
