use crate::{
    cache::Key,
    mint::{Fingerprint, StoredKey},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What was reported as refused, for the life of the process: which keys are suspect, and what was read again for it lately.
///
/// Valet signs by itself and cannot see that a key was regenerated, so such a report is all that it has. It is no proof either: a service refuses
/// the caller's network with the same words. So a suspicion only decides between keys, and ends.
#[derive(Debug, Default)]
pub struct Rejections {
    suspects: Mutex<HashMap<(Arc<str>, Fingerprint), Suspicion>>,
    /// When each was last read again for a report.
    heeded: Mutex<HashMap<Key, Duration>>,
}

/// What became of a report, or of its part that is about one thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::broker) struct Heeded {
    /// Whether something is read again, or suspect, because of it.
    pub(in crate::broker) accepted: bool,
    /// When it would be, where it came too soon.
    pub(in crate::broker) retry_after: Option<Duration>,
}

#[derive(Debug)]
struct Suspicion {
    /// Monotonic time of the newest report.
    since: Duration,
    /// The version that was suspected: whoever stores the same key again says that it is good.
    version: Option<Arc<str>>,
}

/// How long a key is suspect after the newest report of it. A dead key that nobody replaces costs a task once in so long; a good one is wronged for
/// no longer.
const SUSPICION: Duration = Duration::from_hours(1);

/// How often reports about one name, one account or one user delegation key have it read again.
const REPORT_PAUSE: Duration = Duration::from_secs(30);

/// The most keys that are suspect at once; one more is not suspected.
const MOST_SUSPECTS: usize = 1024;

/// The most names whose last report is remembered; one more is put off for [`REPORT_PAUSE`].
const MOST_HEEDED: usize = 4096;

impl Rejections {
    /// Whether something is to be read again for a report now, which counts as done.
    pub(in crate::broker) fn heed(&self, what: &Key, now: Duration) -> Heeded {
        let wait = self.wait(what, now).err();
        Heeded { accepted: wait.is_none(), retry_after: wait }
    }

    fn wait(&self, what: &Key, now: Duration) -> Result<(), Duration> {
        let mut heeded = self.heeded.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |at: &Duration| (*at + REPORT_PAUSE).saturating_sub(now);
        if let Some(left) = heeded.get(what).map(left).filter(|left| !left.is_zero()) {
            return Err(left);
        }
        if heeded.len() >= MOST_HEEDED {
            heeded.retain(|_, at| !left(at).is_zero());
        }
        if heeded.len() >= MOST_HEEDED {
            return Err(REPORT_PAUSE);
        }
        heeded.insert(what.clone(), now);
        Ok(())
    }

    /// Suspects a key from now on; answers whether it does.
    pub(super) fn suspect(&self, account: &Arc<str>, key: &StoredKey, now: Duration) -> bool {
        let mut suspects = self.suspects();
        if suspects.len() >= MOST_SUSPECTS {
            suspects.retain(|_, suspicion| suspicion.left(now).is_some());
        }
        let is_known = suspects.contains_key(&(Arc::clone(account), key.fingerprint.clone()));
        if suspects.len() >= MOST_SUSPECTS && !is_known {
            return false;
        }
        let suspicion = Suspicion { since: now, version: key.version.clone() };
        suspects.insert((Arc::clone(account), key.fingerprint.clone()), suspicion);
        true
    }

    /// For how long a key is suspect yet; `None` where it is not.
    pub(super) fn suspect_for(&self, account: &Arc<str>, key: &StoredKey, now: Duration) -> Option<Duration> {
        let suspects = self.suspects();
        // Nearly always there are none, and a lookup of a token asks.
        if suspects.is_empty() {
            return None;
        }
        let suspicion = suspects.get(&(Arc::clone(account), key.fingerprint.clone()))?;
        suspicion.left(now).filter(|_| suspicion.version == key.version)
    }

    fn suspects(&self) -> MutexGuard<'_, HashMap<(Arc<str>, Fingerprint), Suspicion>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heeded {
    /// Both parts of one report: it is accepted where one of them is, and else the first that may be again says when.
    pub(in crate::broker) fn and(self, other: Self) -> Self {
        let accepted = self.accepted || other.accepted;
        let first = [self.retry_after, other.retry_after].into_iter().flatten().min();
        Self { accepted, retry_after: first.filter(|_| !accepted) }
    }
}

impl Suspicion {
    fn left(&self, now: Duration) -> Option<Duration> {
        Some((self.since + SUSPICION).saturating_sub(now)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::Scope,
        mint::{AccountConfig, AccountKind},
        model::{Kind, Lookup, Secret},
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn key(text: &str, version: &str) -> StoredKey {
        let kind = AccountKind::ServiceBus { host: "h".into(), policy: Some("p".into()) };
        let (keys, network) = Default::default();
        let account = AccountConfig { name: "landing".into(), kind, keys, identity: "default".into(), network };
        StoredKey::parse(&account, &Secret::new(format!("0123456789 {text}")), Some(version.into()), None).unwrap()
    }

    #[test]
    fn a_key_is_suspect_for_an_hour_and_until_it_is_stored_again() {
        let (rejections, account, start) = (Rejections::default(), "landing".into(), SECOND * 1000);
        let left = |key, after| rejections.suspect_for(&account, &key, start + after);
        assert_eq!(left(key("one", "v1"), SECOND), None);
        assert!(rejections.suspect(&account, &key("one", "v1"), start));
        assert_eq!(left(key("one", "v1"), SECOND), Some(SUSPICION - SECOND));
        assert_eq!(left(key("one", "v1"), SUSPICION), None);
        assert_eq!(left(key("two", "v1"), SECOND), None);
        assert_eq!(left(key("one", "v2"), SECOND), None, "somebody has stored it since");
        assert_eq!(rejections.suspect_for(&"other".into(), &key("one", "v1"), start), None);
        rejections.suspect(&account, &key("one", "v1"), start + SECOND);
        assert_eq!(left(key("one", "v1"), SUSPICION), Some(SECOND), "the newest report counts");
    }

    #[test]
    fn suspicions_are_bounded_and_those_that_ended_make_room() {
        let (rejections, account) = (Rejections::default(), "landing".into());
        let suspect = |text: String, at| rejections.suspect(&account, &key(&text, "v1"), at);
        assert!((0..MOST_SUSPECTS).all(|number| suspect(format!("key {number}"), SECOND)));
        assert!(!suspect("one more".to_owned(), SECOND * 2));
        assert!(suspect("key 0".to_owned(), SECOND * 2), "it is suspect already");
        assert!(suspect("one more".to_owned(), SECOND + SUSPICION));
        assert_eq!(rejections.suspects().len(), 2);
    }

    #[test]
    fn reports_of_one_name_are_heeded_twice_a_minute_and_names_are_bounded() {
        let rejections = Rejections::default();
        let heed = |name: usize, seconds: u32| {
            let lookup = Lookup::parse(Kind::Connection, &name.to_string(), "").unwrap();
            rejections.wait(&Key { scope: Scope::of(&"s"), lookup }, SECOND * seconds)
        };
        assert_eq!([heed(0, 100), heed(1, 100), heed(0, 129), heed(0, 130)], [Ok(()), Ok(()), Err(SECOND), Ok(())]);
        assert!((2..MOST_HEEDED).all(|name| heed(name, 130).is_ok()));
        assert_eq!(heed(MOST_HEEDED, 130), Ok(()), "the report of 1 is long ago");
        assert_eq!(heed(1, 140), Err(REPORT_PAUSE));
        assert_eq!(heed(1, 160), Ok(()));
    }
}
