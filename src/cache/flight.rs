use super::{Hit, Key};
use crate::model::{Fault, FaultKind};
use std::{
    collections::{HashMap, hash_map},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// What a flight ends with, as each who waits for it receives it.
pub(super) type Outcome<V> = Result<Option<Hit<V>>, Fault>;

/// The fetches that are under way, one per key.
pub(super) struct Flights<V> {
    under_way: Arc<Mutex<Board<V>>>,
    tasks: TaskTracker,
}

type Board<V> = HashMap<Key, watch::Receiver<Option<Outcome<V>>>>;

/// What one gets who wants to board.
pub(super) enum Ticket<V> {
    /// Nobody flies yet: whoever holds the landing must fly.
    Pilot { waiter: Waiter<V>, landing: Landing<V> },
    /// Somebody flies already.
    Passenger(Waiter<V>),
    /// Too many flights are under way.
    Refused,
}

/// Most fetches at once, of all keys together. A fetch that waits holds a few KiB.
const MAX_FLIGHTS: usize = 1024;

impl<V: Send + Sync + 'static> Flights<V> {
    pub(super) fn new() -> Self {
        Self { under_way: Arc::default(), tasks: TaskTracker::new() }
    }

    pub(super) fn board(&self, key: &Key) -> Ticket<V> {
        let mut board = lock(&self.under_way);
        let full = board.len() >= MAX_FLIGHTS;
        match board.entry(key.clone()) {
            hash_map::Entry::Occupied(flight) => Ticket::Passenger(Waiter(flight.get().clone())),
            hash_map::Entry::Vacant(_) if full => Ticket::Refused,
            hash_map::Entry::Vacant(slot) => {
                let (sender, receiver) = watch::channel(None);
                slot.insert(receiver.clone());
                let landing = Landing { key: key.clone(), board: Arc::clone(&self.under_way), sender };
                Ticket::Pilot { waiter: Waiter(receiver), landing }
            }
        }
    }

    pub(super) fn spawn(&self, flight: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(flight);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.under_way).len()
    }
}

/// Waits for a flight's outcome. Dropping it changes nothing for the flight.
pub(super) struct Waiter<V>(watch::Receiver<Option<Outcome<V>>>);

impl<V> Waiter<V> {
    pub(super) async fn outcome(mut self) -> Outcome<V> {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(hit))) => Ok(hit.clone()),
            Ok(Some(Err(fault))) => Err(fault.clone()),
            // The sender is gone without a word: the runtime is going down.
            Ok(None) | Err(_) => Err(Fault::new(FaultKind::SourceDown, "valet is shutting down")),
        }
    }
}

/// The duty to end a flight. If the fetch panics, dropping this tells the waiters so, and the next caller starts anew.
pub(super) struct Landing<V> {
    key: Key,
    board: Arc<Mutex<Board<V>>>,
    sender: watch::Sender<Option<Outcome<V>>>,
}

impl<V> Landing<V> {
    pub(super) fn land(self, outcome: Outcome<V>) {
        self.sender.send_replace(Some(outcome));
    }
}

impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        lock(&self.board).remove(&self.key);
        self.sender.send_if_modified(|outcome| {
            let unended = outcome.is_none();
            if unended {
                *outcome = Some(Err(Fault::new(FaultKind::Internal, "the read of the source broke off")));
            }
            unended
        });
    }
}

/// A panic while the lock is held cannot leave the map half-changed: each holder does one insert or one remove.
fn lock<V>(board: &Mutex<Board<V>>) -> MutexGuard<'_, Board<V>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
