use super::{KeyVault, SecretName, client::may_begin_again};
use crate::{
    azure::error::{Error, Nonsense, Refusal},
    model::{Found, Wanted},
};
use azure_core::{http::StatusCode, time::OffsetDateTime};
use azure_security_keyvault_secrets::{ResourceExt as _, models::SecretProperties};
use futures::TryStreamExt as _;
use std::cmp::Reverse;

/// The most versions of one secret that are looked through. Key Vault keeps them all; who rotates monthly has this many after forty years.
const MOST_VERSIONS: usize = 500;

/// How many versions before one are read at most, to find one that is wanted: who stores the same key twice has it in two versions.
const MOST_EARLIER: usize = 3;

/// The tag by which Microsoft's rotation says which of an account's keys a version holds: `key1` or `key2`
/// (<https://learn.microsoft.com/azure/key-vault/secrets/tutorial-rotation-dual>).
const CREDENTIAL_ID: &str = "CredentialId";

impl KeyVault {
    /// The newest version of a secret that is enabled. Nearly always that is the latest one; only where it is disabled are the others listed.
    pub(super) async fn read_newest_enabled(&self, name: &SecretName) -> Result<Option<Found>, Error> {
        match self.read(name, None).await {
            Err(Error::Refused { why: Refusal::Disabled, .. }) => {}
            read => return read,
        }
        let versions = self.versions(name).await?;
        let newest = versions.iter().filter(|it| is_enabled(it)).max_by_key(|it| made(it));
        match newest.and_then(version_of) {
            Some(version) => self.read(name, Some(version)).await,
            None => Ok(None),
        }
    }

    /// The newest version before this one that is enabled and wanted. One that says to hold the same of the account's two keys as this one does
    /// is passed over: it held what that key was before it was regenerated.
    pub(super) async fn read_earlier_enabled(
        &self,
        name: &SecretName,
        version: &str,
        is_wanted: &Wanted,
    ) -> Result<Option<Found>, Error> {
        let versions = self.versions(name).await?;
        let is_this = |it: &SecretProperties| version_of(it).is_some_and(|it| it.eq_ignore_ascii_case(version));
        let this = versions.iter().find(|it| is_this(it));
        let credential_of = |it: &SecretProperties| it.tags.as_ref().and_then(|tags| tags.get(CREDENTIAL_ID).cloned());
        let is_earlier = |it: &&SecretProperties| {
            // Times are in whole seconds.
            !is_this(it) && this.is_none_or(|this| made(it) <= made(this))
        };
        let ours = this.and_then(credential_of);
        let mut earlier: Vec<_> = versions.iter().filter(is_earlier).filter(|it| is_enabled(it)).collect();
        earlier.retain(|it| ours.is_none() || credential_of(it) != ours);
        earlier.sort_by_key(|it| Reverse(made(it)));
        for version in earlier.into_iter().take(MOST_EARLIER).filter_map(version_of) {
            match self.read(name, Some(version)).await {
                Ok(Some(found)) if is_wanted(&found) => return Ok(Some(found)),
                // It was deleted or disabled meanwhile.
                Ok(_) | Err(Error::Refused { why: Refusal::Disabled, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn versions(&self, name: &SecretName) -> Result<Vec<SecretProperties>, Error> {
        let mut new_tokens = 0;
        loop {
            let mut pager = self
                .client
                .list_secret_properties_versions(name.as_str(), None)
                .expect("a name is not empty, which is all that it checks");
            let mut versions = Vec::new();
            let failed = loop {
                match pager.try_next().await {
                    Ok(Some(_)) if versions.len() == MOST_VERSIONS => {
                        return Err(self.nonsense(Nonsense::TooManyVersions(MOST_VERSIONS)));
                    }
                    Ok(Some(version)) => versions.push(version),
                    Ok(None) => return Ok(versions),
                    Err(error) => break error,
                }
            };
            if failed.http_status() == Some(StatusCode::NotFound) {
                return Ok(Vec::new());
            }
            if !may_begin_again(&failed, &mut new_tokens) {
                return Err(match self.explain(&failed) {
                    Error::Refused { vault, identity, why: Refusal::MissingRole | Refusal::MissingPolicy } => {
                        Error::Refused { vault, identity, why: Refusal::MayNotListVersions }
                    }
                    other => other,
                });
            }
        }
    }
}

fn is_enabled(version: &SecretProperties) -> bool {
    version.attributes.as_ref().is_none_or(|it| it.enabled != Some(false))
}

fn made(version: &SecretProperties) -> Option<OffsetDateTime> {
    version.attributes.as_ref().and_then(|it| it.created)
}

fn version_of(version: &SecretProperties) -> Option<String> {
    version.resource_id().ok()?.version
}
