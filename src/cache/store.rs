use super::{Key, entry::Entry};
use crate::{
    model::Fault,
    telemetry::{Counter, Counters},
};
use moka::{notification::RemovalCause, sync::Cache as Moka};
use std::{sync::Arc, time::SystemTime};

/// What the cache has to know of a value.
pub trait Weigh: Send + Sync + 'static {
    /// Its bytes on the heap, as they count against the cache's bound.
    fn weight(&self) -> usize;

    /// When it ends of itself, as a token does: from then on it is not handed out, neither fresh nor stale. `None` for what has no such end.
    fn ends_at(&self) -> Option<SystemTime> {
        None
    }
}

/// The only file that knows moka: it bounds memory and evicts. When an entry is too old is decided elsewhere.
pub(super) struct Store<V> {
    values: Moka<Key, Entry<V>>,
    not_found: Moka<Key, Entry<()>>,
    faults: Moka<Key, Entry<Fault>>,
    max_bytes: u64,
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Values held.
    pub values: u64,
    /// Names held as not found.
    pub not_found: u64,
    /// Bytes held: keys, values and overhead.
    pub bytes: u64,
    /// The bound of `bytes`.
    pub max_bytes: u64,
}

/// What one entry costs beside its key's and value's text: moka's node and counters, three `Arc`s, the hash table's slot.
const ENTRY_OVERHEAD: usize = 400;

/// The share of the bound that names which are not there may take: a flood of odd names must not push out values.
const NOT_FOUND_SHARE: u64 = 8;

/// Most faults held at once; a fault is held for seconds only.
const MAX_FAULTS: u64 = 10_000;

impl<V: Weigh> Store<V> {
    pub(super) fn new(max_bytes: u64, counters: Arc<Counters>) -> Self {
        let not_found_bytes = max_bytes / NOT_FOUND_SHARE;
        let values =
            bounded(max_bytes - not_found_bytes, Arc::clone(&counters), |entry: &Entry<V>| entry.payload.weight());
        let not_found = bounded(not_found_bytes, counters, |_| 0);
        Self { values, not_found, faults: Moka::new(MAX_FAULTS), max_bytes }
    }

    pub(super) fn value(&self, key: &Key) -> Option<Entry<V>> {
        self.values.get(key)
    }

    pub(super) fn not_found(&self, key: &Key) -> Option<Entry<()>> {
        self.not_found.get(key)
    }

    pub(super) fn fault(&self, key: &Key) -> Option<Entry<Fault>> {
        self.faults.get(key)
    }

    pub(super) fn put_value(&self, key: Key, entry: Entry<V>) {
        self.not_found.invalidate(&key);
        self.faults.invalidate(&key);
        self.values.insert(key, entry);
    }

    pub(super) fn put_not_found(&self, key: Key, entry: Entry<()>) {
        self.values.invalidate(&key);
        self.faults.invalidate(&key);
        self.not_found.insert(key, entry);
    }

    pub(super) fn put_fault(&self, key: Key, entry: Entry<Fault>) {
        // Who could not answer may have been right before. Who refuses has answered: what was read before is no longer ours to give.
        if !entry.payload.kind().is_unavailable() {
            self.values.invalidate(&key);
            self.not_found.invalidate(&key);
        }
        self.faults.insert(key, entry);
    }

    /// Drops what is held of these keys; answers how many values and names not found that was. Goes through all keys.
    pub(super) fn remove(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        remove(&self.faults, &is_meant);
        remove(&self.values, &is_meant) + remove(&self.not_found, &is_meant)
    }

    pub(super) fn usage(&self) -> Usage {
        // moka counts lazily; what is pending is carried out first, so that the figures are those of now.
        self.values.run_pending_tasks();
        self.not_found.run_pending_tasks();
        Usage {
            values: self.values.entry_count(),
            not_found: self.not_found.entry_count(),
            bytes: self.values.weighted_size() + self.not_found.weighted_size(),
            max_bytes: self.max_bytes,
        }
    }
}

fn remove<T: Clone + Send + Sync + 'static>(held: &Moka<Key, T>, is_meant: impl Fn(&Key) -> bool) -> usize {
    let keys: Vec<_> = held.iter().map(|(key, _)| key).filter(|key| is_meant(key)).collect();
    keys.iter().filter(|key| held.remove(&***key).is_some()).count()
}

fn bounded<T: Send + Sync + 'static>(
    max_bytes: u64,
    counters: Arc<Counters>,
    weight: impl Fn(&Entry<T>) -> usize + Send + Sync + 'static,
) -> Moka<Key, Entry<T>> {
    Moka::builder()
        .max_capacity(max_bytes)
        .weigher(move |key: &Key, entry: &Entry<T>| {
            u32::try_from(key.weight() + weight(entry) + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
        })
        .eviction_listener(move |_, _, cause| {
            if cause == RemovalCause::Size {
                counters.count(Counter::CacheEvictions);
            }
        })
        .build()
}
