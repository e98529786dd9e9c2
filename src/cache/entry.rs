use super::{
    Times, Weigh,
    freshness::{Lead, Verdict, judge},
};
use crate::model::State;
use std::{
    any::Any,
    cmp::min,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

/// Something that was read, and when. All it says is a pure function of `now`.
#[derive(Debug)]
pub(super) struct Entry<T: ?Sized> {
    pub(super) payload: Arc<T>,
    /// Shared by all copies, so that who holds one sees what became of it.
    stamp: Arc<Stamp>,
    lead: Lead,
}

/// When something was read, or confirmed since, and whether that may be over.
#[derive(Debug)]
struct Stamp {
    /// Nanoseconds on the monotonic clock.
    read_at: AtomicU64,
    /// The same of the question: what the source says of changes since then is news.
    asked_at: AtomicU64,
    doubted: AtomicBool,
}

/// The time, both ways: ages are our own, ends of tokens are other machines' times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Since an arbitrary start.
    pub(super) monotonic: Duration,
    /// Wall clock.
    pub(super) wall: SystemTime,
}

/// A value with what a caller may know of its age.
#[derive(Debug, PartialEq, Eq)]
pub struct Hit<V> {
    /// The value.
    pub value: Arc<V>,
    /// Time since the source gave it.
    pub age: Duration,
    /// Until when it is served without asking again; in the past where that is over.
    pub fresh_until: SystemTime,
    /// Whether its source confirmed it in time, or could not be asked.
    pub state: State,
}

impl<T> Entry<T> {
    pub(super) fn new(payload: T, now: Now, random: u64) -> Self {
        let now_in_nanoseconds = || AtomicU64::new(nanoseconds(now.monotonic));
        let (read_at, asked_at) = (now_in_nanoseconds(), now_in_nanoseconds());
        let stamp = Stamp { read_at, asked_at, doubted: AtomicBool::new(false) };
        Self { payload: Arc::new(payload), stamp: Arc::new(stamp), lead: Lead::of(random) }
    }

    /// It was asked for at that monotonic time, if it is not older than that.
    pub(super) fn asked_for(self, at: Duration) -> Self {
        self.stamp.asked_at.fetch_min(nanoseconds(at), Relaxed);
        self
    }

    /// Its source says, as of then, that it is as it was read.
    pub(super) fn confirm(&self, as_of: Duration) {
        self.stamp.read_at.fetch_max(nanoseconds(as_of), Relaxed);
        self.stamp.asked_at.fetch_max(nanoseconds(as_of), Relaxed);
        self.stamp.doubted.store(false, Relaxed);
    }

    /// It may have changed, and is not fresh any more; answers whether that is new.
    pub(super) fn doubt(&self) -> bool {
        !self.stamp.doubted.swap(true, Relaxed)
    }

    /// Monotonic time at which it was read, or confirmed since.
    pub(super) fn read_at(&self) -> Duration {
        Duration::from_nanos(self.stamp.read_at.load(Relaxed))
    }

    /// Monotonic time at which it was asked for, or as of which it was confirmed since.
    pub(super) fn asked_at(&self) -> Duration {
        Duration::from_nanos(self.stamp.asked_at.load(Relaxed))
    }

    fn is_doubted(&self) -> bool {
        self.stamp.doubted.load(Relaxed)
    }

    pub(super) fn is_within(&self, span: Duration, now: Now) -> bool {
        self.left_of(span, now).is_some()
    }

    /// How much of `span`, counted from the reading, is left; `None` where it is over.
    pub(super) fn left_of(&self, span: Duration, now: Now) -> Option<Duration> {
        span.checked_sub(self.age(now)).filter(|left| !left.is_zero())
    }

    fn age(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.read_at())
    }
}

impl<T: Any + Send + Sync> Entry<T> {
    /// The same, of a type that only who put it there knows.
    pub(super) fn erased(self) -> Entry<dyn Any + Send + Sync> {
        Entry { payload: self.payload, stamp: self.stamp, lead: self.lead }
    }
}

impl Entry<dyn Any + Send + Sync> {
    /// The entry as it was put there.
    pub(super) fn downcast<T: Any + Send + Sync>(self) -> Option<Entry<T>> {
        let Self { payload, stamp, lead } = self;
        Some(Entry { payload: payload.downcast().ok()?, stamp, lead })
    }
}

impl<V: Weigh> Entry<V> {
    /// What was just read. Where another Valet gave it, it is as old as that one says, and no fresher than it was there.
    pub(super) fn read(value: V, now: Now, random: u64) -> Self {
        let (age, state) = value.relayed().map_or((Duration::ZERO, State::Fresh), |it| (it.age, it.state));
        let entry = Self::new(value, Now { monotonic: now.monotonic.saturating_sub(age), ..now }, random);
        entry.stamp.doubted.store(state == State::Stale, Relaxed);
        entry
    }

    /// Whether who gave it could not ask its source.
    pub(super) fn was_stale(&self) -> bool {
        self.payload.relayed().is_some_and(|relayed| relayed.state == State::Stale)
    }

    pub(super) fn judge(&self, times: Times, now: Now) -> Verdict {
        match self.payload.ends_at() {
            Some(end) if end <= now.wall => Verdict::Gone,
            _ if self.is_doubted() => judge(self.age(now), self.lead, Times { fresh: Duration::ZERO, ..times }),
            _ => judge(self.age(now), self.lead, Times { fresh: self.fresh(times, now), ..times }),
        }
    }

    /// How long it is fresh. Of a value that ends another is handed out where it comes from before that, and asked for then at the latest.
    fn fresh(&self, times: Times, now: Now) -> Duration {
        match (self.payload.ends_at(), self.payload.relayed()) {
            (Some(_), Some(relayed)) => {
                let left = relayed.fresh_until.duration_since(now.wall).unwrap_or_default();
                min(times.fresh, self.age(now) + left)
            }
            _ => times.fresh,
        }
    }

    pub(super) fn hit(&self, state: State, times: Times, now: Now) -> Hit<V> {
        let (age, fresh) = (self.age(now), self.fresh(times, now));
        let fresh_until = match fresh.checked_sub(age) {
            Some(left) => now.wall + left,
            None => now.wall - (age - fresh),
        };
        let fresh_until = self.payload.ends_at().map_or(fresh_until, |end| min(end, fresh_until));
        // What is doubted ceased to be fresh before its time.
        let fresh_until = if state == State::Stale { min(fresh_until, now.wall) } else { fresh_until };
        Hit { value: Arc::clone(&self.payload), age, fresh_until, state }
    }
}

impl<T: ?Sized> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { payload: Arc::clone(&self.payload), stamp: Arc::clone(&self.stamp), lead: self.lead }
    }
}

fn nanoseconds(monotonic: Duration) -> u64 {
    u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX)
}

impl<V> Clone for Hit<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const TIMES: Times = Times { fresh: Duration::from_mins(5), stale: Duration::from_hours(1), not_found: MINUTE };

    /// A value that ends of itself at this minute.
    struct Token(Option<u32>);

    impl Weigh for Token {
        fn weight(&self) -> usize {
            0
        }

        fn ends_at(&self) -> Option<SystemTime> {
            self.0.map(|minute| at(minute).wall)
        }
    }

    fn at(minute: u32) -> Now {
        Now { monotonic: MINUTE * minute, wall: SystemTime::UNIX_EPOCH + MINUTE * (1000 + minute) }
    }

    #[test]
    fn an_entry_is_fresh_until_its_span_is_over_and_not_at_that_instant() {
        let entry = Entry::new("v", at(1), 0);
        let just_before = Now { monotonic: MINUTE * 2 - Duration::from_nanos(1), ..at(2) };
        assert_eq!(entry.left_of(MINUTE, at(1)), Some(MINUTE));
        assert_eq!(entry.left_of(MINUTE, just_before), Some(Duration::from_nanos(1)));
        assert_eq!(entry.left_of(MINUTE, at(2)), None);
        assert!(!entry.is_within(Duration::ZERO, at(1)), "a span of zero turns caching off");
    }

    #[test]
    fn a_hit_says_its_age_and_its_end_on_the_wall_clock_also_when_that_is_past() {
        for (minute, state) in [(3, State::Fresh), (6, State::Fresh), (30, State::Stale)] {
            let hit = Entry::new(Token(None), at(1), 0).hit(state, TIMES, at(minute));
            assert_eq!((hit.age, hit.fresh_until, hit.state), (MINUTE * (minute - 1), at(6).wall, state));
        }
    }

    #[test]
    fn what_ends_of_itself_is_gone_then_however_fresh_or_stale_it_might_be() {
        let token = Entry::new(Token(Some(4)), at(1), 0);
        assert_eq!(token.hit(State::Fresh, TIMES, at(2)).fresh_until, at(4).wall);
        let verdicts = [1, 3, 4, 5, 30].map(|minute| token.judge(TIMES, at(minute)));
        assert_eq!(verdicts, [Verdict::Fresh, Verdict::Fresh, Verdict::Gone, Verdict::Gone, Verdict::Gone]);
        let token = Entry::new(Token(Some(30)), at(1), 0);
        let verdicts = [4, 29, 30].map(|minute| token.judge(TIMES, at(minute)));
        assert_eq!(verdicts, [Verdict::Fresh, Verdict::Stale, Verdict::Gone]);
    }
}
