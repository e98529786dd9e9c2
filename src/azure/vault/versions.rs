use super::{KeyVault, SecretName, client::may_begin_again};
use crate::{
    azure::error::{Error, Nonsense, Refusal},
    model::Found,
};
use azure_core::http::StatusCode;
use azure_security_keyvault_secrets::{ResourceExt as _, models::SecretProperties};
use futures::TryStreamExt as _;

/// The most versions of one secret that are looked through. Key Vault keeps them all; who rotates monthly has this many after forty years.
const MOST_VERSIONS: usize = 500;

impl KeyVault {
    /// The newest version of a secret that is enabled. Nearly always that is the latest one; only where it is disabled are the others listed.
    pub(super) async fn read_newest_enabled(&self, name: &SecretName) -> Result<Option<Found>, Error> {
        match self.read(name, None).await {
            Err(Error::Refused { why: Refusal::Disabled, .. }) => {}
            read => return read,
        }
        let versions = self.versions(name).await?;
        let is_enabled = |it: &&SecretProperties| it.attributes.as_ref().is_none_or(|it| it.enabled != Some(false));
        let newest =
            versions.iter().filter(is_enabled).max_by_key(|it| it.attributes.as_ref().and_then(|it| it.created));
        match newest.and_then(|it| it.resource_id().ok()?.version) {
            Some(version) => self.read(name, Some(version)).await,
            None => Ok(None),
        }
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
                        Error::Refused { vault, identity, why: Refusal::MayNotList }
                    }
                    other => other,
                });
            }
        }
    }
}
