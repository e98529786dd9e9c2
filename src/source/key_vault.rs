use super::{
    Asked, KeyVaultConfig, ListPlan, ListSeams, News, Source,
    key_vault_names::Names,
    listing::{Lister, Version},
};
use crate::{
    azure::{Azure, Error, IdentityConfig, SecretName, Setup, Standing, Vault},
    model::{Credential, Fault, Found, Held, Lookup, Name, Review, SourceName, Urgency, ValueDigest, Wanted},
};
use async_trait::async_trait;
use std::{slice, sync::Arc};
use tracing::debug;

/// Reads Airflow's connections, variables and configuration options from a Key Vault, by the names that `AzureKeyVaultBackend` gives them.
#[derive(Debug)]
pub struct KeyVaultSource {
    name: SourceName,
    names: Arc<Names>,
    vault: Arc<dyn Vault>,
    lister: Lister,
}

impl KeyVaultSource {
    /// The source that a definition describes; `identities` are all that there are. Does no network I/O, and lists nothing before it has a plan.
    ///
    /// # Errors
    /// [`crate::model::FaultKind::BadConfig`], where it cannot be taken into use.
    pub fn build<'a>(
        name: SourceName,
        config: &KeyVaultConfig,
        identities: impl IntoIterator<Item = &'a IdentityConfig>,
        azure: &Azure,
        seams: ListSeams,
    ) -> Result<Self, Fault> {
        let identity = identities.into_iter().find(|identity| identity.name == config.identity);
        let vault = identity
            .ok_or_else(|| Error::from(Setup::UnknownIdentity(Arc::clone(&config.identity))))
            .and_then(|identity| azure.vault(&config.url, identity, &config.network))
            .map_err(|error| error.fault(&format!("source {:?}", name.as_str())))?;
        let lister = Lister::new(name.clone(), Arc::clone(&vault) as Arc<dyn Vault>, seams);
        Ok(Self { name, names: Arc::new(Names::new(&config.names)), vault, lister })
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
        if self.lister.lacks(&names) {
            return Ok(None);
        }
        for (name, rank) in names.iter().zip(0..) {
            let early = self.lister.take(name);
            let found = match early {
                Some(_) => early,
                None => self.vault.secret(name, urgency).await.map_err(|error| fault(name, &error))?,
            };
            if let Some(found) = found {
                return Ok(Some(Found { rank, ..found }));
            }
        }
        Ok(None)
    }

    async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault> {
        let Some(name) = SecretName::parse(name.as_str()) else { return Ok(None) };
        if self.lister.lacks(slice::from_ref(&name)) {
            return Ok(None);
        }
        if let Some(found) = self.lister.take(&name) {
            return Ok(Some(found));
        }
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

    async fn news(&self, held: &(dyn Fn() -> usize + Send + Sync)) -> News {
        let (as_of, catalogue) = self.lister.next(held).await;
        let names = Arc::clone(&self.names);
        let judge = move |asked: Asked<'_>, held: Held<'_>| match asked {
            Asked::Lookup(lookup) => catalogue.judge(&names.of(lookup), Version::Latest, held),
            Asked::Named(name) => {
                let name = SecretName::parse(name.as_str());
                catalogue.judge(name.as_slice(), Version::NewestEnabled, held)
            }
            // No vault gives any.
            Asked::Token(_) => Review::Leave,
        };
        News { as_of, judge: Box::new(judge) }
    }

    fn list_by(&self, plan: Option<ListPlan>) {
        self.lister.plan(plan);
    }

    fn forget(&self) {
        self.lister.forget();
    }

    async fn rejected(&self, _credential: &Credential, _value: Option<&ValueDigest>) {
        self.lister.forget();
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.vault.standing())
    }
}

fn fault(name: &SecretName, error: &Error) -> Fault {
    error.fault(&format!("secret {:?}", name.as_str()))
}
