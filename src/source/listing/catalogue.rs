use crate::{
    azure::{Listed, SecretName},
    model::{Held, Review},
};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// `updated` has whole seconds, and two changes may fall into one of them. A value that was read this long after a list had shown its `updated` was
/// read when that second was over: whatever is changed later has a later one. Nobody's clock is compared with anybody's for that.
pub(super) const SETTLED: Duration = Duration::from_secs(2);

/// What `updated` is the beginning of.
const A_SECOND: Duration = Duration::from_secs(1);

/// By how much the vault's clock and ours may differ, as Azure itself tolerates.
const SKEW: Duration = Duration::from_mins(15);

/// A value that was read this long after the list began to say something else of it is left alone: the list and the value do not go together there,
/// and reading it again would not change that.
const IRRECONCILABLE: Duration = Duration::from_mins(1);

/// Names that are remembered as gone since some list; with more, all that are not there count as gone since the last one.
const MOST_GONE: usize = 4096;

/// What complete lists have shown: the last one, and since when each thing has been as it shows it. Times are monotonic; the names are in lower case,
/// as Key Vault does not tell cases apart.
#[derive(Debug)]
pub(in crate::source) struct Catalogue {
    secrets: HashMap<Box<str>, Known>,
    /// Names that are no longer there, with the end of the first list without them.
    gone: HashMap<Box<str>, Duration>,
    /// Since when any other name has not been there.
    absent_since: Duration,
    taken: Taken,
}

/// When a list was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// Before its first page was asked for: it says nothing of what happened later.
    pub(super) began: Duration,
    /// When its last page was there.
    pub(super) ended: Duration,
    /// The same on the wall clock.
    pub(super) ended_wall: SystemTime,
}

/// What is known of a secret.
#[derive(Debug, Clone, Copy)]
struct Known {
    enabled: bool,
    updated_at: Option<SystemTime>,
    /// The end of the first list that showed it so.
    since: Duration,
}

/// Which version of a secret is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Version {
    /// The latest, which is refused while it is disabled.
    Latest,
    /// The newest one that is enabled, which is nearly always the latest.
    NewestEnabled,
}

impl Catalogue {
    /// What is known after a complete list, where `before` was known.
    pub(super) fn after(before: Option<&Self>, list: Vec<Listed>, taken: Taken) -> Self {
        let mut secrets = HashMap::with_capacity(list.len());
        for Listed { name, enabled, updated_at } in list {
            let name = key(&name);
            let is_so = |known: &&Known| (known.enabled, known.updated_at) == (enabled, updated_at);
            let since = before.and_then(|before| before.secrets.get(&name)).filter(is_so);
            let since = since.map_or(taken.ended, |known| known.since);
            secrets.insert(name, Known { enabled, updated_at, since });
        }
        let Some(before) = before else {
            return Self { secrets, gone: HashMap::new(), absent_since: taken.ended, taken };
        };
        let gone = before.gone.iter().map(|(name, since)| (name, *since));
        let gone = gone.chain(before.secrets.keys().map(|name| (name, taken.ended)));
        let gone: HashMap<_, _> = gone.filter(|(name, _)| !secrets.contains_key(*name)).collect();
        if gone.len() > MOST_GONE {
            return Self { secrets, gone: HashMap::new(), absent_since: taken.ended, taken };
        }
        let gone = gone.into_iter().map(|(name, since)| (name.clone(), since)).collect();
        Self { secrets, gone, absent_since: before.absent_since, taken }
    }

    /// When its last list began.
    pub(super) fn began(&self) -> Duration {
        self.taken.began
    }

    /// Whether what is read at once may fall into the second in which it was changed, as far as one can see.
    pub(super) fn is_unsettled(&self) -> bool {
        let is_new = |known: &&Known| known.since == self.taken.ended;
        self.secrets.values().filter(is_new).any(|known| !self.is_long_ago(known.updated_at, self.taken.ended))
    }

    /// The names that have a version which may be read.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().filter(|(_, known)| known.enabled).map(|(name, _)| &**name)
    }

    /// Whether none of these is there. A name that was there until the last list is not believed to be gone before another list says so too, lest
    /// one that was wrong takes a value away.
    pub(super) fn lacks(&self, names: &[SecretName]) -> bool {
        let is_absent = |name| !self.secrets.contains_key(&name) && self.gone.get(&name) != Some(&self.taken.ended);
        !names.is_empty() && names.iter().map(key).all(is_absent)
    }

    /// What becomes of what is held of these names, of which the first one that is there was read.
    pub(in crate::source) fn judge(&self, names: &[SecretName], version: Version, held: Held<'_>) -> Review {
        let keys: Vec<_> = names.iter().map(key).collect();
        let there = keys.iter().enumerate().find_map(|(index, name)| Some((index, self.secrets.get(name)?)));
        match (there, held) {
            _ if keys.is_empty() => Review::Leave,
            (None, Held::NotFound { .. }) => Review::Confirm,
            (None, Held::Value { read_at, .. }) => doubt(read_at, self.absent_since(&keys)),
            (Some((_, known)), Held::NotFound { read_at }) => match Self::overtaken(known, version, read_at) {
                Review::Doubt => Review::Drop,
                review => review,
            },
            (Some((index, known)), Held::Value { read_at, revision }) => {
                let is_of_another = index != usize::from(revision.rank);
                match (known.updated_at, revision.updated_at) {
                    _ if is_of_another || !known.enabled => Self::overtaken(known, version, read_at),
                    (Some(listed), Some(read)) if listed != read => Self::overtaken(known, version, read_at),
                    (Some(_), Some(_)) => self.confirm(known, read_at),
                    // It does not say, or did not when it was read.
                    (None, _) | (_, None) => Review::Leave,
                }
            }
            (there, Held::Awaited { .. }) => {
                let since = match there {
                    Some((index, known)) => known.since.max(self.absent_since(&keys[..index])),
                    None => self.absent_since(&keys),
                };
                // The first list of all shows no change.
                let is_change = since == self.taken.ended && self.absent_since < self.taken.ended;
                if is_change { Review::Doubt } else { Review::Leave }
            }
        }
    }

    /// What is held differs from what the list shows.
    fn overtaken(known: &Known, version: Version, read_at: Duration) -> Review {
        let is_earlier_version = version == Version::NewestEnabled && !known.enabled;
        if is_earlier_version && read_at >= known.since { Review::Leave } else { doubt(read_at, known.since) }
    }

    /// What is held has the `updated` that the list shows: of the same second, and perhaps of another change.
    fn confirm(&self, known: &Known, read_at: Duration) -> Review {
        let is_settled = read_at >= known.since + SETTLED || self.is_long_ago(known.updated_at, read_at);
        if is_settled { Review::Confirm } else { Review::Doubt }
    }

    /// Whether the second of a change was over long before a monotonic time, whatever the clocks show.
    fn is_long_ago(&self, updated_at: Option<SystemTime>, at: Duration) -> bool {
        let wall = self.taken.ended_wall.checked_sub(self.taken.ended.saturating_sub(at));
        updated_at.is_none_or(|updated| wall.is_some_and(|wall| updated + A_SECOND + SKEW < wall))
    }

    /// Since when none of these names, which are not there now, has been there.
    fn absent_since(&self, names: &[Box<str>]) -> Duration {
        let since = |name| self.gone.get(name).copied().unwrap_or(self.absent_since);
        names.iter().map(since).max().unwrap_or_default()
    }
}

fn key(name: &SecretName) -> Box<str> {
    name.as_str().to_ascii_lowercase().into()
}

/// Of what is held and was read then something else has been shown since.
fn doubt(read_at: Duration, since: Duration) -> Review {
    if read_at >= since + IRRECONCILABLE { Review::Leave } else { Review::Doubt }
}
