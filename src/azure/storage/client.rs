use super::{DelegationKeys, StorageRefusal, StorageService, UserDelegationKey, answer, key};
use crate::{
    azure::{
        NetworkConfig,
        error::{Error, Nonsense, Peer},
        http::{CALL_TIMEOUT, Clients, Endpoint, HostName},
        token::{Token, Tokens},
    },
    clock::Clock,
};
use async_trait::async_trait;
use azure_core::http::{Method, Request};
use std::{fmt, sync::Arc};
use tokio::time::timeout;
use url::Url;

/// What tokens for Azure Storage are for, in every cloud.
const SCOPE: &str = "https://storage.azure.com/.default";

/// One service of one storage account, seen with one identity.
pub struct StorageClient {
    service: StorageService,
    endpoint: Endpoint,
    identity: Arc<str>,
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
}

impl StorageClient {
    /// The service at its endpoint, which may have the account's name as its path, as emulators have. Does no network I/O.
    pub(in crate::azure) fn new(
        service: StorageService,
        url: &Url,
        network: &NetworkConfig,
        identity: Arc<str>,
        tokens: Arc<dyn Tokens>,
        clients: &Clients,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let peer = Peer::Storage { host: HostName::of(url) };
        let endpoint = Endpoint::with_path(url, "the storage account's endpoint", peer, network, clients)?;
        Ok(Self { service, endpoint, identity, tokens, clock })
    }

    async fn ask(&self, start: &str, expiry: &str) -> Result<UserDelegationKey, Error> {
        let mut is_new_token = false;
        loop {
            let token = self.tokens.token(SCOPE).await?;
            let reply = self.endpoint.send(&self.request(&token, start, expiry)).await?;
            if reply.status.as_u16() == 200 {
                return UserDelegationKey::read(&reply.body)
                    .ok_or_else(|| self.endpoint.nonsense(Nonsense::Unreadable));
            }
            let error = answer::explain(&reply, &self.endpoint, self.service, &self.identity, self.clock.wall());
            let is_rejected = matches!(error, Error::RefusedByStorage { why: StorageRefusal::Unauthorized, .. });
            // Begun again where another token is to be had: this one may have been revoked.
            if !is_rejected || !self.tokens.reject(token.text.expose()) || is_new_token {
                return Err(error);
            }
            is_new_token = true;
        }
    }

    fn request(&self, token: &Token, start: &str, expiry: &str) -> Request {
        let mut url = self.endpoint.shown().clone();
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        url.set_query(Some("restype=service&comp=userdelegationkey"));
        let mut request = Request::new(url, Method::Post);
        request.insert_header("authorization", format!("Bearer {}", token.text.expose()));
        request.insert_header("x-ms-version", self.service.version());
        request.insert_header("content-type", "application/xml");
        request.set_body(key::question(start, expiry));
        request
    }
}

impl fmt::Debug for StorageClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageClient")
            .field("service", &self.service)
            .field("endpoint", self.endpoint.peer())
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl DelegationKeys for StorageClient {
    async fn delegation_key(&self, start: &str, expiry: &str) -> Result<UserDelegationKey, Error> {
        let timed_out = || Error::TimedOut { peer: self.endpoint.peer().clone(), after: CALL_TIMEOUT };
        timeout(CALL_TIMEOUT, self.ask(start, expiry)).await.unwrap_or_else(|_| Err(timed_out()))
    }
}
