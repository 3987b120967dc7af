//! The bounded queue between the event sources and a subscriber.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Event, EventType};

/// The maximum number of queued events. While the queue is full, new events are dropped.
pub(super) const CAPACITY: usize = 256;

/// Queues events of the subscribed types and ignores all other events.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    subscribed: HashSet<EventType>,
    events: VecDeque<Event>,
    dropped: u64,
}

impl Queue {
    pub(super) fn subscribe(&self, types: &[EventType]) {
        self.lock().subscribed.extend(types);
    }

    /// Unsubscribes from `types` and removes queued events of these types.
    pub(super) fn unsubscribe(&self, types: &[EventType]) {
        let mut inner = self.lock();
        inner.subscribed.retain(|kind| !types.contains(kind));
        inner.events.retain(|event| !types.contains(&event.kind));
    }

    pub(super) fn is_subscribed_to_any(&self, types: &[EventType]) -> bool {
        let inner = self.lock();
        types.iter().any(|kind| inner.subscribed.contains(kind))
    }

    pub(super) fn push(&self, event: Event) {
        let mut inner = self.lock();
        if !inner.subscribed.contains(&event.kind) {
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

    /// Locks the state. Ignores poisoning, because code that holds the lock cannot panic in the middle of a change.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn only_events_of_subscribed_types_pass_in_order() {
        let queue = Queue::default();
        queue.subscribe(&[EventType::Clipboard, EventType::Active]);
        for kind in [EventType::Clipboard, EventType::Idle, EventType::Active] {
            queue.push(Event::now(kind, json!({})));
        }
        assert_eq!(queue.pop().await.kind, EventType::Clipboard);
        assert_eq!(queue.pop().await.kind, EventType::Active);
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_counts_dropped_events() {
        let queue = Queue::default();
        queue.subscribe(&[EventType::Active]);
        for number in 0..300 {
            queue.push(Event::now(EventType::Active, json!(number)));
        }
        assert_eq!(queue.dropped(), 44);
        assert_eq!(queue.pop().await.data, json!(0));
    }

    #[test]
    fn queued_events_are_removed_when_their_type_is_unsubscribed() {
        let queue = Queue::default();
        queue.subscribe(&[EventType::Active]);
        queue.push(Event::now(EventType::Active, json!({})));
        queue.unsubscribe(&[EventType::Active]);
        assert!(!queue.is_subscribed_to_any(&[EventType::Active]));
        assert!(queue.is_empty());
    }
}
