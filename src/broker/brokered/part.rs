use super::With;
use crate::{
    broker::{Judged, Referenced, issue::Heeded},
    cache::Cache,
    mint::EntraTokens,
    model::{Fault, Secret, State},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A piece of text of a connection, and where it comes from.
#[derive(Debug)]
pub enum Part {
    /// As written.
    Literal(Secret),
    /// What a reference leads to.
    Reference(Referenced),
    /// The token of a grant.
    Grant(Arc<str>),
    /// An Entra token for a scope, with the least life that it must have.
    Entra {
        /// Who asks for it.
        tokens: EntraTokens,
        /// What it is for.
        scope: String,
        /// Its least remaining life.
        min_remaining: Duration,
    },
}

/// A part that has been resolved.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) text: Secret,
    pub(super) is_secret: bool,
    /// Its age, until when it is not asked for again, how the cache regards it and when it ends; nothing for what is written.
    pub(super) freshness: Option<(Duration, SystemTime, State, Option<SystemTime>)>,
}

impl Part {
    /// The grant whose token it is.
    pub(super) fn grant(&self) -> Option<&Arc<str>> {
        match self {
            Self::Grant(grant) => Some(grant),
            Self::Literal(_) | Self::Reference(_) | Self::Entra { .. } => None,
        }
    }

    /// Takes in that a connection with it was refused; a grant is the issuer's to reject.
    pub(super) async fn reject(&self, with: &With<'_>) -> Heeded {
        let (rejections, now) = (&with.issuer.stores().rejections, with.clock.monotonic());
        match self {
            Self::Literal(_) | Self::Grant(_) => Heeded::default(),
            Self::Reference(reference) => {
                let heeded = reference.key().map(|key| rejections.heed(key, now)).unwrap_or_default();
                if heeded.accepted {
                    // What keeps it away is said by the next lookup.
                    drop(reference.no_older_than(Duration::ZERO).value(with.values, with.clock).await);
                }
                heeded
            }
            Self::Entra { tokens, scope, min_remaining } => {
                let accepted = tokens.reject(scope, *min_remaining, with.clock.wall()).await;
                Heeded { accepted, retry_after: None }
            }
        }
    }

    /// Drops the value that it refers to; what it has of a grant is the issuer's to drop, and Entra's tokens are kept for whoever uses the identity.
    pub(super) fn forget(&self, values: &Cache<Judged>) -> usize {
        match self {
            Self::Reference(reference) => reference.forget(values),
            Self::Literal(_) | Self::Grant(_) | Self::Entra { .. } => 0,
        }
    }

    pub(super) async fn resolve(&self, with: &With<'_>) -> Result<Piece, Fault> {
        let secret = |text, freshness| Piece { text, is_secret: true, freshness: Some(freshness) };
        Ok(match self {
            Self::Literal(text) => Piece { text: text.clone(), is_secret: false, freshness: None },
            Self::Reference(reference) => {
                let hit = reference.value(with.values, with.clock).await?;
                // When a stored secret ends is for its owner to say; a connection ends with its tokens.
                secret(hit.value.text().clone(), (hit.age, hit.fresh_until, hit.state, None))
            }
            Self::Grant(grant) => {
                let vended = with.issuer.carried(grant).await?;
                let ends = vended.issued.expires_at;
                secret(vended.issued.token.clone(), (vended.age, vended.fresh_until, vended.state, ends))
            }
            Self::Entra { tokens, scope, min_remaining } => {
                let now = with.clock.wall();
                let issued = tokens.token(scope, *min_remaining, now).await?;
                let renewed = issued.expires_at.and_then(|end| end.checked_sub(*min_remaining)).unwrap_or(now).max(now);
                secret(issued.token, (Duration::ZERO, renewed, State::Fresh, issued.expires_at))
            }
        })
    }
}
