use super::{Key, entry::Entry, flight::Outcome, map::Map};
use crate::{
    model::{Fault, Relayed, Revision},
    telemetry::Counters,
};
use std::{marker::PhantomData, sync::Arc, time::SystemTime};

/// What the cache has to know of a value.
pub trait Weigh: Send + Sync + 'static {
    /// Its bytes on the heap, as they count against the cache's bound.
    fn weight(&self) -> usize;

    /// When it ends of itself, as a token does: from then on it is not handed out, neither fresh nor stale. `None` for what has no such end.
    fn ends_at(&self) -> Option<SystemTime> {
        None
    }

    /// What the Valet said of it that gave it: its age counts. `None` where its source was asked itself.
    fn relayed(&self) -> Option<&Relayed> {
        None
    }

    /// By what its source tells it from what was there before.
    fn revision(&self) -> Revision<'_> {
        Revision::default()
    }

    /// Whether another value is no news to who knows this one.
    fn is_same(&self, _other: &Self) -> bool
    where
        Self: Sized,
    {
        false
    }
}

/// What was read, what was not found and what failed, each bounded apart from the others.
pub(super) struct Store<V> {
    values: Map,
    not_found: Map,
    faults: Map,
    max_bytes: u64,
    of: PhantomData<fn() -> V>,
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

/// The share of the bound that names which are not there may take: a flood of odd names must not push out values.
const NOT_FOUND_SHARE: u64 = 8;

/// Most bytes of faults, some 8,000 of them; a fault is held for seconds only.
const FAULT_BYTES: u64 = 4 << 20;

impl<V: Weigh> Store<V> {
    pub(super) fn new(max_bytes: u64, counters: Arc<Counters>) -> Self {
        let not_found_bytes = max_bytes / NOT_FOUND_SHARE;
        Self {
            values: Map::new(max_bytes - not_found_bytes, Some(Arc::clone(&counters))),
            not_found: Map::new(not_found_bytes, Some(counters)),
            faults: Map::new(FAULT_BYTES, None),
            max_bytes,
            of: PhantomData,
        }
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
        let bytes = entry.payload.weight();
        self.values.put(key, entry, bytes);
    }

    pub(super) fn put_not_found(&self, key: Key, entry: Entry<()>) {
        self.values.invalidate(&key);
        self.faults.invalidate(&key);
        self.not_found.put(key, entry, 0);
    }

    pub(super) fn put_fault(&self, key: Key, entry: Entry<Fault>) {
        // Who could not answer may have been right before. Who refuses has answered: what was read before is no longer ours to give.
        if !entry.payload.kind().is_unavailable() {
            self.values.invalidate(&key);
            self.not_found.invalidate(&key);
        }
        let bytes = entry.payload.message().len();
        self.faults.put(key, entry, bytes);
    }

    /// Drops what is held of these keys; answers of which values and names not found. Goes through all keys.
    pub(super) fn remove(&self, is_meant: &dyn Fn(&Key) -> bool) -> Vec<Key> {
        self.faults.remove(is_meant);
        let mut removed = self.values.remove(is_meant);
        removed.extend(self.not_found.remove(is_meant));
        removed
    }

    /// Whether something of this key was held that is not what `outcome` says now.
    pub(super) fn is_news(&self, key: &Key, outcome: &Outcome<V>) -> bool {
        match (outcome, self.value(key)) {
            (Ok(Some(new)), Some(old)) => !new.payload.is_same(&old.payload),
            (Ok(Some(_)), None) => self.not_found(key).is_some(),
            (Ok(None), old) => old.is_some(),
            (Err(fault), old) => old.is_some() && !fault.kind().is_unavailable(),
        }
    }

    /// Goes through all values.
    pub(super) fn each_value(&self, visit: impl FnMut(&Key, Entry<V>)) {
        self.values.each(visit);
    }

    /// Goes through all names not found.
    pub(super) fn each_not_found(&self, visit: impl FnMut(&Key, Entry<()>)) {
        self.not_found.each(visit);
    }

    /// Drops what is held of these keys.
    pub(super) fn forget(&self, keys: &[Key]) {
        for key in keys {
            self.values.invalidate(key);
            self.not_found.invalidate(key);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let ((values, value_bytes), (not_found, not_found_bytes)) = (self.values.usage(), self.not_found.usage());
        Usage { values, not_found, bytes: value_bytes + not_found_bytes, max_bytes: self.max_bytes }
    }
}
