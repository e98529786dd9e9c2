use crate::model::Lookup;
use sha2::{Digest as _, Sha256};
use std::hash::{Hash, Hasher};

/// What a cached value is of: where it was read from, and which name. Never who asked: rights are decided on every lookup.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The definition of the source.
    pub scope: Scope,
    /// The name.
    pub lookup: Lookup,
}

impl Key {
    /// Bytes that the key takes beside the fixed overhead.
    pub(super) fn weight(&self) -> usize {
        self.lookup.name.as_str().len() + self.lookup.team.as_ref().map_or(0, |team| team.as_str().len())
    }
}

/// Stands for a source's definition: two sources that are defined alike share their cached values, one that is defined anew starts empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope(u64);

impl Scope {
    /// The scope of a definition: whatever was hashed into it, under SHA-256, so that two definitions do not meet by accident.
    pub fn of(definition: &impl Hash) -> Self {
        let mut hasher = Sha(Sha256::new());
        definition.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// SHA-256 as a [`Hasher`], so that any `#[derive(Hash)]` definition can be digested.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(digest[..8].try_into().expect("a SHA-256 digest has 32 bytes"))
    }
}
