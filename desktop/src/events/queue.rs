//! The bounded buffer between the sources and a subscriber.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Event, EventType};

/// As many events wait for a slow subscriber; later ones are dropped.
pub(super) const CAPACITY: usize = 256;

/// Takes events of the wanted types and drops the rest.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    wanted: HashSet<EventType>,
    events: VecDeque<Event>,
    dropped: u64,
}

impl Queue {
    pub(super) fn want(&self, types: &[EventType]) {
        self.lock().wanted.extend(types);
    }

    /// Events of these types that still wait are dropped too.
    pub(super) fn refuse(&self, types: &[EventType]) {
        let mut inner = self.lock();
        inner.wanted.retain(|kind| !types.contains(kind));
        inner.events.retain(|event| !types.contains(&event.kind));
    }

    pub(super) fn wants_any(&self, types: &[EventType]) -> bool {
        let inner = self.lock();
        types.iter().any(|kind| inner.wanted.contains(kind))
    }

    pub(super) fn push(&self, event: Event) {
        let mut inner = self.lock();
        if !inner.wanted.contains(&event.kind) {
            return;
        }
        if inner.events.len() == CAPACITY {
            inner.dropped += 1;
            return;
        }
        inner.events.push_back(event);
        self.arrived.notify_one();
    }

    pub(super) async fn pop(&self) -> Event {
        loop {
            if let Some(event) = self.lock().events.pop_front() {
                return event;
            }
            self.arrived.notified().await;
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().events.is_empty()
    }

    /// No code that holds the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn only_wanted_events_pass_in_order() {
        let queue = Queue::default();
        queue.want(&[EventType::Clipboard, EventType::Active]);
        for kind in [EventType::Clipboard, EventType::Idle, EventType::Active] {
            queue.push(Event::now(kind, json!({})));
        }
        assert_eq!(queue.pop().await.kind, EventType::Clipboard);
        assert_eq!(queue.pop().await.kind, EventType::Active);
    }

    #[tokio::test]
    async fn the_buffer_is_bounded_and_counts_what_it_drops() {
        let queue = Queue::default();
        queue.want(&[EventType::Active]);
        for number in 0..300 {
            queue.push(Event::now(EventType::Active, json!(number)));
        }
        assert_eq!(queue.dropped(), 44);
        assert_eq!(queue.pop().await.data, json!(0));
    }

    #[test]
    fn what_is_no_longer_wanted_is_not_delivered_late() {
        let queue = Queue::default();
        queue.want(&[EventType::Active]);
        queue.push(Event::now(EventType::Active, json!({})));
        queue.refuse(&[EventType::Active]);
        assert!(!queue.wants_any(&[EventType::Active]));
        assert!(queue.is_empty());
    }
}
