use std::{
    collections::HashMap,
    convert::Infallible,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// One value for each definition, for as long as somebody uses it: what a reload leaves as it was stays the same object, with its
/// connections and tokens; what nobody uses any more is gone. So the map is never larger than what is in use, twice during a reload.
#[derive(Debug)]
pub(super) struct Shared<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Shared<K, V> {
    /// The value of this definition, made if nobody has it.
    pub(super) fn get_or_make(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        let Ok(value) = self.get_or_build(key, || Ok::<_, Infallible>(make()));
        value
    }

    /// The value of this definition, built if nobody has it.
    pub(super) fn get_or_build<E>(&self, key: &K, build: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(key).and_then(Weak::upgrade) {
            return Ok(value);
        }
        let value = Arc::new(build()?);
        values.retain(|_, value| value.strong_count() > 0);
        values.insert(key.clone(), Arc::downgrade(&value));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_as_long_as_it_is_used() {
        let shared = Shared::<&str, u32>::default();
        let build = |value| move || Ok::<_, ()>(value);
        let first = shared.get_or_build(&"a", build(1)).unwrap();
        assert_eq!(*shared.get_or_build(&"a", build(2)).unwrap(), 1);
        assert_eq!(shared.get_or_build(&"b", || Err(7)), Err(7));
        drop(first);
        assert_eq!(*shared.get_or_build(&"a", build(3)).unwrap(), 3);
        assert_eq!(shared.0.lock().unwrap().len(), 1);
    }
}
