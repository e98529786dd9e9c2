use super::*;
use crate::{
    clock::ManualClock,
    model::{Kind, Lookup, State},
};
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};
use tokio::sync::Notify;

const TIMES: Times = Times { fresh: Duration::from_mins(5), not_found: Duration::from_mins(1) };

impl Weigh for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

/// A cache, and a source that answers what it is told to, counts its reads, and holds each until it is released.
struct Lab {
    cache: Cache<String>,
    clock: Arc<ManualClock>,
    counters: Arc<Counters>,
    reads: Arc<AtomicUsize>,
    gate: Arc<Notify>,
}

impl Lab {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let counters = Arc::new(Counters::new());
        let config = Config { max_bytes: 1 << 20, ..Config::default() };
        let cache = Cache::new(&config, Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&counters));
        Self { cache, clock, counters, reads: Arc::default(), gate: Arc::default() }
    }

    /// Looks up, with a source that answers at once.
    async fn get(&self, name: &str, answer: Result<Option<&str>, Fault>) -> Result<Option<Hit<String>>, Fault> {
        let reads = Arc::clone(&self.reads);
        let answer = answer.map(|value| value.map(str::to_owned));
        self.cache
            .get(&key(name), TIMES, move || async move {
                reads.fetch_add(1, Ordering::Relaxed);
                answer
            })
            .await
    }

    /// Looks up, with a source that answers when the gate opens.
    fn get_held(&self, answer: Result<Option<String>, Fault>) -> BoxFuture<'static, Result<Option<String>, Fault>> {
        let (cache, reads, gate) = (self.cache.clone(), Arc::clone(&self.reads), Arc::clone(&self.gate));
        async move {
            let fetch = || async move {
                reads.fetch_add(1, Ordering::Relaxed);
                gate.notified().await;
                answer
            };
            cache.get(&key("k"), TIMES, fetch).await.map(|hit| hit.map(|hit| hit.value.to_string()))
        }
        .boxed()
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

fn key(name: &str) -> Key {
    Key { scope: Scope::of(&"source"), lookup: Lookup::parse(Kind::Connection, name, "").unwrap() }
}

fn down() -> Fault {
    Fault::new(FaultKind::SourceDown, "down")
}

#[tokio::test]
async fn a_value_is_read_once_while_it_is_fresh_and_again_afterwards() {
    let lab = Lab::new();
    let first = lab.get("k", Ok(Some("one"))).await.unwrap().unwrap();
    assert_eq!((first.value.as_str(), first.age, first.state), ("one", Duration::ZERO, State::Fresh));
    lab.clock.advance(TIMES.fresh - Duration::from_secs(1));
    let hit = lab.get("k", Ok(Some("two"))).await.unwrap().unwrap();
    assert_eq!((hit.value.as_str(), hit.age), ("one", TIMES.fresh - Duration::from_secs(1)));
    assert_eq!(hit.fresh_until, SystemTime::UNIX_EPOCH + TIMES.fresh);
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(lab.get("k", Ok(Some("two"))).await.unwrap().unwrap().value.as_str(), "two");
    assert_eq!(lab.reads(), 2);
    assert_eq!((lab.counters.get(Counter::CacheHits), lab.counters.get(Counter::CacheMisses)), (1, 2));
}

#[tokio::test]
async fn not_here_is_believed_for_its_own_time() {
    let lab = Lab::new();
    assert_eq!(lab.get("k", Ok(None)).await, Ok(None));
    lab.clock.advance(TIMES.not_found - Duration::from_secs(1));
    assert_eq!(lab.get("k", Ok(Some("made"))).await, Ok(None));
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(lab.get("k", Ok(Some("made"))).await.unwrap().unwrap().value.as_str(), "made");
    assert_eq!(lab.reads(), 2);
}

#[tokio::test]
async fn a_value_that_was_deleted_is_not_here_once_it_is_read_again() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(TIMES.fresh);
    assert_eq!(lab.get("k", Ok(None)).await, Ok(None));
    assert_eq!(lab.cache.usage().values, 0);
}

#[tokio::test]
async fn a_failure_is_held_for_a_short_pause_and_never_cached() {
    let lab = Lab::new();
    assert_eq!(lab.get("k", Err(down())).await, Err(down()));
    lab.clock.advance(FAILURE_PAUSE - Duration::from_millis(1));
    assert_eq!(lab.get("k", Ok(Some("up"))).await, Err(down()));
    assert_eq!(lab.counters.get(Counter::FaultsHeld), 1);
    lab.clock.advance(Duration::from_millis(1));
    assert_eq!(lab.get("k", Ok(Some("up"))).await.unwrap().unwrap().value.as_str(), "up");
    assert_eq!(lab.reads(), 2);
}

#[tokio::test]
async fn a_retry_after_lengthens_the_pause_up_to_a_bound() {
    let lab = Lab::new();
    let throttled = |wait| Fault::new(FaultKind::Throttled, "busy").retry_after(Some(wait));
    lab.get("k", Err(throttled(Duration::from_secs(5)))).await.unwrap_err();
    lab.clock.advance(Duration::from_secs(4));
    assert_eq!(lab.get("k", Ok(None)).await.unwrap_err().kind(), FaultKind::Throttled);
    lab.clock.advance(Duration::from_secs(1));
    lab.get("k", Err(throttled(Duration::from_hours(9)))).await.unwrap_err();
    lab.clock.advance(MAX_FAILURE_PAUSE);
    assert_eq!(lab.get("k", Ok(None)).await, Ok(None));
}

#[tokio::test]
async fn a_thousand_callers_cost_one_read_also_when_it_fails() {
    for answer in [Ok(Some("v".to_owned())), Ok(None), Err(down())] {
        let lab = Lab::new();
        let mut callers: Vec<_> = (0..1000).map(|_| lab.get_held(answer.clone())).collect();
        assert!(callers.iter_mut().all(|caller| caller.now_or_never().is_none()));
        lab.gate.notify_one();
        assert!(futures::future::join_all(callers).await.into_iter().all(|outcome| outcome == answer));
        assert_eq!(lab.reads(), 1);
        assert_eq!(lab.cache.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_cancelled_caller_does_not_cancel_the_fetch() {
    let lab = Lab::new();
    let mut first = lab.get_held(Ok(Some("v".to_owned())));
    assert!(first.as_mut().now_or_never().is_none());
    drop(first);
    let mut second = lab.get_held(Ok(Some("never read".to_owned())));
    assert!(second.as_mut().now_or_never().is_none());
    lab.gate.notify_one();
    assert_eq!(second.await, Ok(Some("v".to_owned())));
    assert_eq!(lab.reads(), 1);
}

#[tokio::test]
async fn a_fetch_that_panics_is_an_internal_fault_and_the_next_caller_starts_anew() {
    let lab = Lab::new();
    let fetch = || async { panic!("planted") };
    let outcome = lab.cache.get(&key("k"), TIMES, fetch).await;
    assert_eq!(outcome.unwrap_err().kind(), FaultKind::Internal);
    assert_eq!(lab.get("k", Ok(Some("v"))).await.unwrap().unwrap().value.as_str(), "v");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_never_ends_times_out() {
    let lab = Lab::new();
    assert_eq!(lab.get_held(Ok(None)).await.unwrap_err().kind(), FaultKind::TimedOut);
    assert_eq!(lab.cache.in_flight(), 0);
}

#[tokio::test]
async fn too_many_fetches_at_once_are_refused_and_counted() {
    let lab = Lab::new();
    let mut held = Vec::new();
    for number in 0..1024 {
        let (cache, gate) = (lab.cache.clone(), Arc::clone(&lab.gate));
        let mut flight = async move {
            let fetch = || async move {
                gate.notified().await;
                Ok(None)
            };
            cache.get(&key(&number.to_string()), TIMES, fetch).await
        }
        .boxed();
        assert!(flight.as_mut().now_or_never().is_none());
        held.push(flight);
    }
    assert_eq!(lab.get("one more", Ok(None)).await.unwrap_err().kind(), FaultKind::Overloaded);
    assert_eq!(lab.counters.get(Counter::FlightsRefused), 1);
    assert!(lab.get_held(Ok(None)).now_or_never().is_some_and(|outcome| outcome.is_err()));
}

#[tokio::test]
async fn a_value_larger_than_the_cache_reaches_all_who_wait_though_it_is_not_kept() {
    let lab = Lab::new();
    let large = "x".repeat(2 << 20);
    let hit = lab.get("k", Ok(Some(&large))).await.unwrap().unwrap();
    assert_eq!(hit.value.len(), large.len());
    assert_eq!(lab.cache.usage().values, 0);
}

#[tokio::test]
async fn memory_is_bounded_however_many_names_are_asked() {
    let lab = Lab::new();
    for number in 0..5000 {
        lab.get(&format!("value {number}"), Ok(Some(&"v".repeat(500)))).await.unwrap();
        lab.get(&format!("no {number}"), Ok(None)).await.unwrap();
    }
    let usage = lab.cache.usage();
    assert!(usage.bytes <= usage.max_bytes, "{usage:?}");
    assert!(usage.values > 500 && usage.not_found > 100, "{usage:?}");
    assert!(lab.counters.get(Counter::CacheEvictions) > 0);
}
