//! One subscriber's events. Each source runs only while a type that it yields is subscribed to.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::computer::Machine;
use crate::screen::Watch;

use super::queue::Queue;
use super::{Event, EventType, files, processes, screen, sound};

/// The events of one computer for one subscriber. It begins with no subscription.
pub(crate) struct Feed {
    machine: Arc<Machine>,
    queue: Arc<Queue>,
    screen: Option<Watch>,
    files: Option<Source>,
    processes: Option<Source>,
    sound: Option<Source>,
}

impl Feed {
    pub(crate) fn new(machine: Arc<Machine>) -> Self {
        Self { machine, queue: Arc::default(), screen: None, files: None, processes: None, sound: None }
    }

    /// Adds types. When it returns their sources are at work, so nothing that happens afterwards is missed.
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
        if wants(sound::TYPES) && self.sound.is_none() {
            self.sound = Some(Source(sound::watch(&self.machine, Arc::clone(&self.queue)).await?));
        }
        self.queue.want(types);
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, types: &[EventType]) {
        self.queue.refuse(types);
        let idle = |source: &[EventType]| !self.queue.wants_any(source);
        if idle(screen::TYPES) {
            self.screen = None;
        }
        if idle(files::TYPES) {
            self.files = None;
        }
        if idle(processes::TYPES) {
            self.processes = None;
        }
        if idle(sound::TYPES) {
            self.sound = None;
        }
    }

    /// The next event. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Event {
        self.queue.pop().await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let dropped = self.queue.dropped();
        if dropped > 0 {
            tracing::info!("an events client was too slow for {dropped} events");
        }
    }
}

/// A task that ends with its handle.
struct Source(JoinHandle<()>);

impl Drop for Source {
    fn drop(&mut self) {
        self.0.abort();
    }
}
