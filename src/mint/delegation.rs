use super::StorageService;
use crate::{
    azure::{Azure, DelegationKeys, IdentityConfig, NetworkConfig, StorageService as AzureService},
    model::{Fault, FaultKind},
    sign::{DelegationKey, DelegationKeyText, SignError, Window},
};
use std::{sync::Arc, time::SystemTime};
use url::Url;

/// Asks one service of a storage account for user delegation keys, in the name of one identity.
#[derive(Debug, Clone)]
pub struct Delegation {
    account: Arc<str>,
    keys: Arc<dyn DelegationKeys>,
}

impl Delegation {
    /// Of the service at an endpoint. Does no network I/O.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`], where the definition cannot be taken into use.
    pub fn build(
        account: &Arc<str>,
        (service, endpoint): (StorageService, &str),
        identity: &IdentityConfig,
        network: &NetworkConfig,
        azure: &Azure,
    ) -> Result<Self, Fault> {
        let service = match service {
            StorageService::Blob | StorageService::Dfs => AzureService::Blob,
            StorageService::File => AzureService::File,
            StorageService::Queue => AzureService::Queue,
            StorageService::Table => AzureService::Table,
        };
        let what = format!("account {account:?}");
        let no_url = |_| Fault::new(FaultKind::BadConfig, format!("{what}: an endpoint is no URL"));
        let endpoint = Url::parse(endpoint).map_err(no_url)?;
        let keys = azure.storage(service, &endpoint, identity, network).map_err(|error| error.fault(&what))?;
        Ok(Self::new(account, keys))
    }

    /// Of whoever gives such keys.
    pub fn new(account: &Arc<str>, keys: Arc<dyn DelegationKeys>) -> Self {
        Self { account: Arc::clone(account), keys }
    }

    /// A new key, for as long as Azure gives one.
    ///
    /// # Errors
    /// Whatever keeps it away, with what to change.
    pub async fn key(&self, now: SystemTime) -> Result<DelegationKey, Fault> {
        let what = format!("account {:?}", &*self.account);
        let nonsense = |error: SignError| {
            Fault::new(FaultKind::SourceDown, format!("{what}: the user delegation key cannot be used: {error}"))
        };
        let window = Window::of_delegation_key(now).map_err(nonsense)?;
        let [start, expiry] =
            [window.start(), window.expiry()].map(|end| end.expect("a window of a key has both ends"));
        let key =
            self.keys.delegation_key(start.as_str(), expiry.as_str()).await.map_err(|error| error.fault(&what))?;
        DelegationKey::parse(&DelegationKeyText {
            oid: &key.oid,
            tid: &key.tid,
            start: &key.start,
            expiry: &key.expiry,
            service: &key.service,
            version: &key.version,
            delegated_user_tid: key.delegated_user_tid.as_deref(),
            value: key.value.expose(),
        })
        .map_err(nonsense)
    }
}
