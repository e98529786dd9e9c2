use super::Broker;
use crate::{
    cache::{Key, Scope, Weigh},
    model::{Fault, IssuedToken, Kind, Lookup, Name, Team, Urgency, Via},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A token that another Valet issued, with when it is too short-lived for who asked for it.
#[derive(Debug)]
pub struct RelayedToken {
    issued: IssuedToken,
    /// `None` where it does not end: an account's key that is handed out.
    good_until: Option<SystemTime>,
}

impl Broker {
    /// A token of a grant that is not in this valet.yaml, from the first upstream that has it, in the order written; `None` where none has. It is
    /// believed for as long as values of that upstream are, and handed out only while it has the life that was asked for.
    pub(super) async fn relayed_token(
        &self,
        grant: &Name,
        at_least: Option<Duration>,
        via: &Via,
    ) -> Result<Option<IssuedToken>, Fault> {
        for timed in self.readers() {
            let Some(relay) = timed.reader.source().relay() else { continue };
            relay.admit(via)?;
            let key = token_key(timed.reader.scope(), at_least, grant);
            let fetch = || {
                let (reader, grant, via) = (Arc::clone(&timed.reader), grant.clone(), via.clone());
                move |_: Urgency| {
                    let (reader, grant, via) = (Arc::clone(&reader), grant.clone(), via.clone());
                    async move {
                        let issued = reader.read_token(&grant, at_least, &via).await?;
                        Ok(issued.map(|issued| RelayedToken::new(issued, at_least)))
                    }
                }
            };
            if let Some(hit) = self.issuer.stores().relayed.get(&key, timed.times, fetch).await? {
                return Ok(Some(hit.value.issued.clone()));
            }
        }
        Ok(None)
    }
}

/// The tokens of an upstream, by the scope of its values, are kept in a scope of their own.
pub(super) fn scope_of(values: Scope) -> Scope {
    Scope::of(&("token", values))
}

/// What a token is kept under. With how much life was asked for: one that is good enough for one caller is not for another. Grants have no teams,
/// so it stands where theirs would.
fn token_key(values: Scope, at_least: Option<Duration>, grant: &Name) -> Key {
    let life = at_least.map(|at_least| format!("{at_least:?}")).unwrap_or_default();
    let team = Team::parse(&life).expect("a duration is written in letters, digits and a point");
    Key { scope: scope_of(values), lookup: Lookup { kind: Kind::Variable, name: grant.clone(), team } }
}

impl RelayedToken {
    fn new(issued: IssuedToken, at_least: Option<Duration>) -> Self {
        // Who asks for as much as the grant says leaves it to the other Valet to know how much that is.
        let good_until = match at_least {
            Some(at_least) => issued.expires_at.and_then(|end| end.checked_sub(at_least)),
            None => issued.renewed_at.or(issued.expires_at),
        };
        Self { issued, good_until }
    }
}

impl Weigh for RelayedToken {
    fn weight(&self) -> usize {
        self.issued.token.len() + size_of::<Self>()
    }

    fn ends_at(&self) -> Option<SystemTime> {
        self.good_until
    }

    fn is_same(&self, other: &Self) -> bool {
        self.issued.token == other.issued.token
    }
}
