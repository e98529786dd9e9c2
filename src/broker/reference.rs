use super::{Judged, Reader, TimedReader};
use crate::{
    cache::{Cache, Hit, Key, Scope, Times},
    clock::Clock,
    model::{Fault, FaultKind, Found, Kind, Lookup, Name, Origin, State, Urgency, Wanted},
    source::LocalValue,
};
use std::{sync::Arc, time::Duration};

/// A reference of valet.yaml with whom to ask for its value.
#[derive(Debug, Clone)]
pub struct Referenced {
    origin: Origin,
    whom: Whom,
}

#[derive(Debug, Clone)]
enum Whom {
    Source { asked: TimedReader, name: Name, key: Key },
    Local(LocalValue),
}

/// What is local is read again each second at most, so that a mounted file that was rotated is in use at once; it has no outages to bridge.
const LOCAL: Times = Times { fresh: Duration::from_secs(1), stale: Duration::ZERO, not_found: Duration::ZERO };

impl Referenced {
    /// A reference to a value of a source, by the name that the source itself has for it.
    pub fn of_source(origin: Origin, asked: TimedReader, name: Name) -> Self {
        let scope = Self::scope_of(&asked.reader);
        let key = Key { scope, lookup: Lookup { kind: Kind::Variable, name: name.clone(), team: None } };
        Self { origin, whom: Whom::Source { asked, name, key } }
    }

    /// A reference to Valet's own environment or to a file.
    pub fn local(origin: Origin, value: LocalValue) -> Self {
        Self { origin, whom: Whom::Local(value) }
    }

    /// What is read for references is kept in a scope of its own: by another rule the same name may be another secret there.
    pub(super) fn scope_of(reader: &Reader) -> Scope {
        Scope::of(&("named", reader.scope()))
    }

    /// The name that it is of in this source; `None` where it leads elsewhere.
    pub(super) fn name_in(&self, reader: &Reader) -> Option<&Name> {
        match &self.whom {
            Whom::Source { asked, name, .. } if asked.reader.scope() == reader.scope() => Some(name),
            Whom::Source { .. } | Whom::Local(_) => None,
        }
    }

    /// As valet.yaml spells it.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Everything that decides what the reference means.
    pub(super) fn scope(&self) -> Scope {
        match &self.whom {
            Whom::Source { key, name, .. } => Scope::of(&(key.scope, name)),
            Whom::Local(_) => Scope::of(&self.origin),
        }
    }

    /// How long what is read is believed.
    pub(super) fn times(&self) -> Times {
        match &self.whom {
            Whom::Source { asked, .. } => asked.times,
            Whom::Local(_) => LOCAL,
        }
    }

    /// Drops what is cached of it; answers how many entries that was.
    pub(super) fn forget(&self, cache: &Cache<Judged>) -> usize {
        match &self.whom {
            Whom::Source { key, .. } => cache.invalidate(|known| known == key),
            Whom::Local(_) => 0,
        }
    }

    /// Reads it itself, past any cache; `None` where there is no such value.
    pub(super) async fn read(&self, urgency: Urgency) -> Result<Option<Found>, Fault> {
        match &self.whom {
            Whom::Source { asked, name, .. } => asked.reader.read_named(name, urgency).await,
            Whom::Local(value) => value.read(),
        }
    }

    /// The newest version before this one that is wanted; `None` where there is none.
    pub(super) async fn read_earlier(
        &self,
        version: &str,
        is_wanted: &Wanted,
        urgency: Urgency,
    ) -> Result<Option<Found>, Fault> {
        match &self.whom {
            Whom::Source { asked, name, .. } => asked.reader.read_earlier(name, version, is_wanted, urgency).await,
            Whom::Local(_) => Ok(None),
        }
    }

    /// What its value is kept under; `None` for what is local, and read each time.
    pub(super) fn key(&self) -> Option<&Key> {
        match &self.whom {
            Whom::Source { key, .. } => Some(key),
            Whom::Local(_) => None,
        }
    }

    /// The same, believing nothing that is older.
    pub(super) fn no_older_than(&self, age: Duration) -> Self {
        let mut this = self.clone();
        if let Whom::Source { asked, .. } = &mut this.whom {
            asked.times = asked.times.no_older_than(age);
        }
        this
    }

    /// Its value, from memory while it is fresh. What is local costs nothing to read and is read each time.
    ///
    /// # Errors
    /// Whatever keeps it away; [`FaultKind::MalformedValue`] where there is no such value.
    pub(super) async fn value(&self, cache: &Cache<Judged>, clock: &dyn Clock) -> Result<Hit<Judged>, Fault> {
        let hit = match &self.whom {
            Whom::Source { asked, key, .. } => {
                let fetch = || {
                    let this = self.clone();
                    move |urgency| {
                        let this = this.clone();
                        async move { Ok(this.read(urgency).await?.map(Judged::referenced)) }
                    }
                };
                cache.get(key, asked.times, fetch).await?
            }
            Whom::Local(value) => value.read()?.map(|found| {
                let (value, fresh_until) = (Arc::new(Judged::referenced(found)), clock.wall());
                Hit { value, age: Duration::ZERO, fresh_until, state: State::Fresh }
            }),
        };
        hit.ok_or_else(|| {
            let message = format!("{} is not there: store it, or correct the reference", self.origin);
            Fault::new(FaultKind::MalformedValue, message)
        })
    }
}
