use crate::{
    broker::{Reader, Referenced},
    cache::{Cache, Hit, Key, Scope, Times, Weigh},
    mint::{AccountConfig, BadKey, DelegationKey, StoredKey},
    model::{Fault, FaultKind, Found, Kind, Lookup, Name, Revision, Urgency},
};
use futures::future::BoxFuture;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::timeout;

/// One key of an account: where it is stored, and what was last found there.
#[derive(Debug)]
pub(super) struct KeySlot {
    reference: Referenced,
    account: Arc<AccountConfig>,
    key: Key,
    /// Of its earlier versions; by the version that each is earlier than.
    earlier: Scope,
    /// For the status, which asks nobody.
    seen: Mutex<Seen>,
}

/// For how long a key that cannot be read again goes on signing.
const PINNED: Duration = Duration::from_hours(365 * 24);

/// How long an earlier version is waited for at most, while the newest can sign, suspect as it is.
const EARLIER_WAIT: Duration = Duration::from_secs(1);

/// How many keys are remembered that a reference led to before. A rotation adds one, and the tokens of the one before have ended by the next.
const EARLIER_SEEN: usize = 2;

/// What was last found.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The key, also while it cannot be read again.
    pub(super) key: Option<Arc<StoredKey>>,
    /// What keeps it away.
    pub(super) fault: Option<FaultKind>,
    /// Keys that were found there before, the newest first.
    pub(super) earlier: Vec<Arc<StoredKey>>,
    /// The key of an earlier version that signs while the newest is suspect; `None` where there is none, or none can be had.
    pub(super) stand_in: Option<Arc<StoredKey>>,
    /// What keeps that away.
    stand_in_fault: Option<FaultKind>,
}

impl Seen {
    /// A key is found there, and is not the one that was found last.
    fn replace(&mut self, key: &Arc<StoredKey>) {
        let before = self.key.replace(Arc::clone(key));
        if let Some(before) = before.filter(|before| before.fingerprint != key.fingerprint) {
            self.earlier.retain(|earlier| earlier.fingerprint != key.fingerprint);
            self.stand_in = None;
            self.keep(before);
        }
    }

    /// A key was found there before.
    fn keep(&mut self, key: Arc<StoredKey>) {
        self.earlier.retain(|earlier| earlier.fingerprint != key.fingerprint);
        self.earlier.insert(0, key);
        self.earlier.truncate(EARLIER_SEEN);
    }
}

impl KeySlot {
    /// The key that a reference of this account leads to.
    pub(super) fn new(reference: Referenced, account: &Arc<AccountConfig>) -> Self {
        let name = Name::parse(&account.name).expect("a name in valet.yaml has 1 to 64 letters, digits, `_` and `-`");
        let scope = Scope::of(&("key", reference.scope(), account));
        let key = Key { scope, lookup: Lookup { kind: Kind::Variable, name, team: None } };
        let earlier = Scope::of(&("earlier", scope));
        Self { reference, account: Arc::clone(account), key, earlier, seen: Mutex::default() }
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
        self.get_as(cache, self.times()).await
    }

    /// The key, read past the cache, from which it is the answer only where its source cannot be asked.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn get_anew(&self, cache: &Cache<StoredKey>) -> Result<Hit<StoredKey>, Fault> {
        self.get_as(cache, self.times().no_older_than(Duration::ZERO)).await
    }

    async fn get_as(&self, cache: &Cache<StoredKey>, times: Times) -> Result<Hit<StoredKey>, Fault> {
        let absent = || {
            self.blame(&Fault::new(FaultKind::BadKey, "it is not there, or disabled; store the account's key there"))
        };
        let read = cache.get(&self.key, times, || self.fetch()).await.and_then(|hit| hit.ok_or_else(absent));
        self.note(&read);
        read
    }

    /// The key of the newest enabled version before this one that holds another; `None` where there is none, or it cannot be had soon, which the
    /// log says.
    pub(super) async fn earlier(&self, cache: &Cache<StoredKey>, than: &Arc<StoredKey>) -> Option<Hit<StoredKey>> {
        let name = Name::parse(than.version.as_deref()?).ok()?;
        let key = Key { scope: self.earlier, lookup: Lookup { kind: Kind::Variable, name, team: None } };
        let fetch = || {
            let (reference, account, than) = (self.reference.clone(), Arc::clone(&self.account), Arc::clone(than));
            move |urgency| {
                let (reference, account, than) = (reference.clone(), Arc::clone(&account), Arc::clone(&than));
                async move { read_earlier(&reference, account, than, urgency).await }
            }
        };
        let read = timeout(EARLIER_WAIT, cache.get(&key, self.times(), fetch)).await;
        let too_slow = |_| Err(Fault::new(FaultKind::TimedOut, "the source has not answered yet"));
        let read = read.unwrap_or_else(too_slow);
        self.note_stand_in(&read);
        read.ok().flatten()
    }

    /// The last good key is kept for as long as nobody says otherwise: without it every lookup of its grants fails.
    fn times(&self) -> Times {
        Times { stale: PINNED, ..self.reference.times() }
    }

    /// Whether that is what the key, or that of an earlier version, is kept under.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        *key == self.key || key.scope == self.earlier
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
                    seen.replace(&hit.value);
                }
            }
            Err(fault) if seen.fault != Some(fault.kind()) => {
                tracing::warn!(account = %self.account.name, reason = fault.kind().reason(), error = %fault, "a key of an account cannot be had");
                seen.fault = Some(fault.kind());
            }
            Err(_) => {}
        }
    }

    fn note_stand_in(&self, read: &Result<Option<Hit<StoredKey>>, Fault>) {
        let mut seen = self.lock();
        let (found, fault) = match read {
            Ok(hit) => (hit.as_ref().map(|hit| Arc::clone(&hit.value)), None),
            Err(fault) => (None, Some(fault)),
        };
        if let Some(fault) = fault.filter(|fault| seen.stand_in_fault != Some(fault.kind())) {
            tracing::warn!(account = %self.account.name, key = %self.reference.origin(), reason = fault.kind().reason(), error = %fault, "an earlier version of a suspect key cannot be had; the suspect one goes on signing");
        }
        seen.stand_in_fault = fault.map(Fault::kind);
        if seen.stand_in.as_ref().map(|key| &key.fingerprint) != found.as_ref().map(|key| &key.fingerprint) {
            seen.stand_in.clone_from(&found);
            if let Some(key) = found {
                seen.keep(key);
            }
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
    let found = reference.read(urgency).await.map_err(|fault| blame(account, reference, &fault))?;
    let bad = |bad: BadKey| blame(account, reference, &Fault::new(FaultKind::BadKey, bad.to_string()));
    found.map(|found| parse(account, found).map_err(bad)).transpose()
}

async fn read_earlier(
    reference: &Referenced,
    account: Arc<AccountConfig>,
    than: Arc<StoredKey>,
    urgency: Urgency,
) -> Result<Option<StoredKey>, Fault> {
    let Some(version) = than.version.clone() else { return Ok(None) };
    let of = Arc::clone(&account);
    // What is no key cannot sign either; a still older version may be one.
    let is_other = move |found: &Found| parse(&of, found.clone()).is_ok_and(|key| key.fingerprint != than.fingerprint);
    let found = reference.read_earlier(&version, &is_other, urgency).await?;
    Ok(found.and_then(|found| parse(&account, found).ok()))
}

fn parse(account: &AccountConfig, found: Found) -> Result<StoredKey, BadKey> {
    let updated = found.updated_at;
    let key = StoredKey::parse(account, &found.value, found.version, found.created_at)?;
    Ok(StoredKey { updated, ..key })
}

impl Weigh for StoredKey {
    fn weight(&self) -> usize {
        // The key's text and its bytes.
        2 * self.text.len() + size_of::<Self>()
    }

    fn revision(&self) -> Revision<'_> {
        Revision { version: self.version.as_deref(), updated_at: self.updated, rank: 0 }
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
