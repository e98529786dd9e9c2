use super::{Health, Judged};
use crate::{
    cache::Scope,
    clock::Clock,
    model::{Fault, FaultKind, Found, IssuedToken, Lookup, Name, Urgency, Via, Wanted},
    source::Source,
    telemetry::{Counter, Counters},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A source with what the broker keeps of it: its scope in the cache and its health. It outlives a reload that leaves its definition as it is.
#[derive(Debug)]
pub struct Reader {
    source: Arc<dyn Source>,
    scope: Scope,
    health: Health,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl Reader {
    /// A reader of `source`; `scope` stands for everything that defines where its values come from.
    pub fn new(source: Arc<dyn Source>, scope: Scope, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        Self { source, scope, health: Health::default(), clock, counters }
    }

    /// The source.
    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// Its health.
    pub fn health(&self) -> &Health {
        &self.health
    }

    pub(super) fn scope(&self) -> Scope {
        self.scope
    }

    /// Reads the source itself, past any cache, for a request that came this way. A fault says which source it is of and since when.
    pub(super) async fn read(&self, lookup: &Lookup, urgency: Urgency, via: &Via) -> Result<Option<Judged>, Fault> {
        let read = match self.source.relay() {
            Some(relay) => relay.read(lookup, via).await,
            None => self.source.read(lookup, urgency).await,
        };
        let found = self.note(read, lookup.kind.as_str(), &lookup.name)?;
        Ok(found.map(|found| Judged::of(lookup.kind, lookup.name.as_str(), found)))
    }

    /// The same for a value by the name that the source itself has for it.
    pub(super) async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault> {
        self.note(self.source.read_named(name, urgency).await, "secret", name)
    }

    /// The same for the newest version before this one that is wanted.
    pub(super) async fn read_earlier(
        &self,
        name: &Name,
        version: &str,
        is_wanted: &Wanted,
        urgency: Urgency,
    ) -> Result<Option<Found>, Fault> {
        self.note(self.source.read_earlier(name, version, is_wanted, urgency).await, "earlier version of secret", name)
    }

    /// A token of another Valet's grant, likewise.
    pub(super) async fn read_token(
        &self,
        grant: &Name,
        at_least: Option<Duration>,
        via: &Via,
    ) -> Result<Option<IssuedToken>, Fault> {
        let Some(relay) = self.source.relay() else { return Ok(None) };
        self.note(relay.token(grant, at_least, via).await, "token", grant)
    }

    fn note<T>(&self, read: Result<Option<T>, Fault>, kind: &str, name: &Name) -> Result<Option<T>, Fault> {
        // A bound of ours was hit, which says nothing of the source; another Valet may have hit one of its own.
        if read.as_ref().is_err_and(|fault| fault.kind() == FaultKind::Overloaded) && self.source.relay().is_none() {
            return read;
        }
        self.counters.count(Counter::SourceReads);
        let since = self.health.note(&read, self.clock.wall());
        read.map_err(|fault| {
            tracing::warn!(source = %self.source.name(), kind, name = name.as_str(), reason = fault.kind().reason(), error = %fault, "a source could not be read");
            self.blame(&fault, since)
        })
    }

    fn blame(&self, fault: &Fault, since: Option<SystemTime>) -> Fault {
        let mut message = format!("source {}: {fault}", self.source.name());
        let to_the_second = |time| OffsetDateTime::from(time).truncate_to_second().format(&Rfc3339).ok();
        if let Some(text) = since.and_then(to_the_second) {
            message.push_str("; so since ");
            message.push_str(&text);
        }
        let blamed = fault.reworded(message);
        match since {
            Some(since) => blamed.since(since),
            None => blamed,
        }
    }
}
