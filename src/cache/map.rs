use super::{Key, entry::Entry};
use crate::telemetry::{Counter, Counters};
use moka::{notification::RemovalCause, sync::Cache as Moka};
use std::{any::Any, sync::Arc};

/// The only file that knows moka: a map that is bounded by bytes and evicts what is asked for least. When an entry is too old is decided elsewhere.
///
/// It holds values of any type, because each type that moka is compiled for costs 80 KiB of program, and a sidecar's memory is mostly its program.
pub(super) struct Map {
    held: Moka<Key, Held>,
}

/// An entry whose value's type only its reader knows. Keys of one type of value never meet those of another in one map.
#[derive(Clone)]
struct Held {
    entry: Entry<dyn Any + Send + Sync>,
    weight: u32,
}

/// What one entry costs beside its key's and value's text: moka's node and counters, three `Arc`s, the hash table's slot.
const ENTRY_OVERHEAD: usize = 400;

impl Map {
    /// A map of at most so many bytes; evictions are counted where somebody counts.
    pub(super) fn new(max_bytes: u64, counters: Option<Arc<Counters>>) -> Self {
        let held = Moka::builder()
            .max_capacity(max_bytes)
            .weigher(|_, held: &Held| held.weight)
            .eviction_listener(move |_, _, cause| {
                if let (RemovalCause::Size, Some(counters)) = (cause, &counters) {
                    counters.count(Counter::CacheEvictions);
                }
            })
            .build();
        Self { held }
    }

    pub(super) fn get<T: Any + Send + Sync>(&self, key: &Key) -> Option<Entry<T>> {
        self.held.get(key)?.entry.downcast()
    }

    /// `bytes` is what the value takes on the heap.
    pub(super) fn put<T: Any + Send + Sync>(&self, key: Key, entry: Entry<T>, bytes: usize) {
        let weight = u32::try_from(key.weight() + bytes + ENTRY_OVERHEAD).unwrap_or(u32::MAX);
        self.held.insert(key, Held { entry: entry.erased(), weight });
    }

    pub(super) fn invalidate(&self, key: &Key) {
        self.held.invalidate(key);
    }

    /// Drops what is held of these keys; answers which there were. Goes through all keys.
    pub(super) fn remove(&self, is_meant: &dyn Fn(&Key) -> bool) -> Vec<Key> {
        let keys = self.held.iter().map(|(key, _)| Key::clone(&key)).filter(is_meant).collect::<Vec<_>>();
        keys.into_iter().filter(|key| self.held.remove(key).is_some()).collect()
    }

    /// Goes through all that is held.
    pub(super) fn each<T: Any + Send + Sync>(&self, mut visit: impl FnMut(&Key, Entry<T>)) {
        for (key, held) in &self.held {
            if let Some(entry) = held.entry.downcast() {
                visit(&key, entry);
            }
        }
    }

    /// Entries and bytes. moka counts lazily; what is pending is carried out first, so that the figures are those of now.
    pub(super) fn usage(&self) -> (u64, u64) {
        self.held.run_pending_tasks();
        (self.held.entry_count(), self.held.weighted_size())
    }
}
