//! Azure Key Vault: reads secrets, and says what a vault's answers mean.
//! It never builds a secret's name, keeps a value or tries again. [`crate::source`] calls it, through [`Vault`].

mod answer;
mod challenge;
mod client;
#[cfg(test)]
mod guard_tests;
mod list;
mod secret_name;
mod transport;
mod validity;
mod versions;

pub use client::KeyVault;
pub use list::{Listed, NextPage, Page};
pub use secret_name::SecretName;

use super::{config::BudgetConfig, error::Error, guard::BreakerState};
use crate::model::{Found, Urgency, Wanted};
use async_trait::async_trait;
use std::fmt::Debug;

/// Something that holds secrets by name.
#[async_trait]
pub trait Vault: Debug + Send + Sync {
    /// The latest version of a secret; `None` where there is no such secret, or a deleted one.
    ///
    /// # Errors
    /// Whatever else keeps the value away. The error does not name the secret.
    async fn secret(&self, name: &SecretName, urgency: Urgency) -> Result<Option<Found>, Error>;

    /// The newest version of a secret that is enabled, by when it was made; `None` where there is none.
    ///
    /// # Errors
    /// As [`Self::secret`]; where the latest version is disabled, the right to list is needed to find another.
    async fn newest_enabled(&self, name: &SecretName, urgency: Urgency) -> Result<Option<Found>, Error>;

    /// The newest version before this one that is enabled and wanted, of the few that are looked at; `None` where there is none.
    ///
    /// # Errors
    /// As [`Self::secret`]; it needs the right to list.
    async fn earlier_enabled(
        &self,
        name: &SecretName,
        version: &str,
        is_wanted: &Wanted,
        urgency: Urgency,
    ) -> Result<Option<Found>, Error>;

    /// A page of the list of all secrets that are not deleted, the first one or the one that another led to. Nobody waits for it, so it yields to
    /// reads that somebody waits for.
    ///
    /// # Errors
    /// Whatever keeps the page away; the right to list is needed. The same page may be asked for again.
    async fn list(&self, from: Option<&NextPage>) -> Result<Page, Error>;

    /// Whether it may be asked now, and how often. Asks nobody.
    fn standing(&self) -> Standing;
}

/// Whether and how often a vault may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many requests are left of its budget.
    pub budget_left: u32,
    /// That budget.
    pub budget: BudgetConfig,
    /// Whether it is asked at all.
    pub breaker: BreakerState,
}
