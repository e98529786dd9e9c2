//! What fresh and not found mean, and one detached fetch per key however many ask. It never knows a source and never sees a caller: what to
//! fetch is handed to it. [`crate::broker`] calls it.
//!
//! moka bounds the memory and nothing else: it takes no clock, so freshness is decided in `entry` with ours. A fetch runs in a task of its
//! own (`flight`), so that a caller who leaves ends nothing but its own wait; whoever waits receives from the flight and never re-reads
//! the cache, since moka may refuse an insert.

mod config;
mod entry;
mod flight;
mod key;
mod store;
#[cfg(test)]
mod tests;

pub use config::{Config, Times};
pub use entry::Hit;
pub use key::{Key, Scope};
pub use store::{Usage, Weigh};

use crate::{
    clock::Clock,
    model::{Fault, FaultKind},
    telemetry::{Counter, Counters},
};
use entry::Entry;
use flight::{Flights, Ticket};
use std::{fmt, future::Future, sync::Arc, time::Duration};
use store::Store;

/// A cache of values of type `V`, shared by clones.
pub struct Cache<V> {
    inner: Arc<Inner<V>>,
}

struct Inner<V> {
    store: Store<V>,
    flights: Flights<V>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

/// How long a fetch may take before its waiters are told that it timed out: the cap of a caller's own deadline.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a failed fetch is answered without asking again, unless the source said longer.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The longest that a source's `Retry-After` is obeyed.
const MAX_FAILURE_PAUSE: Duration = Duration::from_secs(30);

impl<V: Weigh> Cache<V> {
    /// An empty cache of at most `config.max_bytes`.
    pub fn new(config: &Config, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        let store = Store::new(config.max_bytes, Arc::clone(&counters));
        Self { inner: Arc::new(Inner { store, flights: Flights::new(), clock, counters }) }
    }

    /// The value of `key`, from memory while it is fresh by `times`, else by one `fetch` however many ask; `None` is "not here".
    ///
    /// `fetch` is called only where a new flight starts. Dropping the returned future does not end the flight.
    ///
    /// # Errors
    /// The fetch's fault, shared by all who wait and then held for a pause; [`FaultKind::Overloaded`] where too many fetches are under way;
    /// [`FaultKind::TimedOut`] or [`FaultKind::Internal`] where a fetch never ended or panicked.
    pub async fn get<F, R>(&self, key: &Key, times: Times, fetch: F) -> Result<Option<Hit<V>>, Fault>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        if let Some(known) = self.inner.known(key, times) {
            self.inner.counters.count(Counter::CacheHits);
            return known;
        }
        self.inner.counters.count(Counter::CacheMisses);
        let waiter = match self.inner.flights.board(key) {
            Ticket::Refused => {
                self.inner.counters.count(Counter::FlightsRefused);
                let message = "too many reads of sources are under way";
                return Err(Fault::new(FaultKind::Overloaded, message).retry_after(Some(FAILURE_PAUSE)));
            }
            Ticket::Passenger(waiter) => waiter,
            Ticket::Pilot { waiter, landing } => {
                // Another flight may have landed between the look at the store and the boarding.
                if let Some(known) = self.inner.known(key, times) {
                    landing.land(known.clone());
                    return known;
                }
                self.take_off(key.clone(), times, fetch(), landing);
                waiter
            }
        };
        waiter.outcome().await
    }

    fn take_off<R>(&self, key: Key, times: Times, fetch: R, landing: flight::Landing<V>)
    where
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        self.inner.flights.spawn(async move {
            let timed_out = || Err(Fault::new(FaultKind::TimedOut, "the source did not answer in time"));
            let read = tokio::time::timeout(FETCH_TIMEOUT, fetch).await.unwrap_or_else(|_| timed_out());
            // Stored before it lands: whoever boards next finds it in the store or gets a flight of its own.
            let outcome = inner.keep(key, times, read);
            landing.land(outcome);
        });
    }

    /// What the cache holds now.
    pub fn usage(&self) -> Usage {
        self.inner.store.usage()
    }

    /// Fetches that are under way.
    pub fn in_flight(&self) -> usize {
        self.inner.flights.len()
    }
}

impl<V: Weigh> Inner<V> {
    /// What can be answered without a fetch: a fresh value, a believed "not here", a fault in its pause.
    fn known(&self, key: &Key, times: Times) -> Option<Result<Option<Hit<V>>, Fault>> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        if let Some(entry) = self.store.value(key)
            && entry.is_within(times.fresh, now)
        {
            return Some(Ok(Some(entry.hit(times.fresh, now, wall))));
        }
        if self.store.not_found(key).is_some_and(|entry| entry.is_within(times.not_found, now)) {
            return Some(Ok(None));
        }
        let held = self.store.fault(key)?;
        let left = held.left_of(pause(&held.payload), now)?;
        self.counters.count(Counter::FaultsHeld);
        let known_delay = held.payload.retry_delay();
        Some(Err((*held.payload).clone().retry_after(known_delay.map(|delay| delay.max(left)))))
    }

    fn keep(&self, key: Key, times: Times, read: Result<Option<V>, Fault>) -> Result<Option<Hit<V>>, Fault> {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        match read {
            Ok(Some(value)) => {
                let entry = Entry::new(value, now);
                let hit = entry.hit(times.fresh, now, wall);
                self.store.put_value(key, entry);
                Ok(Some(hit))
            }
            Ok(None) => {
                self.store.put_not_found(key, Entry::new((), now));
                Ok(None)
            }
            Err(fault) => {
                self.store.put_fault(key, Entry::new(fault.clone(), now));
                Err(fault)
            }
        }
    }
}

/// How long a fault is answered without asking again.
fn pause(fault: &Fault) -> Duration {
    fault.retry_delay().unwrap_or_default().clamp(FAILURE_PAUSE, MAX_FAILURE_PAUSE)
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
