//! What the cache promises, against a source that answers what it is told to. It never waits on a real clock: time is moved by hand. Only the test
//! runner calls it.

mod flights;
mod invalidation;
mod reference;
mod reviewed;
mod stale;
mod walk;

use super::*;
use crate::{
    clock::ManualClock,
    model::{Kind, Lookup},
};
use futures::{FutureExt as _, future::BoxFuture};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::SystemTime,
};
use tokio::sync::Notify;

const TIMES: Times =
    Times { fresh: Duration::from_mins(5), stale: Duration::from_hours(1), not_found: Duration::from_mins(1) };

impl Weigh for String {
    fn weight(&self) -> usize {
        self.len()
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
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
        let cache = Cache::new(&config, Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(|| 0), Arc::clone(&counters));
        Self { cache, clock, counters, reads: Arc::default(), gate: Arc::default() }
    }

    /// Looks up, with a source that answers at once.
    async fn get(&self, name: &str, answer: Result<Option<&str>, Fault>) -> Result<Option<Hit<String>>, Fault> {
        let answer = answer.map(|value| value.map(str::to_owned));
        let fetch = || {
            let reads = Arc::clone(&self.reads);
            move |_| {
                reads.fetch_add(1, Ordering::Relaxed);
                std::future::ready(answer.clone())
            }
        };
        self.cache.get(&key(name), TIMES, fetch).await
    }

    /// As [`Self::get`], with what a caller is told.
    async fn text(&self, name: &str, answer: Result<Option<&str>, Fault>) -> Told {
        self.get(name, answer).await.map(|hit| hit.map(|hit| (hit.value.to_string(), hit.state)))
    }

    /// Looks up `k`, with a source that answers when the gate opens.
    fn get_held(&self, answer: Result<Option<&str>, Fault>) -> BoxFuture<'static, Told> {
        let answer = answer.map(|value| value.map(str::to_owned));
        let (cache, reads, gate) = (self.cache.clone(), Arc::clone(&self.reads), Arc::clone(&self.gate));
        async move {
            let fetch = || {
                move |_| {
                    let (gate, answer) = (Arc::clone(&gate), answer.clone());
                    reads.fetch_add(1, Ordering::Relaxed);
                    async move {
                        gate.notified().await;
                        answer
                    }
                }
            };
            let hit = cache.get(&key("k"), TIMES, fetch).await;
            hit.map(|hit| hit.map(|hit| (hit.value.to_string(), hit.state)))
        }
        .boxed()
    }

    /// Keeps so many fetches of other names under way.
    fn hold(&self, count: usize) -> Vec<BoxFuture<'static, ()>> {
        let hold = |number: usize| {
            let (cache, gate) = (self.cache.clone(), Arc::clone(&self.gate));
            let mut caller = async move {
                let fetch = || {
                    move |_| {
                        let gate = Arc::clone(&gate);
                        async move {
                            gate.notified().await;
                            Ok(None)
                        }
                    }
                };
                let _ = cache.get(&key(&number.to_string()), TIMES, fetch).await;
            }
            .boxed();
            assert!(caller.as_mut().now_or_never().is_none());
            caller
        };
        (0..count).map(hold).collect()
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

/// What a caller is told, and in which state.
type Told = Result<Option<(String, State)>, Fault>;

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be a fault")]
fn told(value: &str, state: State) -> Told {
    Ok(Some((value.to_owned(), state)))
}

fn fresh(value: &str) -> Told {
    told(value, State::Fresh)
}

fn stale(value: &str) -> Told {
    told(value, State::Stale)
}

fn denied() -> Fault {
    Fault::new(FaultKind::DeniedBySource, "denied")
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
