//! What fresh, stale and not found mean, and one detached fetch per key however many ask. It never knows a source and never sees a caller:
//! what to fetch is handed to it. [`crate::broker`] calls it.
//!
//! moka bounds the memory and nothing else: it takes no clock, so what an entry may be used for is decided in `freshness` with ours. A fetch
//! runs in a task of its own (`flight`), so that a caller who leaves ends nothing but its own wait; whoever waits receives from the flight and
//! never re-reads the cache, since moka may refuse an insert.

mod changes;
mod config;
mod entry;
mod fetch;
mod flight;
mod freshness;
mod key;
mod map;
mod retry;
mod review;
mod shelf;
mod store;
#[cfg(test)]
mod tests;

pub use changes::Changed;
pub use config::{Config, Overrides, Times};
pub use entry::Hit;
pub use key::{Key, Scope};
pub use review::Reviewed;
pub use shelf::Shelf;
pub use store::{Usage, Weigh};

use crate::{
    clock::Clock,
    model::{Fault, FaultKind, State, Urgency},
    telemetry::{Counter, Counters},
};
use changes::Changes;
use entry::{Entry, Now};
use flight::{Flights, Outcome, Ticket};
use freshness::Verdict;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use store::Store;

/// Where random numbers come from: they spread what would otherwise happen at once.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A cache of values of type `V`, shared by clones.
pub struct Cache<V> {
    inner: Arc<Inner<V>>,
}

struct Inner<V> {
    store: Store<V>,
    flights: Flights<V>,
    clock: Arc<dyn Clock>,
    random: Random,
    counters: Arc<Counters>,
    changes: Changes,
}

/// Most fetches at once, of all keys together. A fetch that waits holds a few KiB.
const MAX_FLIGHTS: usize = 1024;

/// A value is refreshed ahead only while fewer fetches than this are under way, whoever they are for: those that callers wait for come first.
const MAX_FLIGHTS_TO_REFRESH: usize = 32;

/// How long a source is waited for while there is a stale value to answer with, counted from when it was asked.
const STALE_WAIT: Duration = Duration::from_secs(1);

/// How long a failed fetch is answered without asking again, unless the source said longer.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The longest that a source's `Retry-After` is obeyed.
const MAX_FAILURE_PAUSE: Duration = Duration::from_secs(30);

/// Why a value that another Valet gave is not handed out.
const TOO_STALE: &str =
    "the upstream cannot ask its own source, and what it still has is older than `stale` allows here";

/// What is known of a key without asking.
enum Known<V> {
    Fresh(Entry<V>),
    /// The answer, and time to ask again.
    Ageing(Entry<V>),
    NotFound,
    /// A fault in its pause, and the stale value that may stand in.
    Failing(Fault, Option<Entry<V>>),
    /// Nothing that could be answered by itself.
    Unknown(Option<Entry<V>>),
}

impl<V: Weigh> Cache<V> {
    /// An empty cache of at most `config.max_bytes`.
    pub fn new(config: &Config, clock: Arc<dyn Clock>, random: Random, counters: Arc<Counters>) -> Self {
        let store = Store::new(config.max_bytes, Arc::clone(&counters));
        Self {
            inner: Arc::new(Inner { store, flights: Flights::new(), clock, random, counters, changes: Changes::new() }),
        }
    }

    /// The value of `key`, from memory while it is fresh by `times`, else by one fetch however many ask; `None` is "not here".
    ///
    /// Where the source cannot be asked, or not within a second, a value that is not older than `times.stale` is the answer, and says so. Near
    /// the end of its fresh time a value is refreshed while it is answered.
    ///
    /// `fetch` is called only where a new flight starts, and makes what reads the source: once, or again after a fault that may pass. It is told
    /// whether anybody waits. Dropping the returned future does not end the flight.
    ///
    /// # Errors
    /// The fetch's fault, shared by all who wait and then held for a pause; [`FaultKind::Overloaded`] where too many fetches are under way;
    /// [`FaultKind::TimedOut`] or [`FaultKind::Internal`] where a fetch never ended or panicked.
    pub async fn get<F, R>(&self, key: &Key, times: Times, fetch: impl FnOnce() -> F) -> Result<Option<Hit<V>>, Fault>
    where
        F: Fn(Urgency) -> R + Send + 'static,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        let inner = &self.inner;
        let now = inner.now();
        let known = inner.known(key, times, now);
        inner.counters.count(match known {
            Known::Unknown(_) => Counter::CacheMisses,
            _ => Counter::CacheHits,
        });
        let stand_in = match known {
            Known::Fresh(entry) => return Ok(Some(entry.hit(State::Fresh, times, now))),
            Known::Ageing(entry) => {
                inner.refresh_ahead(key, now, fetch);
                return Ok(Some(entry.hit(State::Fresh, times, now)));
            }
            Known::NotFound => return Ok(None),
            Known::Failing(fault, stand_in) => {
                let answer = inner.answer(Err(fault), stand_in, times);
                return answer.inspect_err(|_| inner.counters.count(Counter::FaultsHeld));
            }
            Known::Unknown(stand_in) => stand_in,
        };
        let mut waiter = match inner.flights.board(key, MAX_FLIGHTS, now.monotonic) {
            Ticket::Refused => {
                inner.counters.count(Counter::FlightsRefused);
                let message = "too many reads of sources are under way";
                let refused = Fault::new(FaultKind::Overloaded, message).retry_after(Some(FAILURE_PAUSE));
                return inner.answer(Err(refused), stand_in, times);
            }
            Ticket::Passenger(waiter) => waiter,
            Ticket::Pilot { waiter, landing } => {
                // Another flight may have landed between the look at the store and the boarding.
                match inner.known(key, times, inner.now()).settled() {
                    Some(outcome) => landing.land(outcome, |_, _| ()),
                    None => inner.take_off(landing, fetch(), Urgency::Awaited, stand_in.is_none()),
                }
                waiter
            }
        };
        let outcome = match &stand_in {
            None => waiter.outcome().await,
            Some(entry) => inner.wait_a_little(waiter, entry, times).await,
        };
        inner.answer(outcome, stand_in, times)
    }

    /// Drops what is held of these keys, as if they had never been read; answers how many values and names not found that was. A fetch of them
    /// that is under way still answers those who wait for it, but what it brings is not kept, and who comes next starts another. Goes
    /// through all keys: not for the way of a lookup.
    pub fn invalidate(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        // In this order: what lands before the flights are closed is in the store when that is searched.
        self.inner.flights.close(|key, _| is_meant(key));
        let removed = self.inner.store.remove(&is_meant);
        let count = removed.len();
        self.inner.changes.tell(removed);
        count
    }

    /// Hears, from now on, of which keys something else is held than before: by a read, a review or [`Self::invalidate`]. What is evicted for want
    /// of memory is no news.
    pub fn changed(&self) -> Changed {
        self.inner.changes.listen()
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
    /// What can be said without a fetch.
    fn known(&self, key: &Key, times: Times, now: Now) -> Known<V> {
        let mut stand_in = None;
        if let Some(entry) = self.store.value(key) {
            match entry.judge(times, now) {
                Verdict::Fresh => return Known::Fresh(entry),
                Verdict::RefreshAhead => return Known::Ageing(entry),
                Verdict::Stale => stand_in = Some(entry),
                Verdict::Gone => {}
            }
        }
        if self.store.not_found(key).is_some_and(|entry| entry.is_within(times.not_found, now)) {
            return Known::NotFound;
        }
        match self.held_fault(key, now) {
            Some(fault) => Known::Failing(fault, stand_in),
            None => Known::Unknown(stand_in),
        }
    }

    /// The fault in whose pause the key is.
    fn held_fault(&self, key: &Key, now: Now) -> Option<Fault> {
        let held = self.store.fault(key)?;
        let left = held.left_of(pause(&held.payload), now)?;
        let known_delay = held.payload.retry_delay();
        Some((*held.payload).clone().retry_after(known_delay.map(|delay| delay.max(left))))
    }

    /// What a caller is told: what the source said, or the stale value in its place where the fault allows it.
    fn answer(&self, outcome: Outcome<V>, stand_in: Option<Entry<V>>, times: Times) -> Result<Option<Hit<V>>, Fault> {
        let now = self.now();
        let (stale, fault) = match outcome {
            Ok(None) => return Ok(None),
            Ok(Some(entry)) if !entry.was_stale() => return Ok(Some(entry.hit(State::Fresh, times, now))),
            Ok(Some(entry)) => (Some(entry), Fault::new(FaultKind::SourceDown, TOO_STALE)),
            Err(fault) if !fault.kind().is_unavailable() => return Err(fault),
            Err(fault) => (None, fault),
        };
        // It may have ended while its source was waited for.
        let is_usable = |entry: &Entry<V>| entry.judge(times, now) != Verdict::Gone;
        match stale.filter(is_usable).or_else(|| stand_in.filter(is_usable)) {
            Some(entry) => {
                self.counters.count(Counter::StaleServed);
                Ok(Some(entry.hit(State::Stale, times, now)))
            }
            None => Err(fault),
        }
    }

    fn now(&self) -> Now {
        Now { monotonic: self.clock.monotonic(), wall: self.clock.wall() }
    }
}

impl<V> Known<V> {
    /// How a flight ends that turns out not to be needed.
    fn settled(self) -> Option<Outcome<V>> {
        match self {
            Self::Fresh(entry) | Self::Ageing(entry) => Some(Ok(Some(entry))),
            Self::NotFound => Some(Ok(None)),
            Self::Failing(fault, _) => Some(Err(fault)),
            Self::Unknown(_) => None,
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
