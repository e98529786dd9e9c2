use crate::{
    broker::{Reader, Referenced},
    cache::{Cache, Hit, Key, Scope, Times, Weigh},
    mint::{AccountConfig, DelegationKey, StoredKey},
    model::{Fault, FaultKind, Kind, Lookup, Name, Revision, Urgency},
};
use futures::future::BoxFuture;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// One key of an account: where it is stored, and what was last found there.
#[derive(Debug)]
pub(super) struct KeySlot {
    reference: Referenced,
    account: Arc<AccountConfig>,
    key: Key,
    /// For the status, which asks nobody.
    seen: Mutex<Seen>,
}

/// For how long a key that cannot be read again goes on signing.
const PINNED: Duration = Duration::from_hours(365 * 24);

/// What was last found.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The key, also while it cannot be read again.
    pub(super) key: Option<Arc<StoredKey>>,
    /// What keeps it away.
    pub(super) fault: Option<FaultKind>,
}

impl KeySlot {
    /// The key that a reference of this account leads to.
    pub(super) fn new(reference: Referenced, account: &Arc<AccountConfig>) -> Self {
        let name = Name::parse(&account.name).expect("a name in valet.yaml has 1 to 64 letters, digits, `_` and `-`");
        let scope = Scope::of(&("key", reference.scope(), account));
        let key = Key { scope, lookup: Lookup { kind: Kind::Variable, name, team: None } };
        Self { reference, account: Arc::clone(account), key, seen: Mutex::default() }
    }

    /// As valet.yaml spells it.
    pub(super) fn reference(&self) -> String {
        self.reference.origin().to_string()
    }

    /// What was last found.
    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// The key, from memory while it is fresh.
    ///
    /// # Errors
    /// Whatever keeps it away; [`FaultKind::BadKey`] where it is not there, disabled or none.
    pub(super) async fn get(&self, cache: &Cache<StoredKey>) -> Result<Hit<StoredKey>, Fault> {
        // The last good key is kept for as long as nobody says otherwise: without it every lookup of its grants fails.
        let times = Times { stale: PINNED, ..self.reference.times() };
        let absent = || {
            self.blame(&Fault::new(FaultKind::BadKey, "it is not there, or disabled; store the account's key there"))
        };
        let read = cache.get(&self.key, times, || self.fetch()).await.and_then(|hit| hit.ok_or_else(absent));
        self.note(&read);
        read
    }

    /// The name of its secret, where it is one of this source.
    pub(super) fn name_in(&self, reader: &Reader) -> Option<&Name> {
        self.reference.name_in(reader)
    }

    /// What it is kept under.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Reads it again while nobody waits.
    pub(super) fn refresh(&self, cache: &Cache<StoredKey>) {
        cache.refresh(&self.key, || self.fetch());
    }

    /// What reads it, past the cache.
    fn fetch(&self) -> impl Fn(Urgency) -> BoxFuture<'static, Result<Option<StoredKey>, Fault>> + Send + 'static {
        let (reference, account) = (self.reference.clone(), Arc::clone(&self.account));
        move |urgency| {
            let (reference, account) = (reference.clone(), Arc::clone(&account));
            Box::pin(async move { read(&reference, &account, urgency).await })
        }
    }

    fn note(&self, read: &Result<Hit<StoredKey>, Fault>) {
        let mut seen = self.lock();
        match read {
            Ok(hit) => {
                seen.fault = None;
                if seen.key.as_ref().is_none_or(|key| !Arc::ptr_eq(key, &hit.value)) {
                    seen.key = Some(Arc::clone(&hit.value));
                }
            }
            Err(fault) if seen.fault != Some(fault.kind()) => {
                tracing::warn!(account = %self.account.name, reason = fault.kind().reason(), error = %fault, "a key of an account cannot be had");
                seen.fault = Some(fault.kind());
            }
            Err(_) => {}
        }
    }

    fn blame(&self, fault: &Fault) -> Fault {
        blame(&self.account, &self.reference, fault)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn blame(account: &AccountConfig, reference: &Referenced, fault: &Fault) -> Fault {
    let message = format!("account {:?}, key {}: {fault}", &*account.name, reference.origin());
    fault.reworded(message)
}

async fn read(reference: &Referenced, account: &AccountConfig, urgency: Urgency) -> Result<Option<StoredKey>, Fault> {
    let Some(found) = reference.read(urgency).await.map_err(|fault| blame(account, reference, &fault))? else {
        return Ok(None);
    };
    let updated = found.updated_at;
    StoredKey::parse(account, &found.value, found.version, found.created_at)
        .map(|key| Some(StoredKey { updated, ..key }))
        .map_err(|bad| blame(account, reference, &Fault::new(FaultKind::BadKey, bad.to_string())))
}

impl Weigh for StoredKey {
    fn weight(&self) -> usize {
        // The key's text and its bytes.
        2 * self.text.len() + size_of::<Self>()
    }

    fn revision(&self) -> Revision<'_> {
        Revision { version: self.version.as_deref(), updated_at: self.updated }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Weigh for DelegationKey {
    fn weight(&self) -> usize {
        // Ids, times and a key of 32 bytes.
        512
    }

    /// It signs nothing that outlives it, so that an ended one would only keep its successor away.
    fn ends_at(&self) -> Option<SystemTime> {
        Some(self.expires_at().system_time())
    }
}
