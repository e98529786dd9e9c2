//! Brokered connections: an Airflow connection that is put together, at each lookup, from what is written, what is referenced and what is issued.
//! It is stored whole nowhere, and never decides who may have it. [`super::Broker`] calls it before any route.

mod encode;
mod part;

pub use part::Part;

use super::{
    Field, Judged,
    issue::{Heeded, Issuer, Vended},
    mask::mask_of,
};
use crate::{
    cache::{Cache, Key},
    clock::Clock,
    mint::{Filled, Hook},
    model::{Answer, Fault, Found, Kind, Name, Secret, SourceName, State},
};
use encode::Encoder;
use futures::future::{join_all, try_join_all};
use part::Piece;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// A brokered connection, ready to be composed.
#[derive(Debug)]
pub struct Brokered {
    id: Name,
    conn_type: String,
    grant: Option<(Arc<str>, Hook)>,
    fields: Vec<(Field, Part)>,
    port: Option<u16>,
    extra: Extra,
    /// What was composed last: the same parts give the same connection, and a lookup costs little more than one of a stored value.
    last: Mutex<Option<Arc<Composed>>>,
}

/// `extra` as it is composed: its keys and structure, with the places of its parts.
#[derive(Debug)]
pub struct Extra(pub Vec<(String, ExtraValue)>);

/// A value of `extra`.
#[derive(Debug)]
pub enum ExtraValue {
    /// `null`, a truth value or a number.
    Plain(serde_json::Value),
    /// Text.
    Part(Part),
    /// A list.
    List(Vec<ExtraValue>),
    /// A mapping.
    Map(Vec<(String, ExtraValue)>),
}

/// A connection that was composed, and of what.
#[derive(Debug)]
struct Composed {
    of: Vec<Secret>,
    value: Secret,
    mask: Vec<Secret>,
}

/// What composing asks.
pub(super) struct With<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) values: &'a Cache<Judged>,
    pub(super) clock: &'a dyn Clock,
    pub(super) source: &'a SourceName,
}

impl Brokered {
    /// A connection of these parts; `grant` is whose token the type's hook finds in its place.
    pub fn new(
        id: Name,
        conn_type: String,
        grant: Option<(Arc<str>, Hook)>,
        fields: Vec<(Field, Part)>,
        port: Option<u16>,
        extra: Extra,
    ) -> Self {
        Self { id, conn_type, grant, fields, port, extra, last: Mutex::default() }
    }

    /// The connection id.
    pub fn id(&self) -> &Name {
        &self.id
    }

    /// The connection as Airflow reads it.
    ///
    /// # Errors
    /// Whatever keeps a part of it away.
    pub(super) async fn compose(&self, with: &With<'_>) -> Result<Answer, Fault> {
        let blame = |fault: Fault| {
            let message = format!("connection {:?}: {fault}", self.id.as_str());
            Fault::new(fault.kind(), message).retry_after(fault.retry_delay())
        };
        let vended = match &self.grant {
            Some((grant, _)) => Some(with.issuer.carried(grant).await.map_err(blame)?),
            None => None,
        };
        let pieces = try_join_all(self.parts().map(|part| part.resolve(with))).await.map_err(blame)?;
        let composed = self.put_together(vended.as_ref(), &pieces);
        let fresh = Freshness::of(vended.as_ref(), &pieces, with.clock.wall());
        Ok(Answer {
            found: Found {
                expires_at: fresh.expires_at,
                ends: fresh.expires_at.is_some(),
                ..Found::of(composed.value.clone())
            },
            source: with.source.clone(),
            age: fresh.age,
            fresh_until: fresh.until,
            state: fresh.state,
            mask: composed.mask.clone(),
        })
    }

    /// Drops what is cached of its parts; answers how many entries that was.
    pub(super) fn forget(&self, issuer: &Issuer, values: &Cache<Judged>) -> usize {
        let of_grants = self.grants().map(|grant| issuer.forget(grant)).sum::<usize>();
        of_grants + self.parts().map(|part| part.forget(values)).sum::<usize>()
    }

    /// Takes in that it was refused by the service that it is for: whatever it is put together of is read again past the cache, at a bounded rate,
    /// and the keys that signed for it are suspect.
    pub(super) async fn reject(&self, with: &With<'_>) -> Heeded {
        let grants: BTreeSet<_> = self.grants().collect();
        let of_grants = join_all(grants.into_iter().map(|grant| with.issuer.reject(grant))).await;
        let of_parts = join_all(self.parts().map(|part| part.reject(with))).await;
        of_grants.into_iter().chain(of_parts).fold(Heeded::default(), Heeded::and)
    }

    /// Whether the value of this key is one of its parts.
    pub(super) fn refers_to(&self, key: &Key) -> bool {
        self.parts().any(|part| matches!(part, Part::Reference(reference) if reference.key() == Some(key)))
    }

    /// The grants whose tokens it carries.
    pub(super) fn grants(&self) -> impl Iterator<Item = &Arc<str>> {
        self.grant.iter().map(|(grant, _)| grant).chain(self.parts().filter_map(Part::grant))
    }

    /// Every part, in the order in which it is written: first the fields, then `extra`.
    fn parts(&self) -> impl Iterator<Item = &Part> {
        let mut parts: Vec<&Part> = self.fields.iter().map(|(_, part)| part).collect();
        self.extra.0.iter().for_each(|(_, value)| value.gather(&mut parts));
        parts.into_iter()
    }

    fn put_together(&self, vended: Option<&Vended>, pieces: &[Piece]) -> Arc<Composed> {
        let of = || vended.map(|vended| &vended.issued.token).into_iter().chain(pieces.iter().map(|piece| &piece.text));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(composed) = last.as_ref().filter(|composed| composed.of.iter().eq(of())) {
            return Arc::clone(composed);
        }
        let filled = match (&self.grant, vended) {
            (Some((_, hook)), Some(vended)) => hook.fill(&vended.issued.token, vended.policy.as_deref()),
            _ => Filled::default(),
        };
        let value = self.encode(&filled, pieces);
        let mut mask = mask_of(Kind::Connection, self.id.as_str(), value.expose());
        let secrets = vended.map(|vended| &vended.issued.token).into_iter();
        for secret in secrets.chain(pieces.iter().filter(|piece| piece.is_secret).map(|piece| &piece.text)) {
            if super::mask::is_worth_hiding(secret.expose()) && !mask.contains(secret) {
                mask.push(secret.clone());
            }
        }
        let composed = Arc::new(Composed { of: of().cloned().collect(), value, mask });
        *last = Some(Arc::clone(&composed));
        composed
    }

    /// The eight keys that `Connection.from_json` accepts, as far as there is something to say, in the order that they have there.
    fn encode(&self, filled: &Filled, pieces: &[Piece]) -> Secret {
        let mut pieces = pieces.iter().map(|piece| &piece.text);
        let written: Vec<_> = self.fields.iter().map(|(field, _)| *field).zip(pieces.by_ref()).collect();
        let written = |field| written.iter().find(|(name, _)| *name == field).map(|(_, text)| text.expose());
        let mut json =
            Encoder::new(self.conn_type.len() + filled.weight() + pieces.clone().map(Secret::len).sum::<usize>());
        json.text("conn_type", Some(&self.conn_type));
        json.text("description", written(Field::Description));
        json.text("host", filled.host.as_deref().or_else(|| written(Field::Host)));
        json.text("login", filled.login.as_deref().or_else(|| written(Field::Login)));
        json.text("password", filled.password.as_ref().map(Secret::expose).or_else(|| written(Field::Password)));
        json.text("schema", filled.schema.as_ref().map(Secret::expose).or_else(|| written(Field::Schema)));
        json.number("port", self.port);
        json.extra(&self.extra, &filled.extra, &mut pieces);
        json.end()
    }
}

/// What an answer says of its age, by the oldest and the shortest-lived of its parts.
struct Freshness {
    age: Duration,
    until: SystemTime,
    state: State,
    expires_at: Option<SystemTime>,
}

impl Freshness {
    fn of(vended: Option<&Vended>, pieces: &[Piece], now: SystemTime) -> Self {
        let token = vended.map(|it| (it.age, it.fresh_until, it.state, it.issued.expires_at));
        let pieces = pieces.iter().filter_map(|piece| piece.freshness);
        // Of what is written there is nothing to ask anybody, so it is always as new as it can be.
        let start = Self { age: Duration::ZERO, until: SystemTime::UNIX_EPOCH, state: State::Fresh, expires_at: None };
        let mut all = token.into_iter().chain(pieces);
        let Some((age, until, state, expires_at)) = all.next() else { return Self { until: now, ..start } };
        all.fold(Self { age, until, state, expires_at }, |fresh, (age, until, state, expires_at)| Self {
            age: fresh.age.max(age),
            until: fresh.until.min(until),
            state: if state == State::Stale { state } else { fresh.state },
            expires_at: [fresh.expires_at, expires_at].into_iter().flatten().min(),
        })
    }
}

impl ExtraValue {
    fn gather<'a>(&'a self, parts: &mut Vec<&'a Part>) {
        match self {
            Self::Plain(_) => {}
            Self::Part(part) => parts.push(part),
            Self::List(values) => values.iter().for_each(|value| value.gather(parts)),
            Self::Map(values) => values.iter().for_each(|(_, value)| value.gather(parts)),
        }
    }
}
