//! What the cache costs when it matters. `make bench` runs it, through `benches/run.py`; it prints one line of JSON:
//!
//! - `herd_p99`: how long 1,000 callers of one cold name wait, as a multiple of the fetch that they share (held for one second, in real time);
//! - `resident_mb`: what 10,000 values of 500 bytes add to the resident memory, in MB.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads the clock and prints what it found"
)]

use std::{
    fs,
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
    let resident_mb = runtime.block_on(memory(10_000, 500));
    let herd_p99 = runtime.block_on(herd());
    println!("{}", serde_json::json!({"herd_p99": herd_p99, "resident_mb": resident_mb}));
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

async fn hit_or_read(cache: &Cache<Text>, key: &Key, bytes: usize) {
    let fetch = || move |_| std::future::ready(Ok(Some(Text(vec![7; bytes].into()))));
    let read = cache.get(key, Times::default(), fetch).await;
    assert!(read.is_ok_and(|read| read.is_some()));
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
