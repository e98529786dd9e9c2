use super::{Broker, TimedReader, brokered::With, issue::Heeded};
use crate::{
    audit::Outcome,
    cache::{Key, Scope},
    model::{Caller, Credential, Fault, Kind, Lookup, Name, Rejection, Reported, Right, ValueDigest, Via},
    telemetry::Counter,
};
use std::time::Duration;

impl Broker {
    /// Takes in a report that a service has refused a credential; `None` where there is no such connection or grant. What the credential came of is
    /// read again past the cache, at a bounded rate, and stays what it is where that cannot be done; a key that signed it is suspect from then on,
    /// so that another one signs where there is one. A report about a value that is not handed out any more changes nothing. Every call leaves one
    /// audit event.
    ///
    /// # Errors
    /// [`crate::model::FaultKind::DeniedByPolicy`], by the rights that getting the credential takes.
    pub async fn report_rejected(&self, caller: &Caller, rejection: &Rejection) -> Result<Option<Reported>, Fault> {
        let event = match &rejection.of {
            Credential::Connection(lookup) => self.audit.begin(caller, "connection-rejection", Some(lookup)),
            Credential::Grant(grant) => self.audit.begin_grant(caller, "grant-rejection", grant),
        };
        let outcome = match self.may_have(caller, &rejection.of) {
            Ok(()) => Ok(self.take_report(rejection).await),
            Err(denied) => Err(denied),
        };
        self.counters.count(Counter::Rejections);
        if matches!(outcome, Ok(Some(Reported { accepted: false, superseded: false, .. }))) {
            self.counters.count(Counter::RejectionsHeldBack);
        }
        event.end_as(|| audited(&outcome));
        outcome
    }

    /// Whether the caller may get such a credential.
    fn may_have(&self, caller: &Caller, credential: &Credential) -> Result<(), Fault> {
        match credential {
            Credential::Connection(_) => self.decide(caller, Right::Connections),
            Credential::Grant(grant) => match self.issuer.signs_requests(grant.as_str()) {
                Some(true) => self.decide(caller, Right::Signatures),
                Some(false) => self.decide(caller, Right::Tokens),
                // Who may get neither shall not learn which grants there are.
                None => self.decide(caller, Right::Tokens).or_else(|_| self.decide(caller, Right::Signatures)),
            },
        }
    }

    async fn take_report(&self, Rejection { of, value }: &Rejection) -> Option<Reported> {
        // Of a grant at an upstream that Valet knows which tokens are out; here there is one for each life that is asked for.
        let before = if self.is_relayed(of) { HandedOut::Unknown } else { self.handed_out(of).await };
        let refused = value.as_ref().or(before.value()).cloned();
        // Who holds an older value says nothing of the one that is handed out now.
        if before.is_other_than(refused.as_ref()) {
            return Some(Reported { superseded: true, ..Reported::default() });
        }
        let (what, name, heeded) = match of {
            Credential::Grant(grant) if self.is_relayed(of) => {
                ("grant", grant, self.reject_relayed(of, grant, refused.as_ref()).await)
            }
            Credential::Grant(grant) => ("grant", grant, self.issuer.reject(grant.as_str()).await),
            Credential::Connection(lookup) => {
                ("connection", &lookup.name, self.reject_connection(of, lookup, refused.as_ref()).await)
            }
        };
        let after = if heeded.accepted { self.handed_out(of).await } else { before };
        if after == HandedOut::Absent {
            return None;
        }
        let superseded = after.is_other_than(refused.as_ref());
        if heeded.accepted {
            tracing::info!(
                what,
                name = name.as_str(),
                superseded,
                "a credential was refused by its service, and had anew"
            );
        }
        Some(Reported { accepted: heeded.accepted, retry_after: heeded.retry_after, superseded })
    }

    async fn handed_out(&self, credential: &Credential) -> HandedOut {
        let value = match credential {
            Credential::Connection(lookup) => {
                self.resolve(lookup, &Via::default()).await.map(|it| it.map(|answer| answer.found.value))
            }
            Credential::Grant(grant) if self.issuer.signs_requests(grant.as_str()) == Some(true) => {
                return HandedOut::Unknown;
            }
            Credential::Grant(grant) => {
                let issued = match self.issuer.token(grant.as_str(), None).await {
                    Ok(None) => self.relayed_token(grant, None, &Via::default()).await,
                    issued => issued,
                };
                issued.map(|it| it.map(|token| token.token))
            }
        };
        match value {
            Ok(Some(value)) => HandedOut::Value(ValueDigest::of(&value)),
            Ok(None) => HandedOut::Absent,
            Err(_) => HandedOut::Unknown,
        }
    }

    /// Whether it is of a grant that is not in this valet.yaml, and may be in another Valet's.
    fn is_relayed(&self, credential: &Credential) -> bool {
        let Credential::Grant(grant) = credential else { return false };
        self.issuer.signs_requests(grant.as_str()).is_none() && self.relays().next().is_some()
    }

    fn relays(&self) -> impl Iterator<Item = &TimedReader> {
        self.readers().iter().filter(|timed| timed.reader.source().relay().is_some())
    }

    /// Tells the upstreams, and keeps none of the grant's tokens.
    async fn reject_relayed(&self, credential: &Credential, grant: &Name, refused: Option<&ValueDigest>) -> Heeded {
        let lookup = Lookup { kind: Kind::Variable, name: grant.clone(), team: None };
        let heeded = self.heed(&Key { scope: Scope::of(&"grant-rejection"), lookup });
        if heeded.accepted {
            for timed in self.relays() {
                timed.reader.source().rejected(credential, refused).await;
            }
            self.issuer.stores().relayed.invalidate(|key| key.lookup.name == *grant);
        }
        heeded
    }

    fn heed(&self, what: &Key) -> Heeded {
        self.issuer.stores().rejections.heed(what, self.clock.monotonic())
    }

    async fn reject_connection(
        &self,
        credential: &Credential,
        lookup: &Lookup,
        refused: Option<&ValueDigest>,
    ) -> Heeded {
        if let Some(connection) = self.brokered.get(&lookup.name).filter(|_| lookup.kind == Kind::Connection) {
            let (issuer, values, clock) = (&self.issuer, &self.cache, &*self.clock);
            return connection.reject(&With { issuer, values, clock, source: &self.composed_here }).await;
        }
        let heeded = self.heed(&Key { scope: Scope::of(&"rejection"), lookup: lookup.clone() });
        if heeded.accepted {
            for timed in &self.routes.of(lookup).readers {
                timed.reader.source().rejected(credential, refused).await;
                // What keeps it away is said by the next lookup, which may still have the value of before.
                if let Ok(Some(_)) = self.ask(&timed.no_older_than(Duration::ZERO), lookup, &Via::default()).await {
                    break;
                }
            }
        }
        heeded
    }
}

/// What whoever asks for a credential gets now.
#[derive(Debug, PartialEq, Eq)]
enum HandedOut {
    /// There is no such connection or grant.
    Absent,
    /// Something keeps it away, or it is another one each time.
    Unknown,
    Value(ValueDigest),
}

impl HandedOut {
    fn value(&self) -> Option<&ValueDigest> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether it is certainly another value.
    fn is_other_than(&self, refused: Option<&ValueDigest>) -> bool {
        self.value().zip(refused).is_some_and(|(now, refused)| now != refused)
    }
}

fn audited(outcome: &Result<Option<Reported>, Fault>) -> Outcome {
    match outcome {
        Ok(Some(Reported { accepted: true, .. })) => Outcome::Done("accepted"),
        Ok(Some(Reported { superseded: true, .. })) => Outcome::Done("superseded"),
        Ok(Some(_)) => Outcome::Done("held_back"),
        Ok(None) => Outcome::NotFound,
        Err(fault) => Outcome::Fault(fault.kind().reason()),
    }
}
