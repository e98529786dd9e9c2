use crate::model::State;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Something that was read, and when. All it says is a pure function of `now`.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) payload: Arc<T>,
    /// Monotonic time at which the source gave it.
    read_at: Duration,
}

/// A value with what a caller may know of its age.
#[derive(Debug, PartialEq, Eq)]
pub struct Hit<V> {
    /// The value.
    pub value: Arc<V>,
    /// Time since the source gave it.
    pub age: Duration,
    /// Until when it is served without asking again.
    pub fresh_until: SystemTime,
    /// Whether that is still so.
    pub state: State,
}

impl<T> Entry<T> {
    pub(super) fn new(payload: T, now: Duration) -> Self {
        Self { payload: Arc::new(payload), read_at: now }
    }

    pub(super) fn is_within(&self, span: Duration, now: Duration) -> bool {
        self.left_of(span, now).is_some()
    }

    /// How much of `span`, counted from the reading, is left; `None` where it is over.
    pub(super) fn left_of(&self, span: Duration, now: Duration) -> Option<Duration> {
        span.checked_sub(self.age(now)).filter(|left| !left.is_zero())
    }

    pub(super) fn hit(&self, fresh: Duration, now: Duration, wall: SystemTime) -> Hit<T> {
        let left = self.left_of(fresh, now).unwrap_or_default();
        Hit { value: Arc::clone(&self.payload), age: self.age(now), fresh_until: wall + left, state: State::Fresh }
    }

    fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.read_at)
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { payload: Arc::clone(&self.payload), read_at: self.read_at }
    }
}

impl<V> Clone for Hit<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), age: self.age, fresh_until: self.fresh_until, state: self.state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn an_entry_is_fresh_until_its_span_is_over_and_not_at_that_instant() {
        let entry = Entry::new("v", MINUTE);
        assert_eq!(entry.left_of(MINUTE, MINUTE), Some(MINUTE));
        assert_eq!(entry.left_of(MINUTE, MINUTE * 2 - Duration::from_nanos(1)), Some(Duration::from_nanos(1)));
        assert_eq!(entry.left_of(MINUTE, MINUTE * 2), None);
        assert!(!entry.is_within(Duration::ZERO, MINUTE), "a span of zero turns caching off");
    }

    #[test]
    fn a_hit_says_its_age_and_its_end_on_the_wall_clock() {
        let hit = Entry::new("v", MINUTE).hit(MINUTE * 5, MINUTE * 3, SystemTime::UNIX_EPOCH);
        assert_eq!(
            (hit.age, hit.fresh_until, hit.state),
            (MINUTE * 2, SystemTime::UNIX_EPOCH + MINUTE * 3, State::Fresh)
        );
    }
}
