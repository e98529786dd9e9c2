use super::{Account, IssueStores, account::choose, key_slot::KeySlot};
use crate::{
    mint::{AccountKind, StoredKey},
    model::FaultKind,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What is known of an account, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// Its kind as valet.yaml spells it.
    pub kind: &'static str,
    /// Its keys, in the order of valet.yaml.
    pub keys: Vec<KeyStatus>,
    /// Keys that its references led to before, and earlier versions that sign because a newer one is suspect; the newest few of each reference.
    pub earlier_keys: Vec<KeyStatus>,
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
    /// Until when it is suspect, because a token of it was reported as refused.
    pub suspect_until: Option<SystemTime>,
}

/// What the state of an account's keys depends on beside them.
pub(super) struct As<'a> {
    pub(super) stores: &'a IssueStores,
    /// The longest life of a token that the keys sign.
    pub(super) longest: Duration,
    /// Whether somebody gets a key itself.
    pub(super) hands_out_key: bool,
    /// Both ways.
    pub(super) now: (Duration, SystemTime),
}

impl Account {
    /// What is known of it; asks nobody.
    pub(super) fn status(&self, with: &As<'_>) -> AccountStatus {
        let seen: Vec<_> = self.slots().iter().map(|slot| (slot, slot.seen())).collect();
        let current = seen.iter().filter(|(_, seen)| seen.fault.is_none()).filter_map(|(_, seen)| seen.key.as_ref());
        let earlier = match &seen[..] {
            [(_, only)] => only.stand_in.as_ref(),
            _ => None,
        };
        let is_suspect = |key: &StoredKey| self.suspect_for(with.stores, key, with.now.0).is_some();
        let signing = choose(current.collect(), earlier, |key| &***key, is_suspect);
        let signing = signing.map(|key| key.fingerprint.clone());
        let status = |slot: &KeySlot, key: Option<&Arc<StoredKey>>, fault| KeyStatus {
            reference: slot.reference(),
            fingerprint: key.map(|key| key.fingerprint.as_str().to_owned()),
            version: key.and_then(|key| key.version.clone()),
            created_at: key.and_then(|key| key.created),
            fault,
            signs: key.is_some_and(|key| Some(&key.fingerprint) == signing.as_ref()),
            safe_to_regenerate_after: key.filter(|_| !with.hands_out_key).map(|key| self.safe_after(with, key)),
            suspect_until: key
                .and_then(|key| self.suspect_for(with.stores, key, with.now.0))
                .map(|left| with.now.1 + left),
        };
        let keys = seen.iter().map(|(slot, seen)| status(slot, seen.key.as_ref(), seen.fault)).collect();
        let earlier = seen.iter().flat_map(|(slot, seen)| seen.earlier.iter().map(|key| status(slot, Some(key), None)));
        let earlier_keys = earlier.collect();
        AccountStatus { name: Arc::clone(self.name()), kind: kind(&self.config().kind), keys, earlier_keys }
    }

    fn safe_after(&self, with: &As<'_>, key: &StoredKey) -> SystemTime {
        with.stores.ledger.safe_after(self.name(), &key.fingerprint, key.created, with.longest)
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
