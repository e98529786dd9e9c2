use super::Broker;
use crate::{
    audit::Outcome,
    cache::Key,
    model::{Caller, Fault, Kind, Lookup, Right},
    telemetry::Counter,
};

impl Broker {
    /// Forgets what is cached of a name, values and "not here" alike, so that the next lookup asks; answers how many entries that was. Without a
    /// team it is forgotten for every team. Of a brokered connection that is what it is put together of, an account's keys included: nothing stands
    /// in for what cannot be read again. Every call leaves one audit event.
    ///
    /// # Errors
    /// [`crate::model::FaultKind::DeniedByPolicy`].
    pub fn invalidate(&self, caller: &Caller, lookup: &Lookup) -> Result<usize, Fault> {
        let kind = match lookup.kind {
            Kind::Connection => "connection-invalidation",
            Kind::Variable => "variable-invalidation",
            Kind::Config => "config-invalidation",
        };
        let event = self.audit.begin(caller, kind, Some(lookup));
        if let Err(denied) = self.decide(caller, Right::Admin) {
            event.end(&Err(denied.clone()));
            return Err(denied);
        }
        let dropped = self.forget(lookup);
        self.counters.count(Counter::Invalidations);
        tracing::info!(kind = lookup.kind.as_str(), name = lookup.name.as_str(), dropped, "a name was invalidated");
        event.end_as(|| Outcome::Done("invalidated"));
        Ok(dropped)
    }

    fn forget(&self, lookup: &Lookup) -> usize {
        // A reference by a source's own name is cached beside lookups, in a scope of its own: it may be the same text and is another thing.
        let scopes: Vec<_> = self.readers().iter().map(|timed| timed.reader.scope()).collect();
        let is_meant = |key: &Key| {
            let Lookup { kind, name, team } = &key.lookup;
            let same_team = lookup.team.is_none() || *team == lookup.team;
            same_team && (*kind, name) == (lookup.kind, &lookup.name) && scopes.contains(&key.scope)
        };
        let parts = match self.brokered.get(&lookup.name) {
            Some(connection) if lookup.kind == Kind::Connection => connection.forget(&self.issuer, &self.cache),
            _ => 0,
        };
        // What a source knows without being asked may be as old as what is forgotten here.
        self.readers().iter().for_each(|timed| timed.reader.source().forget());
        parts + self.cache.invalidate(is_meant)
    }
}
