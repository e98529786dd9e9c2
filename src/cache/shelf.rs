use super::{
    Key, Weigh,
    entry::{Entry, Now},
    map::Map,
};
use std::{
    fmt,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Values that are made rather than read: kept up to a bound, and used for as long as whoever asks for them says.
pub struct Shelf<V> {
    map: Map,
    of: PhantomData<fn() -> V>,
}

impl<V: Weigh> Shelf<V> {
    /// An empty shelf of at most so many bytes.
    pub fn new(max_bytes: u64) -> Self {
        Self { map: Map::new(max_bytes, None), of: PhantomData }
    }

    /// What is kept there.
    pub fn get(&self, key: &Key) -> Option<Arc<V>> {
        self.map.get(key).map(|entry| entry.payload)
    }

    /// Keeps a value; answers it.
    pub fn put(&self, key: Key, value: V) -> Arc<V> {
        let bytes = value.weight();
        let never = Now { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
        let entry = Entry::new(value, never, 0);
        let kept = Arc::clone(&entry.payload);
        self.map.put(key, entry, bytes);
        kept
    }

    /// Drops what is kept of these keys; answers how many there were. Goes through all keys.
    pub fn remove(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        self.map.remove(&is_meant).len()
    }
}

impl<V> fmt::Debug for Shelf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}
