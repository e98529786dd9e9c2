use super::{
    Ledger,
    key_slot::{KeySlot, Seen},
};
use crate::{
    broker::Referenced,
    cache::{Cache, Hit},
    mint::{AccountConfig, AccountKind, StoredKey},
    model::{Fault, FaultKind},
};
use futures::future::join_all;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// An account with its keys.
#[derive(Debug)]
pub struct Account {
    config: Arc<AccountConfig>,
    keys: Vec<KeySlot>,
}

/// What is known of an account, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// Its kind as valet.yaml spells it.
    pub kind: &'static str,
    /// Its keys, in the order of valet.yaml.
    pub keys: Vec<KeyStatus>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The reference as valet.yaml spells it.
    pub reference: String,
    /// Which key it is; `None` until it has been read.
    pub fingerprint: Option<String>,
    /// The source's version of it.
    pub version: Option<Arc<str>>,
    /// When that version was made.
    pub created_at: Option<SystemTime>,
    /// What keeps it away, where it cannot be had.
    pub fault: Option<FaultKind>,
    /// Whether it is the one that signs.
    pub signs: bool,
    /// From when it may be regenerated without a token of it being out; `None` where it has not been read, or is itself handed out.
    pub safe_to_regenerate_after: Option<SystemTime>,
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

    /// The key that signs: the newest of those that are there and enabled. One that cannot be had leaves the others.
    ///
    /// # Errors
    /// Where no key can be had: what keeps the first one away that might come back, else [`FaultKind::BadKey`] with what is wrong with each.
    pub(super) async fn signing_key(&self, cache: &Cache<StoredKey>) -> Result<Hit<StoredKey>, Fault> {
        let reads = join_all(self.keys.iter().map(|slot| slot.get(cache))).await;
        let mut newest: Option<Hit<StoredKey>> = None;
        let mut faults = Vec::new();
        for read in reads {
            match read {
                // Of two that are as new as each other the first one written counts, so that two Valets agree.
                Ok(hit) if newest.as_ref().is_none_or(|newest| hit.value.created > newest.value.created) => {
                    newest = Some(hit);
                }
                Ok(_) => {}
                Err(fault) => faults.push(fault),
            }
        }
        if let Some(newest) = newest {
            return Ok(newest);
        }
        let worst = faults.iter().position(|fault| fault.kind().is_unavailable());
        let worst = worst.or_else(|| faults.iter().position(|fault| fault.kind() != FaultKind::BadKey));
        if let Some(at) = worst {
            return Err(faults.swap_remove(at));
        }
        let all: Vec<_> = faults.iter().map(Fault::message).collect();
        Err(Fault::new(FaultKind::BadKey, all.join("; ")))
    }

    /// Its keys.
    pub(super) fn slots(&self) -> &[KeySlot] {
        &self.keys
    }

    /// Drops its keys, so that they are read again before anything is signed; answers how many there were.
    pub(super) fn forget(&self, cache: &Cache<StoredKey>) -> usize {
        cache.invalidate(|key| self.keys.iter().any(|slot| slot.key() == key))
    }

    /// What is known of it; asks nobody. `longest` is the longest life of a token that its keys sign.
    pub(super) fn status(&self, ledger: &Ledger, longest: Duration, hands_out_key: bool) -> AccountStatus {
        let seen: Vec<_> = self.keys.iter().map(|slot| (slot, slot.seen())).collect();
        let mut signing: Option<&StoredKey> = None;
        for key in seen.iter().filter(|(_, seen)| seen.fault.is_none()).filter_map(|(_, seen)| seen.key.as_deref()) {
            if signing.is_none_or(|signing| key.created > signing.created) {
                signing = Some(key);
            }
        }
        let fingerprint = signing.map(|key| key.fingerprint.clone());
        let keys = seen.iter().map(|(slot, Seen { key, fault })| {
            let safe = |key: &StoredKey| ledger.safe_after(self.name(), &key.fingerprint, key.created, longest);
            KeyStatus {
                reference: slot.reference(),
                fingerprint: key.as_ref().map(|key| key.fingerprint.as_str().to_owned()),
                version: key.as_ref().and_then(|key| key.version.clone()),
                created_at: key.as_ref().and_then(|key| key.created),
                fault: *fault,
                signs: key.as_ref().is_some_and(|key| Some(&key.fingerprint) == fingerprint.as_ref()),
                safe_to_regenerate_after: key.as_deref().filter(|_| !hands_out_key).map(safe),
            }
        });
        AccountStatus { name: Arc::clone(self.name()), kind: kind(&self.config.kind), keys: keys.collect() }
    }
}

fn kind(kind: &AccountKind) -> &'static str {
    match kind {
        AccountKind::Storage(_) => "storage",
        AccountKind::ServiceBus { .. } => "service-bus",
        AccountKind::Cosmos { .. } => "cosmos",
        AccountKind::Batch { .. } => "batch",
    }
}
