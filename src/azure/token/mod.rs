//! Entra tokens: one for each identity and scope, fetched once however many ask, renewed before its end, dropped when it is rejected.
//! It never knows how an identity proves itself. Vaults, storage clients and other rooms ask it through [`Tokens`]; [`super::identity`] fetches for it.

mod keeper;
#[cfg(test)]
mod keeper_tests;
mod schedule;

pub(super) use keeper::{Fetch, Keeper};

use super::error::Error;
use crate::model::Secret;
use async_trait::async_trait;
use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What goes behind `Bearer`.
    pub text: Secret,
    /// From when it is not accepted any more.
    pub expires_at: SystemTime,
}

/// Where tokens of one identity come from.
#[async_trait]
pub trait Tokens: Debug + Send + Sync {
    /// A token for a scope, e.g. `https://vault.azure.net/.default`; at once where one is at hand.
    ///
    /// # Errors
    /// The identity cannot prove itself, or who gives tokens cannot be asked.
    async fn token(&self, scope: &str) -> Result<Token, Error> {
        self.lasting_token(scope, Duration::ZERO).await
    }

    /// A token for a scope with at least this life left. Where even a new one has less, it is given all the same: `expires_at` says what it has.
    /// One is fetched at most once a minute for that reason, because some endpoints hand out one token until its end.
    ///
    /// # Errors
    /// The identity cannot prove itself, or who gives tokens cannot be asked.
    async fn lasting_token(&self, scope: &str, at_least: Duration) -> Result<Token, Error>;

    /// Says that a service rejected this token although it has not ended. Whether [`Tokens::token`] gives another now; not where this one has
    /// itself replaced a rejected one a short while ago.
    fn reject(&self, token: &str) -> bool;
}
