use super::{Key, entry::Entry};
use crate::model::{Fault, FaultKind};
use std::{
    collections::{HashMap, hash_map},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// What a flight ends with, as each who waits for it receives it.
pub(super) type Outcome<V> = Result<Option<Entry<V>>, Fault>;

/// The fetches that are under way, one per key.
pub(super) struct Flights<V> {
    board: Arc<Mutex<Board<V>>>,
    tasks: TaskTracker,
}

struct Board<V> {
    /// The flights that one can still board.
    open: HashMap<Key, Flight<V>>,
    /// All that have not landed: those too whose key was invalidated since.
    aloft: usize,
    started: u64,
}

struct Flight<V> {
    number: u64,
    since: Duration,
    outcome: watch::Receiver<Option<Outcome<V>>>,
}

/// What one gets who wants to board.
pub(super) enum Ticket<V> {
    /// Nobody flies yet: whoever holds the landing must fly.
    Pilot { waiter: Waiter<V>, landing: Landing<V> },
    /// Somebody flies already.
    Passenger(Waiter<V>),
    /// Too many flights are under way.
    Refused,
}

impl<V: Send + Sync + 'static> Flights<V> {
    pub(super) fn new() -> Self {
        let board = Board { open: HashMap::new(), aloft: 0, started: 0 };
        Self { board: Arc::new(Mutex::new(board)), tasks: TaskTracker::new() }
    }

    /// Boards the flight of `key`, or a new one while fewer than `most` are under way.
    pub(super) fn board(&self, key: &Key, most: usize, now: Duration) -> Ticket<V> {
        let mut board = lock(&self.board);
        let Board { open, aloft, started } = &mut *board;
        match open.entry(key.clone()) {
            hash_map::Entry::Occupied(flight) => Ticket::Passenger(flight.get().waiter()),
            hash_map::Entry::Vacant(_) if *aloft >= most => Ticket::Refused,
            hash_map::Entry::Vacant(slot) => {
                let (sender, outcome) = watch::channel(None);
                *aloft += 1;
                *started += 1;
                let number = *started;
                let waiter = slot.insert(Flight { number, since: now, outcome }).waiter();
                Ticket::Pilot {
                    waiter,
                    landing: Landing { key: key.clone(), number, board: Arc::clone(&self.board), sender },
                }
            }
        }
    }

    pub(super) fn spawn(&self, flight: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(flight);
    }

    /// Closes the flights of these keys: who waits for one still gets what it brings, who comes next starts another, and nothing that it
    /// brings is kept. `is_meant` is told when each began.
    pub(super) fn close(&self, is_meant: impl Fn(&Key, Duration) -> bool) {
        lock(&self.board).open.retain(|key, flight| !is_meant(key, flight.since));
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.board).aloft
    }
}

impl<V> Flight<V> {
    fn waiter(&self) -> Waiter<V> {
        Waiter { since: self.since, outcome: self.outcome.clone() }
    }
}

/// Waits for a flight's outcome. Dropping it changes nothing for the flight.
pub(super) struct Waiter<V> {
    since: Duration,
    outcome: watch::Receiver<Option<Outcome<V>>>,
}

impl<V> Waiter<V> {
    /// When the flight began, on the monotonic clock.
    pub(super) fn since(&self) -> Duration {
        self.since
    }

    pub(super) async fn outcome(&mut self) -> Outcome<V> {
        match self.outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(entry))) => Ok(entry.clone()),
            Ok(Some(Err(fault))) => Err(fault.clone()),
            // The sender is gone without a word: the runtime is going down.
            Ok(None) | Err(_) => Err(Fault::new(FaultKind::SourceDown, "valet is shutting down")),
        }
    }
}

/// The duty to end a flight. If the fetch panics, dropping this tells the waiters so, and the next caller starts anew.
pub(super) struct Landing<V> {
    key: Key,
    number: u64,
    board: Arc<Mutex<Board<V>>>,
    sender: watch::Sender<Option<Outcome<V>>>,
}

impl<V> Landing<V> {
    /// Ends the flight. What it brings is kept only if it was not closed; nobody can close it meanwhile.
    pub(super) fn land(self, outcome: Outcome<V>, keep: impl FnOnce(&Key, &Outcome<V>)) {
        let board = lock(&self.board);
        if board.open.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            keep(&self.key, &outcome);
        }
        drop(board);
        self.sender.send_replace(Some(outcome));
    }
}

impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        let mut board = lock(&self.board);
        board.aloft -= 1;
        if board.open.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            board.open.remove(&self.key);
        }
        drop(board);
        self.sender.send_if_modified(|outcome| {
            let unended = outcome.is_none();
            if unended {
                *outcome = Some(Err(Fault::new(FaultKind::Internal, "the read of the source broke off")));
            }
            unended
        });
    }
}

/// A panic while the lock is held cannot leave the board half-changed: each holder changes it in one step, after all that might panic.
fn lock<V>(board: &Mutex<Board<V>>) -> MutexGuard<'_, Board<V>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
