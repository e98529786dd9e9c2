use super::{
    Inner, Key, MAX_FLIGHTS_TO_REFRESH, STALE_WAIT, Times, Weigh,
    entry::{Entry, Now},
    flight::{Landing, Outcome, Ticket, Waiter},
    freshness::Verdict,
    retry::pause_before_retry,
};
use crate::{
    model::{Fault, FaultKind, Urgency},
    telemetry::Counter,
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// How long a fetch may take, retries included, before its waiters are told that it timed out: the cap of a caller's own deadline.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);

impl<V: Weigh> Inner<V> {
    /// Starts the fetch that ends in `landing`.
    ///
    /// It is retried only where `may_retry`: a value that can stand in serves its caller better than a wait, and the next lookup tries again.
    pub(super) fn take_off<F, R>(self: &Arc<Self>, landing: Landing<V>, fetch: F, urgency: Urgency, may_retry: bool)
    where
        F: Fn(Urgency) -> R + Send + 'static,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        let inner = Arc::clone(self);
        self.flights.spawn(async move {
            let read = timeout(FETCH_TIMEOUT, inner.read(move || fetch(urgency), may_retry)).await;
            let timed_out = || Err(Fault::new(FaultKind::TimedOut, "the source did not answer in time"));
            let outcome = match read {
                Ok((asked_at, read)) => read.map(|found| {
                    found.map(|value| Entry::read(value, inner.now(), (inner.random)()).asked_for(asked_at))
                }),
                Err(_) => timed_out(),
            };
            // Stored before it lands: whoever boards next finds it in the store or gets a flight of its own.
            landing.land(outcome, |key, outcome| inner.keep(key, outcome));
        });
    }

    /// Starts a fetch for which nobody waits, unless one is under way, its source failed just now, or others come first.
    pub(super) fn refresh_ahead<F, R>(self: &Arc<Self>, key: &Key, now: Now, fetch: impl FnOnce() -> F)
    where
        F: Fn(Urgency) -> R + Send + 'static,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        if self.held_fault(key, now).is_some() {
            return;
        }
        match self.flights.board(key, MAX_FLIGHTS_TO_REFRESH, now.monotonic) {
            Ticket::Refused => self.counters.count(Counter::RefreshesDropped),
            Ticket::Passenger(_) => {}
            Ticket::Pilot { landing, .. } => {
                self.counters.count(Counter::RefreshesBegun);
                self.take_off(landing, fetch(), Urgency::Ahead, false);
            }
        }
    }

    /// Waits as long as makes sense while there is something else to answer with.
    pub(super) async fn wait_a_little(&self, mut waiter: Waiter<V>, stand_in: &Entry<V>, times: Times) -> Outcome<V> {
        let waited = self.clock.monotonic().saturating_sub(waiter.since());
        if let Ok(outcome) = timeout(STALE_WAIT.saturating_sub(waited), waiter.outcome()).await {
            return outcome;
        }
        if stand_in.judge(times, self.now()) == Verdict::Gone {
            return waiter.outcome().await;
        }
        self.counters.count(Counter::StaleWaitsCut);
        Err(Fault::new(FaultKind::TimedOut, "the source has not answered yet"))
    }

    /// What is read, and when that was asked for.
    async fn read<F, R>(&self, fetch: F, may_retry: bool) -> (Duration, Result<Option<V>, Fault>)
    where
        F: Fn() -> R + Send,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        let start = self.clock.monotonic();
        let mut retries = 0;
        loop {
            let asked_at = self.clock.monotonic();
            let read = fetch().await;
            let Err(fault) = &read else { return (asked_at, read) };
            let elapsed = self.clock.monotonic().saturating_sub(start);
            match pause_before_retry(fault, retries, elapsed, (self.random)()) {
                Some(pause) if may_retry => sleep(pause).await,
                _ => return (asked_at, read),
            }
            self.counters.count(Counter::ReadsRetried);
            retries += 1;
        }
    }

    fn keep(&self, key: &Key, outcome: &Outcome<V>) {
        let key = key.clone();
        let is_news = self.store.is_news(&key, outcome);
        match outcome {
            Ok(Some(entry)) => self.store.put_value(key.clone(), entry.clone()),
            Ok(None) => self.store.put_not_found(key.clone(), Entry::new((), self.now(), 0)),
            Err(fault) => self.store.put_fault(key.clone(), Entry::new(fault.clone(), self.now(), 0)),
        }
        if is_news {
            self.changes.tell([key]);
        }
    }
}
