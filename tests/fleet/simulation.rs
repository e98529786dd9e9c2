//! A fleet before one vault, in simulated time: the real broker, cache and reader of each Valet; the wire, the vault and the tasks are stand-ins.

use async_trait::async_trait;
use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;
use valet::{
    audit::Audit,
    broker::{Broker, IssueStores, Issuer, Reader, Routes, TimedReader},
    cache::{self, Cache, Scope, Times},
    clock::Clock,
    model::{Caller, Claims, Fault, FaultKind, Found, Kind, Lookup, Name, Relayed, Right, SourceName, Urgency},
    policy::Policy,
    source::Source,
    telemetry::Counters,
};

/// What Azure allows one vault (<https://learn.microsoft.com/azure/key-vault/general/service-limits>) …
const LIMIT: u64 = 4000;

/// … in any such time.
const WINDOW: Duration = Duration::from_secs(10);

/// How long a vault takes to answer, and a Valet in the same cluster.
const VAULT_LATENCY: Duration = Duration::from_millis(20);
const VALET_LATENCY: Duration = Duration::from_millis(1);

/// Who asks the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Each task by itself, as `AzureKeyVaultBackend` does: a challenge, then each secret.
    Tasks,
    /// A Valet beside each worker.
    Sidecars,
    /// A Valet beside each worker, and one that all of them ask.
    Central,
}

/// How many workers there are, and what their tasks want.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) workers: u64,
    pub(crate) secrets: u64,
    /// Tasks that a worker starts in an hour, evenly but for some jitter.
    pub(crate) tasks_per_hour: u32,
    /// Secrets that a task looks up, drawn evenly from all.
    pub(crate) lookups: u32,
    pub(crate) time: Duration,
}

/// What it came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Requests to the vault.
    pub(crate) calls: u64,
    /// The most of them in 10 s.
    pub(crate) peak: u64,
    /// Those that it refused with 429.
    pub(crate) throttled: u64,
    /// Lookups of tasks.
    pub(crate) lookups: u64,
    /// Those that had no answer.
    pub(crate) failed: u64,
}

/// A line of FLEET.md's table: an hour of workers that start a task every two minutes, each of which looks four secrets up.
pub(crate) fn line(secrets: u64, workers: u64) -> String {
    let load = Load { workers, secrets, tasks_per_hour: 30, lookups: 4, time: Duration::from_hours(1) };
    let all = [Layout::Tasks, Layout::Sidecars, Layout::Central].map(|layout| run(layout, load));
    let cells = all.map(|Outcome { calls, peak, throttled, .. }| {
        let refused = if throttled == 0 { String::new() } else { format!(", {throttled} refused") };
        format!("{calls} ({peak} in 10 s{refused})")
    });
    format!("| {secrets} | {workers} | {} | {} |", all[0].lookups, cells.join(" | "))
}

/// Runs a fleet from a cold start.
pub(crate) fn run(layout: Layout, load: Load) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(fleet(layout, load))
}

async fn fleet(layout: Layout, load: Load) -> Outcome {
    let world = World::new();
    let centre = Arc::new(world.valet(Arc::new(Vault(Arc::clone(&world)))));
    let (lookups, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks = TaskTracker::new();
    for worker in 0..load.workers {
        let sidecar = match layout {
            Layout::Tasks => None,
            Layout::Sidecars => Some(world.valet(Arc::new(Vault(Arc::clone(&world))))),
            Layout::Central => Some(world.valet(Arc::new(Upstream(Arc::clone(&centre))))),
        };
        let (world, lookups, failed) = (Arc::clone(&world), Arc::clone(&lookups), Arc::clone(&failed));
        tasks.spawn(async move {
            let mut random = Random(worker);
            let period = Duration::from_hours(1) / load.tasks_per_hour;
            sleep(period.mul_f64(random.fraction())).await;
            while world.clock.monotonic() < BEFORE_START + load.time {
                if layout == Layout::Tasks {
                    drop(world.request().await);
                }
                for _ in 0..load.lookups {
                    let lookup = lookup(random.next() % load.secrets);
                    let is_answered = match &sidecar {
                        Some(valet) => valet.lookup(&caller(), &lookup).await.is_ok_and(|answer| answer.is_some()),
                        None => world.request().await.is_ok(),
                    };
                    lookups.fetch_add(1, Relaxed);
                    failed.fetch_add(u64::from(!is_answered), Relaxed);
                }
                sleep(period.mul_f64(0.8 + 0.4 * random.fraction())).await;
            }
        });
    }
    tasks.close();
    tasks.wait().await;
    Outcome {
        lookups: lookups.load(Relaxed),
        failed: failed.load(Relaxed),
        ..*world.asked.lock().expect("no panic").outcome()
    }
}

/// The time, the vault's doorkeeper, and what all Valets may share since none of them uses it.
struct World {
    clock: Arc<dyn Clock>,
    asked: Mutex<Doorkeeper>,
    counters: Arc<Counters>,
    stores: IssueStores,
    seed: Arc<AtomicU64>,
}

impl World {
    fn new() -> Arc<Self> {
        let clock: Arc<dyn Clock> = Arc::new(Simulated::new());
        let (counters, seed) = (Arc::new(Counters::new()), Arc::new(AtomicU64::new(1)));
        let _config = cache::Config::default();
        let stores = IssueStores::new(&clock, Arc::new(|| 0), &counters);
        Arc::new(Self { clock, asked: Mutex::default(), counters, stores, seed })
    }

    /// A Valet with the default times and this only source.
    fn valet(&self, source: Arc<dyn Source>) -> Broker {
        let (clock, counters) = (|| Arc::clone(&self.clock), || Arc::clone(&self.counters));
        let reader = Arc::new(Reader::new(source, Scope::of(&"source"), clock(), counters()));
        let routes = Routes::new(&[], vec![TimedReader { reader, times: Times::default() }]).expect("no pattern");
        let seed = Arc::clone(&self.seed);
        let random = Arc::new(move || Random(seed.fetch_add(1, Relaxed)).next());
        let cache = Cache::new(&cache::Config::default(), clock(), random, counters());
        let policy = Policy::new([("tasks".into(), BTreeSet::from([Right::Connections]))]);
        let issuer = Issuer::new(Vec::new(), Vec::new(), self.stores.clone(), clock(), counters());
        Broker::new(policy, (Vec::new(), issuer), routes, cache, Audit::off(clock(), counters()), clock(), counters())
    }

    /// One request to the vault.
    async fn request(&self) -> Result<(), Fault> {
        let admitted = self.asked.lock().expect("no panic").ask(self.clock.monotonic());
        sleep(VAULT_LATENCY).await;
        admitted.map_err(|wait| Fault::new(FaultKind::Throttled, "429").retry_after(Some(wait)))
    }
}

/// Counts requests in windows that lie side by side, which lets through a little more than a sliding one would.
#[derive(Default)]
struct Doorkeeper {
    window: u128,
    in_window: u64,
    outcome: Outcome,
}

impl Doorkeeper {
    /// Lets a request in, or says when to come again.
    fn ask(&mut self, now: Duration) -> Result<(), Duration> {
        let window = now.as_nanos() / WINDOW.as_nanos();
        if window != self.window {
            (self.window, self.in_window) = (window, 0);
        }
        self.in_window += 1;
        self.outcome.calls += 1;
        self.outcome.peak = self.outcome.peak.max(self.in_window);
        if self.in_window <= LIMIT {
            return Ok(());
        }
        self.outcome.throttled += 1;
        let left = WINDOW.as_nanos() - now.as_nanos() % WINDOW.as_nanos();
        Err(Duration::from_nanos(u64::try_from(left).expect("it is at most 10 s")))
    }

    fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

/// The vault as a source of a Valet.
struct Vault(Arc<World>);

#[async_trait]
impl Source for Vault {
    fn name(&self) -> &SourceName {
        unnamed()
    }

    fn kind(&self) -> &'static str {
        "key-vault"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        lookup.to_string()
    }

    async fn read(&self, _: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        self.0.request().await.map(|()| Some(Found::plain("postgres://user:password@host/db")))
    }

    async fn read_named(&self, _: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        Ok(None)
    }
}

/// Another Valet as a source, without the wire: what it says of age and state comes along.
struct Upstream(Arc<Broker>);

#[async_trait]
impl Source for Upstream {
    fn name(&self) -> &SourceName {
        unnamed()
    }

    fn kind(&self) -> &'static str {
        "upstream"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        lookup.to_string()
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        sleep(VALET_LATENCY).await;
        let answer = self.0.lookup(&caller(), lookup).await?;
        Ok(answer.map(|answer| {
            let (age, state, fresh_until, mask) = (answer.age, answer.state, answer.fresh_until, answer.mask);
            Found { relayed: Some(Box::new(Relayed { age, state, fresh_until, mask })), ..answer.found }
        }))
    }

    async fn read_named(&self, _: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        Ok(None)
    }
}

fn unnamed() -> &'static SourceName {
    static NAME: std::sync::OnceLock<SourceName> = std::sync::OnceLock::new();
    NAME.get_or_init(|| SourceName::new("source"))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}

fn lookup(secret: u64) -> Lookup {
    Lookup::parse(Kind::Connection, &format!("secret_{secret}"), "").expect("a name")
}

fn caller() -> Caller {
    Caller { listener: "tasks".into(), peer: None, claims: Claims::default() }
}

/// Longer ago than any value that another Valet may have.
const BEFORE_START: Duration = Duration::from_hours(1000);

/// tokio's paused time.
#[derive(Debug)]
struct Simulated(Instant);

impl Simulated {
    #[expect(clippy::disallowed_methods, reason = "it is simulated time")]
    fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Simulated {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        BEFORE_START + self.0.elapsed()
    }
}

/// Numbers that are the same in each run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / f64::from(u32::MAX)
    }
}
