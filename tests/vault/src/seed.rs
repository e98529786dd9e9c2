//! What the vaults hold at the start: `{"vaults": {"default": {"db-password": {"value": "…", "enabled": true, "exp": 1}}}}`. A secret
//! may also be its bare value, or a list of versions, oldest first.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::store::{SecretSpec, StoreError};

/// Vaults by name, secrets by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The vaults; `default` exists without being named.
    #[serde(default)]
    pub vaults: BTreeMap<String, BTreeMap<String, SeedSecret>>,
}

/// A secret in a [`Seed`].
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum SeedSecret {
    /// Its value.
    Value(String),
    /// One version.
    Version(SeedVersion),
    /// All versions, oldest first.
    Versions(Vec<SeedVersion>),
}

/// One version in a [`Seed`].
pub type SeedVersion = Box<SecretSpec>;

/// A seed that no vault can hold.
#[derive(Debug, thiserror::Error)]
#[error("the seed of the vault {vault:?} cannot be held")]
pub struct SeedError {
    /// The vault.
    pub vault: String,
    /// What is wrong.
    pub source: StoreError,
}

impl Seed {
    /// A seed of the default vault: names and values.
    pub fn of<N: Into<String>, V: Into<String>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        let secrets = secrets.into_iter().map(|(name, value)| (name.into(), SeedSecret::Value(value.into())));
        Self { vaults: BTreeMap::from([(crate::visit::DEFAULT_VAULT.to_owned(), secrets.collect())]) }
    }

    /// Name, vault and version of everything, versions of a secret oldest first.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &str, SecretSpec)> {
        self.vaults.iter().flat_map(|(vault, secrets)| {
            secrets.iter().flat_map(move |(name, secret)| {
                let versions = match secret {
                    SeedSecret::Value(value) => vec![SecretSpec::value(value)],
                    SeedSecret::Version(version) => vec![(**version).clone()],
                    SeedSecret::Versions(versions) => versions.iter().map(|version| (**version).clone()).collect(),
                };
                versions.into_iter().map(move |version| (name.as_str(), vault.as_str(), version))
            })
        })
    }
}
