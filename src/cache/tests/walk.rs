//! Walks the interleavings of arriving, leaving, ending, evicting, invalidating and waiting, and compares each step with the reference.

use super::{
    reference::{End, Reference, TIMES, Told},
    *,
};
use proptest::{prelude::*, test_runner::RngSeed};
use std::{collections::BTreeMap, sync::Mutex};
use tokio::{runtime::Runtime, sync::oneshot};

#[derive(Debug, Clone, Copy)]
enum Step {
    Arrive,
    /// The caller that waits longest leaves.
    Cancel,
    /// The read that began first ends.
    End(End),
    /// The read that began last ends.
    EndLast(End),
    Evict,
    Invalidate,
    /// Milliseconds.
    Wait(u64),
}

const DOWN: End = End::Fault(FaultKind::SourceDown);

/// Every step that there is; the waits are a pause between retries, that between failures, most of a fresh time, most of a stale time.
const STEPS: [Step; 14] = [
    Step::Arrive,
    Step::Cancel,
    Step::End(End::Value),
    Step::End(End::NotFound),
    Step::End(DOWN),
    Step::End(End::Fault(FaultKind::DeniedBySource)),
    Step::Invalidate,
    Step::Wait(200),
    Step::Wait(1000),
    Step::Wait(4800),
    Step::Wait(16_000),
    Step::EndLast(End::Value),
    Step::EndLast(DOWN),
    Step::Evict,
];

type Reads = Arc<Mutex<BTreeMap<usize, oneshot::Sender<End>>>>;

/// One schedule: a key of its own in a cache that all share, beside its reference.
struct Walk {
    cache: Cache<String>,
    clock: Arc<ManualClock>,
    key: Key,
    started: Arc<AtomicUsize>,
    reads: Reads,
    callers: Vec<Option<BoxFuture<'static, Told>>>,
    told: Vec<Option<Told>>,
    /// For each caller: which flight is the first that began after what was invalidated before the caller came.
    oldest: Vec<usize>,
    invalidated_at: usize,
    reference: Reference,
}

impl Walk {
    fn new(cache: &Cache<String>, clock: &Arc<ManualClock>, number: usize) -> Self {
        Self {
            cache: cache.clone(),
            clock: Arc::clone(clock),
            key: key(&number.to_string()),
            started: Arc::default(),
            reads: Arc::default(),
            callers: Vec::new(),
            told: Vec::new(),
            oldest: Vec::new(),
            invalidated_at: 0,
            reference: Reference::default(),
        }
    }

    /// Takes a step on both sides and compares; `false` where there is nothing to take it with.
    async fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Arrive => {
                self.callers.push(Some(self.caller()));
                self.told.push(None);
                self.oldest.push(self.invalidated_at);
                self.reference.arrive();
            }
            Step::Cancel => {
                let Some(caller) = self.reference.first_waiting() else { return false };
                self.callers[caller] = None;
                self.reference.cancel(caller);
            }
            Step::End(end) | Step::EndLast(end) => {
                let reading = self.reference.reading();
                let number = if matches!(step, Step::End(_)) { reading.first() } else { reading.last() };
                let Some(number) = number else { return false };
                self.reads.lock().unwrap().remove(number).unwrap().send(end).unwrap();
                self.reference.end(*number, end);
            }
            Step::Evict => {
                self.cache.inner.store.remove(&|key| *key == self.key);
                self.reference.evict();
            }
            Step::Invalidate => {
                self.cache.invalidate(|key| *key == self.key);
                self.reference.invalidate();
                self.invalidated_at = self.reference.started;
            }
            Step::Wait(millis) => {
                self.clock.advance(Duration::from_millis(millis));
                tokio::time::advance(Duration::from_millis(millis)).await;
                self.reference.advance(millis);
            }
        }
        self.settle().await;
        self.compare();
        true
    }

    /// A caller; the source that it brings along waits for how it is to end.
    fn caller(&self) -> BoxFuture<'static, Told> {
        let (cache, key) = (self.cache.clone(), self.key.clone());
        let (started, reads) = (Arc::clone(&self.started), Arc::clone(&self.reads));
        async move {
            let fetch = || {
                let number = started.fetch_add(1, Ordering::Relaxed);
                move |_| {
                    let (sender, end) = oneshot::channel();
                    let before = reads.lock().unwrap().insert(number, sender);
                    assert!(before.is_none(), "one read at a time");
                    async move {
                        match end.await.unwrap() {
                            End::Value => Ok(Some(number.to_string())),
                            End::NotFound => Ok(None),
                            End::Fault(kind) => Err(Fault::new(kind, "planted")),
                        }
                    }
                }
            };
            match cache.get(&key, TIMES, fetch).await {
                Ok(Some(hit)) if hit.state == State::Fresh => Told::Fresh(hit.value.parse().unwrap()),
                Ok(Some(hit)) => Told::Stale(hit.value.parse().unwrap()),
                Ok(None) => Told::NotFound,
                Err(fault) => Told::Fault(fault.kind()),
            }
        }
        .boxed()
    }

    /// Lets flights and callers go as far as they come by themselves.
    async fn settle(&mut self) {
        for _ in 0..2 {
            for (caller, told) in self.callers.iter_mut().zip(&mut self.told) {
                if let Some(done) = caller.as_mut().and_then(|caller| caller.as_mut().now_or_never()) {
                    (*caller, *told) = (None, Some(done));
                }
            }
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
        }
        self.reads.lock().unwrap().retain(|_, read| !read.is_closed());
    }

    fn compare(&self) {
        assert_eq!(self.told, self.reference.told());
        assert_eq!(self.reads.lock().unwrap().keys().copied().collect::<Vec<_>>(), self.reference.reading());
        assert_eq!(self.cache.in_flight(), self.reference.aloft());
        for (told, oldest) in self.told.iter().zip(&self.oldest) {
            if let Some(Told::Fresh(number) | Told::Stale(number)) = told {
                assert!(number >= oldest, "a value from before it was invalidated");
            }
        }
        let reads_for_those_who_come_now = self.reference.reading().into_iter().filter(|it| *it >= self.invalidated_at);
        assert!(reads_for_those_who_come_now.count() <= 1);
    }

    /// Whoever waits is told something, sooner or later.
    async fn finish(mut self) {
        self.step(Step::Wait(61_000)).await;
        assert!(self.callers.iter().all(Option::is_none), "a waiter is lost");
        assert_eq!(self.cache.in_flight(), 0);
        self.cache.invalidate(|_| true);
    }
}

/// A cache in a runtime whose time stands still.
fn laboratory() -> (Runtime, Cache<String>, Arc<ManualClock>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
    let cache = Cache::new(&Config::default(), Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(|| 0), Arc::default());
    (runtime, cache, clock)
}

/// Where short schedules begin: nothing is known; a value is near the end of its fresh time; it is past that; a name was not here.
const BEGINNINGS: [&[Step]; 4] = [
    &[Step::Arrive],
    &[Step::Arrive, Step::End(End::Value), Step::Wait(4800)],
    &[Step::Arrive, Step::End(End::Value), Step::Wait(4800), Step::Wait(200)],
    &[Step::Arrive, Step::End(End::NotFound), Step::Wait(1000), Step::Wait(1000)],
];

/// Steps after the beginning.
const DEPTH: usize = 3;

#[test]
fn every_short_schedule_goes_as_the_reference_says() {
    let (runtime, cache, clock) = laboratory();
    for beginning in BEGINNINGS {
        let (mut schedule, mut walked) = (Some([0; DEPTH]), 0);
        while let Some(steps) = schedule {
            let last = runtime.block_on(async {
                let mut walk = Walk::new(&cache, &clock, walked);
                for step in beginning {
                    assert!(walk.step(*step).await);
                }
                let mut last = 0;
                while last < DEPTH && walk.step(STEPS[steps[last]]).await {
                    last += 1;
                }
                walk.finish().await;
                last.min(DEPTH - 1)
            });
            schedule = after(steps, last);
            walked += 1;
        }
        assert!(walked > 500, "{walked}");
    }
}

/// The next schedule in order that differs in the step `last` or before it.
fn after(mut schedule: [usize; DEPTH], last: usize) -> Option<[usize; DEPTH]> {
    schedule[last + 1..].fill(0);
    let raised = schedule[..=last].iter().rposition(|step| step + 1 < STEPS.len())?;
    schedule[raised] += 1;
    schedule[raised + 1..].fill(0);
    Some(schedule)
}

/// Callers come more often than anything else happens, and values are there more often than not.
fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Arrive),
        3 => Just(Step::End(End::Value)),
        2 => Just(Step::Wait(4800)),
        10 => prop::sample::select(&STEPS[..]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn long_schedules_go_as_the_reference_says(schedule in prop::collection::vec(any_step(), 20..80)) {
        let (runtime, cache, clock) = laboratory();
        runtime.block_on(async {
            let mut walk = Walk::new(&cache, &clock, 0);
            for step in schedule {
                walk.step(step).await;
            }
            walk.finish().await;
        });
    }
}
