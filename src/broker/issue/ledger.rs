use crate::mint::Fingerprint;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Until when tokens of each key are out: signing is local, so nobody but the signer can know it.
#[derive(Debug)]
pub struct Ledger {
    started_at: SystemTime,
    ends: Mutex<HashMap<(Arc<str>, Fingerprint), SystemTime>>,
}

/// The most keys that are remembered. Each rotation adds one, and one whose tokens have ended is forgotten first.
const MOST_KEYS: usize = 4096;

impl Ledger {
    /// Of a process that started at `started_at`, and knows nothing of the tokens of the one before.
    pub fn new(started_at: SystemTime) -> Self {
        Self { started_at, ends: Mutex::default() }
    }

    /// Notes that a token of this key was signed, which ends at `end`.
    pub(super) fn note(&self, account: &Arc<str>, key: &Fingerprint, end: SystemTime, now: SystemTime) {
        let mut ends = self.lock();
        let known = (Arc::clone(account), key.clone());
        if ends.len() >= MOST_KEYS && !ends.contains_key(&known) {
            ends.retain(|_, end| *end > now);
        }
        let latest = ends.entry(known).or_insert(end);
        *latest = (*latest).max(end);
    }

    /// From when this key may be regenerated without a token of it being out.
    ///
    /// A Valet before this one may have signed with it until this one started, for at most `longest`; not with a key that was made later.
    pub(super) fn safe_after(
        &self,
        account: &Arc<str>,
        key: &Fingerprint,
        made: Option<SystemTime>,
        longest: Duration,
    ) -> SystemTime {
        let is_new = made.is_some_and(|made| made > self.started_at);
        let of_earlier = if is_new { self.started_at } else { self.started_at + longest };
        let of_ours = self.lock().get(&(Arc::clone(account), key.clone())).copied();
        of_ours.map_or(of_earlier, |end| end.max(of_earlier))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Arc<str>, Fingerprint), SystemTime>> {
        // A panic while it is held leaves a map that is right: each holder does one change.
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mint::{AccountConfig, AccountKind, StoredKey};
    use crate::model::Secret;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_key_is_safe_after_its_last_token_and_those_of_a_valet_before() {
        let kind = AccountKind::ServiceBus { host: "h".into(), policy: Some("p".into()) };
        let (keys, network) = Default::default();
        let account = AccountConfig { name: "landing".into(), kind, keys, identity: "default".into(), network };
        let key = StoredKey::parse(&account, &Secret::new("0123456789"), None, None).unwrap().fingerprint;
        let start = SystemTime::UNIX_EPOCH + HOUR * 100;
        let ledger = Ledger::new(start);
        let safe = |made| ledger.safe_after(&account.name, &key, made, HOUR * 12);
        assert_eq!(safe(None), start + HOUR * 12, "a Valet before this one may have signed until it ended");
        assert_eq!(safe(Some(start - HOUR)), start + HOUR * 12);
        assert_eq!(safe(Some(start + HOUR)), start, "it was made later");
        for hours in [20, 15] {
            ledger.note(&account.name, &key, start + HOUR * hours, start);
        }
        assert_eq!(safe(None), start + HOUR * 20, "the last end counts, in whatever order");
        assert_eq!(safe(Some(start + HOUR)), start + HOUR * 20);
    }
}
