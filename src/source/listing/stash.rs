use crate::{azure::SecretName, model::Found};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// Most secrets that are read at start.
const MOST: usize = 1024;

/// Most memory for their values, in bytes.
const MOST_BYTES: usize = 4 << 20;

/// Values that were read before anybody asked for them, until somebody does: the cache knows names of Airflow's, and which of them lead to a secret
/// cannot be told from the secret's own. Who takes one out keeps it.
#[derive(Debug, Default)]
pub(super) struct Stash {
    queue: VecDeque<SecretName>,
    secrets: HashMap<Box<str>, Kept>,
    bytes: usize,
}

/// How far the reading of one secret has come.
#[derive(Debug)]
enum Kept {
    Wanted,
    Read(Early),
}

/// A value, and when it was asked for, on the monotonic clock.
#[derive(Debug, Clone)]
pub(super) struct Early {
    pub(super) found: Found,
    pub(super) read_at: Duration,
}

impl Stash {
    /// Wants these to be read; answers how many are left out because they are too many.
    pub(super) fn want(&mut self, names: impl IntoIterator<Item = SecretName>) -> usize {
        let mut left_out = 0;
        for name in names {
            if self.secrets.len() < MOST {
                self.secrets.insert(key(&name), Kept::Wanted);
                self.queue.push_back(name);
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// The next one to read, if somebody did not ask for it meanwhile.
    pub(super) fn next(&mut self) -> Option<SecretName> {
        while let Some(name) = self.queue.pop_front() {
            if self.secrets.contains_key(&key(&name)) {
                return Some(name);
            }
        }
        None
    }

    /// It could not be read just now, and is wanted still.
    pub(super) fn put_back(&mut self, name: SecretName) {
        self.queue.push_front(name);
    }

    /// Keeps what was read, if it is wanted still; answers whether there was room for it.
    pub(super) fn put(&mut self, name: &SecretName, found: Option<Early>) -> bool {
        let name = key(name);
        let Some(Kept::Wanted) = self.secrets.remove(&name) else { return true };
        let Some(early) = found else { return true };
        let bytes = early.found.value.len();
        if self.bytes + bytes > MOST_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.secrets.insert(name, Kept::Read(early));
        true
    }

    /// What was read of it, which is now the caller's. If it was not read yet, it is not wanted any more.
    pub(super) fn take(&mut self, name: &SecretName) -> Option<Early> {
        // Nearly always there is nothing.
        if self.secrets.is_empty() {
            return None;
        }
        match self.secrets.remove(&key(name))? {
            Kept::Wanted => None,
            Kept::Read(early) => {
                self.bytes -= early.found.value.len();
                Some(early)
            }
        }
    }

    /// Keeps only what is still so.
    pub(super) fn retain(&mut self, is_so: impl Fn(&SecretName, &Early) -> bool) {
        let is_kept = |name: &str, kept: &Kept| match kept {
            Kept::Wanted => true,
            Kept::Read(early) => SecretName::parse(name).is_some_and(|name| is_so(&name, early)),
        };
        self.secrets.retain(|name, kept| is_kept(name, kept));
        let bytes = |kept: &Kept| if let Kept::Read(early) = kept { early.found.value.len() } else { 0 };
        self.bytes = self.secrets.values().map(bytes).sum();
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn key(name: &SecretName) -> Box<str> {
    name.as_str().to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    fn early(value: impl Into<String>) -> Early {
        Early { found: Found::plain(value), read_at: Duration::ZERO }
    }

    fn taken(stash: &mut Stash, text: &str) -> Option<String> {
        stash.take(&name(text)).map(|early| early.found.value.expose().to_owned())
    }

    #[test]
    fn a_value_is_taken_out_once_in_whatever_case_it_is_asked_for() {
        let mut stash = Stash::default();
        assert_eq!(stash.want([name("db"), name("cache")]), 0);
        assert_eq!(stash.next(), Some(name("db")));
        assert!(stash.put(&name("db"), Some(early("1"))));
        assert_eq!((taken(&mut stash, "DB"), taken(&mut stash, "db")), (Some("1".to_owned()), None));
        assert_eq!((stash.next(), stash.next()), (Some(name("cache")), None));
    }

    #[test]
    fn what_somebody_asks_for_first_is_not_read_ahead_nor_kept_if_that_is_under_way() {
        let mut stash = Stash::default();
        stash.want([name("a"), name("b"), name("c")]);
        assert_eq!(taken(&mut stash, "b"), None);
        assert_eq!(stash.next(), Some(name("a")));
        assert_eq!(taken(&mut stash, "a"), None);
        assert!(stash.put(&name("a"), Some(early("1"))));
        assert_eq!((taken(&mut stash, "a"), stash.next()), (None, Some(name("c"))));
        stash.put_back(name("c"));
        assert_eq!(stash.next(), Some(name("c")));
    }

    #[test]
    fn neither_count_nor_bytes_grow_beyond_their_bounds_and_what_is_dropped_makes_room() {
        let mut stash = Stash::default();
        assert_eq!(stash.want((0..MOST + 3).map(|number| name(&format!("n{number}")))), 3);
        let large = "x".repeat(MOST_BYTES / 2);
        assert!(stash.put(&name("n0"), Some(early(&*large))) && stash.put(&name("n1"), Some(early(&*large))));
        assert!(!stash.put(&name("n2"), Some(early("x"))));
        stash.retain(|known, _| *known != name("n0"));
        assert!(stash.put(&name("n3"), Some(early("x"))));
        assert_eq!(taken(&mut stash, "n0"), None);
        assert_eq!(taken(&mut stash, "n1"), Some(large));
        assert_eq!(stash.bytes, 1);
    }
}
