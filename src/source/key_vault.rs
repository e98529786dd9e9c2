use super::{KeyVaultConfig, Source, key_vault_names::Names};
use crate::{
    azure::{Azure, Error, IdentityConfig, SecretName, Setup, Standing, Vault},
    model::{Fault, Found, Lookup, Name, SourceName, Urgency, Wanted},
};
use async_trait::async_trait;
use std::sync::Arc;
use tracing::debug;

/// Reads Airflow's connections, variables and configuration options from a Key Vault, by the names that `AzureKeyVaultBackend` gives them.
#[derive(Debug)]
pub struct KeyVaultSource {
    name: SourceName,
    names: Names,
    vault: Arc<dyn Vault>,
}

impl KeyVaultSource {
    /// The source that a definition describes; `identities` are all that there are. Does no network I/O.
    ///
    /// # Errors
    /// [`crate::model::FaultKind::BadConfig`], where it cannot be taken into use.
    pub fn build<'a>(
        name: SourceName,
        config: &KeyVaultConfig,
        identities: impl IntoIterator<Item = &'a IdentityConfig>,
        azure: &Azure,
    ) -> Result<Self, Fault> {
        let identity = identities.into_iter().find(|identity| identity.name == config.identity);
        let vault = identity
            .ok_or_else(|| Error::from(Setup::UnknownIdentity(Arc::clone(&config.identity))))
            .and_then(|identity| azure.vault(&config.url, identity, &config.network))
            .map_err(|error| error.fault(&format!("source {:?}", name.as_str())))?;
        Ok(Self::new(name, Names::new(&config.names), vault))
    }

    /// A source on any vault.
    pub(super) fn new(name: SourceName, names: Names, vault: Arc<dyn Vault>) -> Self {
        Self { name, names, vault }
    }
}

#[async_trait]
impl Source for KeyVaultSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "key-vault"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        let names: Vec<_> = self.names.of(lookup).iter().map(|name| format!("secret {:?}", name.as_str())).collect();
        if names.is_empty() { lookup.to_string() } else { names.join(" or ") }
    }

    async fn read(&self, lookup: &Lookup, urgency: Urgency) -> Result<Option<Found>, Fault> {
        let names = self.names.of(lookup);
        if names.is_empty() {
            debug!(source = %self.name, %lookup, "no secret can have the name that this would be; it is not here");
        }
        for name in names {
            match self.vault.secret(&name, urgency).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => return Err(fault(&name, &error)),
            }
        }
        Ok(None)
    }

    async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault> {
        let Some(name) = SecretName::parse(name.as_str()) else { return Ok(None) };
        self.vault.newest_enabled(&name, urgency).await.map_err(|error| fault(&name, &error))
    }

    async fn read_earlier(
        &self,
        name: &Name,
        version: &str,
        is_wanted: &Wanted,
        urgency: Urgency,
    ) -> Result<Option<Found>, Fault> {
        let Some(name) = SecretName::parse(name.as_str()) else { return Ok(None) };
        self.vault.earlier_enabled(&name, version, is_wanted, urgency).await.map_err(|error| fault(&name, &error))
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.vault.standing())
    }
}

fn fault(name: &SecretName, error: &Error) -> Fault {
    error.fault(&format!("secret {:?}", name.as_str()))
}
