//! What the cache costs when it matters: `cargo bench --bench herd` prints, each beside its target,
//!
//! - how long 1,000 callers of one cold name wait, against the fetch that they share (held for one second, in real time);
//! - what a warm hit among 100,000 names costs more than one among 10, against what the whole of a hit through the socket costs;
//! - what 10,000 values of 500 bytes add to the resident memory.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints what it found"
)]

use std::{
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;
use valet::{
    cache::{Cache, Config, Key, Scope, Times, Weigh},
    clock::SystemClock,
    model::{Kind, Lookup},
    telemetry::Counters,
};

const CALLERS: usize = 1000;
const FETCH: Duration = Duration::from_secs(1);
/// Nanoseconds of a warm hit through the socket with few names, rather less than `make bench` measures; the cache is the only part of it that
/// depends on how many names there are.
const SOCKET_HIT: f64 = 20_000.0;
/// Turns that the medians of hits are taken over, and hits in each.
const TURNS: usize = 200;
const HITS: u16 = 2000;

/// A value of so many bytes.
struct Text(Box<[u8]>);

impl Weigh for Text {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime can be built");
    // First, while nothing has been allocated and freed that it could reuse.
    let grown = runtime.block_on(memory(10_000, 500));
    report("10,000 values of 500 bytes, more resident", grown, 30.0, "MB");
    let slowest = runtime.block_on(herd());
    report("1,000 callers of one fetch, p99 against the fetch", slowest, 1.1, "x");
    let more = runtime.block_on(hits());
    report("a hit through the socket among 100,000 names, against 10", (SOCKET_HIT + more) / SOCKET_HIT, 1.3, "x");
}

fn report(what: &str, found: f64, target: f64, unit: &str) {
    let verdict = if found <= target { "within" } else { "over" };
    println!("{what}: {found:.2}{unit}, {verdict} the target of {target}{unit}");
}

async fn herd() -> f64 {
    let cache = cache();
    let start = Instant::now();
    let callers = (0..CALLERS).map(|_| async {
        let fetch = || {
            |_| async {
                tokio::time::sleep(FETCH).await;
                Ok(Some(Text([7; 500].into())))
            }
        };
        let hit = cache.get(&key(0), Times::default(), fetch).await;
        assert!(hit.is_ok_and(|hit| hit.is_some()));
        start.elapsed()
    });
    let mut waits = futures::future::join_all(callers).await;
    waits.sort_unstable();
    waits[CALLERS * 99 / 100].div_duration_f64(FETCH)
}

async fn hits() -> f64 {
    let (few, many) = (filled(10, 500).await, filled(100_000, 500).await);
    let mut nanoseconds = [Vec::new(), Vec::new()];
    for turn in 0..TURNS {
        for (cache, count, found) in [(&few, 10, 0), (&many, 100_000, 1)] {
            // Prepared before the clock starts: keys come with the request.
            let keys: Vec<_> =
                (0..usize::from(HITS)).map(|hit| key((turn * usize::from(HITS) + hit) * 7919 % count)).collect();
            let start = Instant::now();
            for key in &keys {
                black_box(hit(cache, key).await);
            }
            nanoseconds[found].push(start.elapsed().as_secs_f64() * 1e9 / f64::from(HITS));
        }
    }
    let [few, many] = nanoseconds.map(|mut turns| {
        turns.sort_unstable_by(f64::total_cmp);
        turns[TURNS / 2]
    });
    println!("a hit in the cache among 10 names: {few:.0} ns, among 100,000: {many:.0} ns");
    many - few
}

async fn memory(count: usize, bytes: usize) -> f64 {
    let cache = cache();
    hit_or_read(&cache, &key(0), bytes).await;
    let before = resident();
    for number in 0..count {
        hit_or_read(&cache, &key(number), bytes).await;
    }
    assert_eq!(cache.usage().values, count as u64);
    resident() - before
}

fn cache() -> Cache<Text> {
    let config = Config { max_bytes: 1 << 30, ..Config::default() };
    Cache::new(&config, Arc::new(SystemClock::new()), Arc::new(|| 0), Arc::new(Counters::new()))
}

async fn filled(count: usize, bytes: usize) -> Cache<Text> {
    let cache = cache();
    for number in 0..count {
        hit_or_read(&cache, &key(number), bytes).await;
    }
    cache
}

async fn hit_or_read(cache: &Cache<Text>, key: &Key, bytes: usize) {
    let fetch = || move |_| std::future::ready(Ok(Some(Text(vec![7; bytes].into()))));
    let read = cache.get(key, Times::default(), fetch).await;
    assert!(read.is_ok_and(|read| read.is_some()));
}

async fn hit(cache: &Cache<Text>, key: &Key) -> usize {
    let fetch = || |_| std::future::ready(Ok(None));
    let hit = cache.get(key, Times::default(), fetch).await;
    hit.ok().flatten().expect("every name was read").value.weight()
}

fn key(number: usize) -> Key {
    let name = format!("connection_{number}");
    Key { scope: Scope::of(&"bench"), lookup: Lookup::parse(Kind::Connection, &name, "").expect("a good name") }
}

/// What the kernel says is resident, in megabytes.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes / 1024.0
}
