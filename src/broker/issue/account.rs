use super::{IssueStores, key_slot::KeySlot};
use crate::{
    broker::Referenced,
    cache::{Cache, Hit},
    mint::{AccountConfig, StoredKey},
    model::{Fault, FaultKind},
};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};

/// An account with its keys.
#[derive(Debug)]
pub struct Account {
    config: Arc<AccountConfig>,
    keys: Vec<KeySlot>,
}

impl Account {
    /// An account and where its keys are, in the order of valet.yaml.
    pub fn new(config: AccountConfig, keys: Vec<Referenced>) -> Self {
        let config = Arc::new(config);
        let keys = keys.into_iter().map(|reference| KeySlot::new(reference, &config)).collect();
        Self { config, keys }
    }

    pub(super) fn config(&self) -> &AccountConfig {
        &self.config
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.config.name
    }

    /// Its keys.
    pub(super) fn slots(&self) -> &[KeySlot] {
        &self.keys
    }

    /// The key that signs: the newest of those that are there and enabled and not suspect. One that cannot be had leaves the others.
    ///
    /// Where there is one reference, its secret may hold the account's two keys in turn, as Microsoft's rotation stores them: while the newest
    /// version is suspect the one before it that holds another key signs. Two references are the two keys, and what they held before is dead.
    ///
    /// # Errors
    /// Where no key can be had: what keeps the first one away that might come back, else [`FaultKind::BadKey`] with what is wrong with each.
    pub(super) async fn signing_key(&self, stores: &IssueStores, now: Duration) -> Result<Hit<StoredKey>, Fault> {
        let mut reads = join_all(self.keys.iter().map(|slot| slot.get(&stores.keys))).await;
        let hits = || reads.iter().filter_map(|read| read.as_ref().ok());
        let is_suspect = |key: &StoredKey| self.suspect_for(stores, key, now).is_some();
        let earlier = match (&self.keys[..], hits().next()) {
            ([only], Some(newest)) if is_suspect(&newest.value) => only.earlier(&stores.keys, &newest.value).await,
            _ => None,
        };
        if let Some(chosen) = choose(hits().collect(), earlier.as_ref(), |hit| &hit.value, is_suspect) {
            return Ok(chosen.clone());
        }
        let fault = |is_it: &dyn Fn(FaultKind) -> bool| {
            reads.iter().position(|read| read.as_ref().is_err_and(|fault| is_it(fault.kind())))
        };
        if let Some(at) = fault(&FaultKind::is_unavailable).or_else(|| fault(&|kind| kind != FaultKind::BadKey)) {
            return reads.swap_remove(at);
        }
        let all: Vec<_> = reads.iter().filter_map(|read| Some(read.as_ref().err()?.message())).collect();
        Err(Fault::new(FaultKind::BadKey, all.join("; ")))
    }

    /// For how long a key of it is suspect yet.
    pub(super) fn suspect_for(&self, stores: &IssueStores, key: &StoredKey, now: Duration) -> Option<Duration> {
        stores.rejections.suspect_for(self.name(), key, now)
    }

    /// Reads every key again, past the cache; one that cannot be read stays what it is.
    pub(super) async fn read_again(&self, stores: &IssueStores) {
        join_all(self.keys.iter().map(|slot| slot.get_anew(&stores.keys))).await;
    }

    /// Drops its keys, so that they are read again before anything is signed; answers how many there were.
    pub(super) fn forget(&self, cache: &Cache<StoredKey>) -> usize {
        cache.invalidate(|key| self.keys.iter().any(|slot| slot.is_of(key)))
    }
}

/// The newest of the keys that is not suspect, else an earlier one that is not, else the newest: a suspicion is no proof.
pub(super) fn choose<K>(
    current: Vec<K>,
    earlier: Option<K>,
    key_of: impl Fn(&K) -> &StoredKey,
    is_suspect: impl Fn(&StoredKey) -> bool,
) -> Option<K> {
    // Of two that are as new as each other the first one written counts, so that two Valets agree.
    let newest = |keys: Vec<K>| {
        let newer = |newest, key| if key_of(&key).created > key_of(&newest).created { key } else { newest };
        keys.into_iter().reduce(newer)
    };
    let (suspect, trusted): (Vec<_>, Vec<_>) = current.into_iter().partition(|key| is_suspect(key_of(key)));
    newest(trusted).or_else(|| earlier.filter(|key| !is_suspect(key_of(key)))).or_else(|| newest(suspect))
}
