//! The whole story of a lookup on one screen: policy, route, cache, source, mask, audit. It never knows HTTP or protobuf.
//! [`crate::transport`] calls it; [`crate::app`] builds it.

mod brokered;
mod config;
mod health;
mod invalidate;
mod issue;
mod judged;
mod mask;
mod reader;
mod reference;
mod relayed;
mod report;
mod routes;
mod tend;
#[cfg(test)]
mod tests;
mod watch;

pub use brokered::{Brokered, Extra, ExtraValue, Part};
pub use config::{ConnectionConfig, EntraTokenConfig, ExtraConfig, Field, OnUnavailable, PartConfig, RouteConfig};
pub use health::Health;
pub use issue::{Account, AccountStatus, GrantEntry, IssueStores, Issuer, KeyStatus, Ledger, Rejections, TokenCache};
pub use judged::Judged;
pub use reader::Reader;
pub use reference::Referenced;
pub use relayed::RelayedToken;
pub use routes::{BadPattern, Routes, TimedReader};
pub use watch::Watch;

use crate::{
    audit::{Audit, Outcome},
    cache::{Cache, Hit, Key},
    clock::Clock,
    model::{
        Answer, Caller, Fault, FaultKind, IssuedToken, Kind, Lookup, Name, Right, SignableRequest, SignedRequest,
        SourceName, State, Urgency, Via,
    },
    policy::{Decision, Policy},
    telemetry::{Counter, Counters},
};
use brokered::With;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Answers lookups. One per configuration; a reload makes a new one around the same cache and the same readers.
#[derive(Debug)]
pub struct Broker {
    policy: Policy,
    brokered: HashMap<Name, Brokered>,
    issuer: Issuer,
    routes: Routes,
    cache: Cache<Judged>,
    audit: Audit,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    /// What answers say they are from where no source has the value.
    composed_here: SourceName,
}

impl Broker {
    /// A broker of these parts.
    pub fn new(
        policy: Policy,
        (brokered, issuer): (Vec<Brokered>, Issuer),
        routes: Routes,
        cache: Cache<Judged>,
        audit: Audit,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Self {
        let brokered = brokered.into_iter().map(|connection| (connection.id().clone(), connection)).collect();
        let composed_here = SourceName::new("brokered");
        Self { policy, brokered, issuer, routes, cache, audit, clock, counters, composed_here }
    }

    /// Answers one lookup; `None` means that no source of its route has the name. Every call leaves one audit event, also if it is dropped.
    ///
    /// # Errors
    /// Whatever keeps the value away: refusal by policy or by a source, a source that cannot be asked, a value that Airflow would misread.
    pub async fn lookup(&self, caller: &Caller, lookup: &Lookup) -> Result<Option<Answer>, Fault> {
        self.counters.count(Counter::Lookups);
        let event = self.audit.begin(caller, lookup.kind.as_str(), Some(lookup));
        let outcome = match self.decide(caller, Right::to_look_up(lookup.kind)) {
            Ok(()) => self.resolve(lookup, &caller.claims.via).await,
            Err(denied) => Err(denied),
        };
        if outcome.is_err() {
            self.counters.count(Counter::LookupFaults);
        }
        event.end(&outcome);
        outcome
    }

    /// Whether the caller may use a right; a refusal leaves an audit event.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`], with the rule.
    pub fn may(&self, caller: &Caller, right: Right) -> Result<(), Fault> {
        self.decide(caller, right).inspect_err(|denied| {
            self.audit.begin(caller, right.as_str(), None).end(&Err(denied.clone()));
        })
    }

    fn decide(&self, caller: &Caller, right: Right) -> Result<(), Fault> {
        match self.policy.decide(caller, right) {
            Decision::Allowed => Ok(()),
            Decision::Denied { rule } => Err(Fault::new(FaultKind::DeniedByPolicy, rule)),
        }
    }

    /// A token of a grant; `None` where there is no such grant, neither here nor at an upstream. Every call leaves one audit event.
    ///
    /// # Errors
    /// Refusal by policy, or whatever keeps the token away.
    pub async fn issue_token(
        &self,
        caller: &Caller,
        grant: &Name,
        at_least: Option<Duration>,
    ) -> Result<Option<IssuedToken>, Fault> {
        let event = self.audit.begin_grant(caller, "token", grant);
        let outcome = match self.decide(caller, Right::Tokens) {
            Ok(()) => match self.issuer.token(grant.as_str(), at_least).await {
                Ok(None) => self.relayed_token(grant, at_least, &caller.claims.via).await,
                issued => issued,
            },
            Err(denied) => Err(denied),
        };
        event.end_as(|| signed(&outcome, |token| (&token.account, token.fingerprint.as_ref())));
        outcome
    }

    /// The signature of a request within a grant; `None` where there is no such grant. Every call leaves one audit event.
    ///
    /// # Errors
    /// Refusal by policy or by the grant, or whatever keeps the key away.
    pub async fn sign_request(
        &self,
        caller: &Caller,
        grant: &Name,
        request: &SignableRequest,
    ) -> Result<Option<SignedRequest>, Fault> {
        let event = self.audit.begin_grant(caller, "signature", grant);
        let outcome = match self.decide(caller, Right::Signatures) {
            Ok(()) => self.issuer.sign_request(grant.as_str(), request).await,
            Err(denied) => Err(denied),
        };
        event.end_as(|| signed(&outcome, |request| (&request.account, Some(&request.fingerprint))));
        outcome
    }

    async fn resolve(&self, lookup: &Lookup, via: &Via) -> Result<Option<Answer>, Fault> {
        if lookup.kind == Kind::Connection
            && let Some(connection) = self.brokered.get(&lookup.name)
        {
            let (issuer, values, clock) = (&self.issuer, &self.cache, &*self.clock);
            return connection.compose(&With { issuer, values, clock, source: &self.composed_here }).await.map(Some);
        }
        let route = self.routes.of(lookup);
        let mut skipped = None;
        for reader in &route.readers {
            match self.ask(reader, lookup, via).await {
                Ok(Some(answer)) => return Ok(Some(answer)),
                Ok(None) => {}
                Err(fault) if route.on_unavailable == OnUnavailable::Skip && fault.kind().is_unavailable() => {
                    skipped.get_or_insert(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        match skipped {
            None => Ok(None),
            Some(fault) => {
                let message = format!("not found where it could be looked for; skipped: {fault}");
                Err(Fault::new(FaultKind::Skipped, message).retry_after(fault.retry_delay()))
            }
        }
    }

    async fn ask(&self, timed: &TimedReader, lookup: &Lookup, via: &Via) -> Result<Option<Answer>, Fault> {
        let TimedReader { reader, times } = timed;
        let hit = if reader.source().is_local() {
            let judged = reader.read(lookup, Urgency::Awaited, via).await?;
            let fresh_until = self.clock.wall();
            judged.map(|judged| Hit { value: Arc::new(judged), age: Duration::ZERO, fresh_until, state: State::Fresh })
        } else {
            // Before the cache: a request that came back would wait for the flight that it is part of.
            reader.source().relay().map_or(Ok(()), |relay| relay.admit(via))?;
            let key = Key { scope: reader.scope(), lookup: lookup.clone() };
            let fetch = || {
                let (reader, lookup, via) = (Arc::clone(reader), lookup.clone(), via.clone());
                move |urgency| {
                    let (reader, lookup, via) = (Arc::clone(&reader), lookup.clone(), via.clone());
                    async move { reader.read(&lookup, urgency, &via).await }
                }
            };
            self.cache.get(&key, *times, fetch).await?
        };
        hit.map(|hit| hit.value.answer(reader, lookup, &hit)).transpose()
    }

    /// The readers of every source, in the order of valet.yaml.
    pub fn readers(&self) -> &[TimedReader] {
        self.routes.readers()
    }

    /// Who issues tokens, for the state of the accounts.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The cache, for its figures.
    pub fn cache(&self) -> &Cache<Judged> {
        &self.cache
    }
}

/// How the request for a token or a signature ended; `by` says of one the account whose key signed, and which key.
fn signed<'a, T>(
    outcome: &'a Result<Option<T>, Fault>,
    by: impl FnOnce(&'a T) -> (&'a Arc<str>, Option<&'a Arc<str>>),
) -> Outcome {
    match outcome {
        Ok(Some(signed)) => {
            let (account, key) = by(signed);
            Outcome::Found { source: Arc::clone(account), version: key.cloned(), state: State::Fresh.as_str() }
        }
        Ok(None) => Outcome::NotFound,
        Err(fault) => Outcome::Fault(fault.kind().reason()),
    }
}
