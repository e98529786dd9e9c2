use super::{
    BudgetConfig, ClientCertificate, IdentityConfig, NetworkConfig,
    error::Error,
    guard::{Budget, Random, Seams},
    http::{Clients, Dialer, Resolver},
    identity,
    shared::Shared,
    storage::{StorageClient, StorageService},
    token::{Keeper, Tokens},
    vault::KeyVault,
};
use crate::{clock::Clock, env::Env, telemetry::Counters};
use std::sync::Arc;
use url::Url;

/// Everything of Azure that this process has: for each definition one HTTP client, one identity, one vault and one storage client, shared by all who name it and
/// kept across reloads as long as somebody does.
#[derive(Debug)]
pub struct Azure {
    env: Arc<dyn Env>,
    clock: Arc<dyn Clock>,
    clients: Clients,
    seams: Seams,
    identities: Shared<IdentityConfig, Keeper>,
    budgets: Shared<Url, Budget>,
    vaults: Shared<(Url, IdentityConfig, NetworkConfig), KeyVault>,
    storage: Shared<(StorageService, Url, IdentityConfig, NetworkConfig), StorageClient>,
}

impl Azure {
    /// Nothing yet. `resolver` turns host names into addresses ([`super::SystemResolver`]); `random` spreads pauses.
    pub fn new(
        env: Arc<dyn Env>,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolver>,
        random: Random,
        counters: Arc<Counters>,
    ) -> Self {
        let seams = Seams { clock: Arc::clone(&clock), random, counters };
        Self {
            env,
            clock,
            clients: Clients::new(resolver, seams.clone()),
            seams,
            identities: Shared::default(),
            budgets: Shared::default(),
            vaults: Shared::default(),
            storage: Shared::default(),
        }
    }

    /// Limits how often the vault at `url` is asked from now on, whoever asks it and for whatever. It has no effect where nobody holds that vault.
    pub fn limit(&self, url: &Url, budget: BudgetConfig) {
        self.budget(url).limit(budget);
    }

    /// The vault at `url`, reached over `network` and read with `identity`. Reads the environment and `ca_file`; does no network I/O.
    ///
    /// # Errors
    /// [`Error::Setup`], where the definition cannot be taken into use.
    pub fn vault(&self, url: &Url, identity: &IdentityConfig, network: &NetworkConfig) -> Result<Arc<KeyVault>, Error> {
        self.vaults.get_or_build(&(url.clone(), identity.clone(), network.clone()), || {
            let tokens = self.keeper(identity)?;
            let (name, clock) = (Arc::clone(&identity.name), Arc::clone(&self.clock));
            KeyVault::new((url, self.budget(url)), network, name, tokens, &self.clients, clock)
        })
    }

    fn budget(&self, url: &Url) -> Arc<Budget> {
        self.budgets.get_or_make(url, || Budget::new(self.seams.clone()))
    }

    /// A service of a storage account at its endpoint, reached over `network` and asked with `identity`. Reads the environment and `ca_file`;
    /// does no network I/O.
    ///
    /// # Errors
    /// [`Error::Setup`], where the definition cannot be taken into use.
    pub fn storage(
        &self,
        service: StorageService,
        endpoint: &Url,
        identity: &IdentityConfig,
        network: &NetworkConfig,
    ) -> Result<Arc<StorageClient>, Error> {
        let key = (service, endpoint.clone(), identity.clone(), network.clone());
        self.storage.get_or_build(&key, || {
            let (tokens, clock) = (self.keeper(identity)?, Arc::clone(&self.clock));
            StorageClient::new(service, endpoint, network, Arc::clone(&identity.name), tokens, &self.clients, clock)
        })
    }

    /// What opens TLS connections to the host of `url`, over `network` and with the trust that requests to Azure have. Reads `ca_file`; does no
    /// network I/O.
    ///
    /// # Errors
    /// [`Error::Setup`], where the definition cannot be taken into use.
    pub fn dialer(
        &self,
        url: &Url,
        network: &NetworkConfig,
        client: Option<ClientCertificate>,
    ) -> Result<Dialer, Error> {
        Dialer::new(url, network, client, &self.clients)
    }

    /// The tokens of `identity`, for any scope; those who use the same identity share them. Reads the environment and `ca_file`; does no
    /// network I/O.
    ///
    /// # Errors
    /// [`Error::Setup`], where the definition cannot be taken into use.
    pub fn tokens(&self, identity: &IdentityConfig) -> Result<Arc<dyn Tokens>, Error> {
        Ok(self.keeper(identity)?)
    }

    fn keeper(&self, config: &IdentityConfig) -> Result<Arc<Keeper>, Error> {
        self.identities.get_or_build(config, || {
            let source = identity::build(config, &self.env, &self.clock, &self.clients)?;
            Ok(Keeper::new(Arc::clone(&config.name), source, Arc::clone(&self.clock)))
        })
    }
}
