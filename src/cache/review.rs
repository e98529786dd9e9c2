use super::{Cache, Key, Weigh};
use crate::model::{Fault, Held, Review, Urgency};
use std::{future::Future, time::Duration};

/// What a review changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// How many values and names not found were confirmed.
    pub confirmed: usize,
    /// Of which keys the value is doubted, and was not before.
    pub doubted: Vec<Key>,
    /// Of which keys what was held was dropped.
    pub dropped: Vec<Key>,
}

impl<V: Weigh> Cache<V> {
    /// Goes through all that is held, and all that is being read, and does with each what `judge` says of it, who has news of it that hold as of
    /// that monotonic time. What was read later is passed over. A name not found that is doubted is dropped: it could not stand in for anything.
    /// Not for the way of a lookup.
    pub fn review(&self, as_of: Duration, judge: impl Fn(&Key, Held<'_>) -> Review) -> Reviewed {
        let inner = &self.inner;
        // In this order: what lands before the flights are closed is in the store when that is gone through.
        inner.flights.close(|key, since| {
            since <= as_of
                && matches!(judge(key, Held::Awaited { since }), Review::Doubt | Review::Lapse | Review::Drop)
        });
        let (mut reviewed, mut lapsed) = (Reviewed::default(), Vec::new());
        inner.store.each_value(|key, entry| {
            let read_at = entry.asked_at();
            if read_at > as_of {
                return;
            }
            match judge(key, Held::Value { read_at, revision: entry.payload.revision() }) {
                Review::Confirm => {
                    entry.confirm(as_of);
                    reviewed.confirmed += 1;
                }
                Review::Doubt if entry.doubt() => reviewed.doubted.push(key.clone()),
                Review::Lapse if entry.doubt() => lapsed.push(key.clone()),
                Review::Leave | Review::Doubt | Review::Lapse => {}
                Review::Drop => reviewed.dropped.push(key.clone()),
            }
        });
        inner.store.each_not_found(|key, entry| {
            let read_at = entry.read_at();
            if read_at > as_of {
                return;
            }
            match judge(key, Held::NotFound { read_at }) {
                Review::Leave => {}
                Review::Confirm => {
                    entry.confirm(as_of);
                    reviewed.confirmed += 1;
                }
                Review::Doubt | Review::Lapse | Review::Drop => reviewed.dropped.push(key.clone()),
            }
        });
        inner.store.forget(&reviewed.dropped);
        inner.changes.tell([&*reviewed.doubted, &*reviewed.dropped, &*lapsed].concat());
        reviewed
    }

    /// Starts a read for which nobody waits, as near the end of a fresh time; nothing happens where one is under way, the source failed just now
    /// or others come first.
    pub fn refresh<F, R>(&self, key: &Key, fetch: impl FnOnce() -> F)
    where
        F: Fn(Urgency) -> R + Send + 'static,
        R: Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    {
        self.inner.refresh_ahead(key, self.inner.now(), fetch);
    }

    /// Tells who listens that what is made of these keys is another thing now, though they themselves are what they were.
    pub fn announce(&self, keys: impl IntoIterator<Item = Key>) {
        self.inner.changes.tell(keys.into_iter().collect::<Vec<_>>());
    }

    /// How many values are held of these keys. Goes through all keys.
    pub fn held(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        let mut held = 0;
        self.inner.store.each_value(|key, _| held += usize::from(is_meant(key)));
        held
    }
}
