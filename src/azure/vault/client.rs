use super::{
    NextPage, Page, SecretName, Standing, Vault, answer, challenge::Challenges, transport::VaultTransport,
    validity::Validity,
};
use crate::{
    azure::{
        NetworkConfig,
        error::{Error, Nonsense, Peer},
        guard::Budget,
        http::{CALL_TIMEOUT, Clients, Endpoint, HostName, client_options, our_error, wrapped},
        token::Tokens,
    },
    clock::Clock,
    model::{Found, Urgency, Wanted, is_loopback},
};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, Secret as AzureSecret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{HttpClient, StatusCode},
    time::OffsetDateTime,
};
use azure_security_keyvault_secrets::{
    ResourceExt, SecretClient, SecretClientOptions, models, models::SecretClientGetSecretOptions,
};
use std::{fmt, sync::Arc, time::SystemTime};
use tokio::time::timeout;
use url::Url;

/// How often a read is begun again because its token was rejected and another one is there, or was lost to another read's 401.
const NEW_TOKENS: u32 = 2;

/// One vault, seen with one identity.
pub struct KeyVault {
    transport: Arc<VaultTransport>,
    pub(super) client: SecretClient,
    budget: Arc<Budget>,
    clock: Arc<dyn Clock>,
    validity: Validity,
}

impl KeyVault {
    /// The vault at a URL, asked within a budget. Does no network I/O.
    pub(in crate::azure) fn new(
        (url, budget): (&Url, Arc<Budget>),
        network: &NetworkConfig,
        identity: Arc<str>,
        tokens: Arc<dyn Tokens>,
        clients: &Clients,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let peer = Peer::Vault { host: HostName::of(url) };
        let endpoint = Endpoint::new(url, "the vault's url", peer, network, clients)?;
        let endpoint = Arc::new(endpoint.within(Arc::clone(&budget)));
        let (challenges, shown) = (Challenges::default(), endpoint.shown().clone());
        let (credential, clock_of_transport) = (Arc::new(Credential(Arc::clone(&tokens))), Arc::clone(&clock));
        let transport = Arc::new(VaultTransport { endpoint, identity, tokens, clock: clock_of_transport, challenges });
        let options = SecretClientOptions {
            client_options: client_options(Arc::clone(&transport) as Arc<dyn HttpClient>, None),
            // The check that a challenge asks for a token of the vault's own domain, so that nobody else is sent a token that is good there.
            // An emulator on this machine has no such domain: it asks for vault.azure.net's from `localhost`.
            verify_challenge_resource: Some(!is_loopback(url)),
            ..SecretClientOptions::default()
        };
        let client = SecretClient::new(shown.as_str(), credential, Some(options))
            .expect("an https URL, which is all that it checks");
        Ok(Self { transport, client, budget, clock, validity: Validity::default() })
    }

    /// Reads one version of a secret, or the latest.
    pub(super) async fn read(&self, name: &SecretName, version: Option<String>) -> Result<Option<Found>, Error> {
        let mut new_tokens = 0;
        loop {
            let options = SecretClientGetSecretOptions { secret_version: version.clone(), ..Default::default() };
            match self.client.get_secret(name.as_str(), Some(options)).await {
                Ok(response) => {
                    let secret = response.into_model().map_err(|_| self.nonsense(Nonsense::Unreadable))?;
                    return self.found(name, secret).map(Some);
                }
                Err(error) if error.http_status() == Some(StatusCode::NotFound) => return Ok(None),
                Err(error) if may_begin_again(&error, &mut new_tokens) => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
    }

    /// Carries out a call within its time, unless it has to yield.
    async fn in_time<T>(&self, urgency: Urgency, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        if urgency == Urgency::Ahead {
            self.budget.spare(self.transport.endpoint.peer())?;
        }
        let timed_out = || Error::TimedOut { peer: self.transport.endpoint.peer().clone(), after: CALL_TIMEOUT };
        timeout(CALL_TIMEOUT, call).await.unwrap_or_else(|_| Err(timed_out()))
    }

    fn found(&self, name: &SecretName, secret: models::Secret) -> Result<Found, Error> {
        let version = secret.resource_id().ok().and_then(|id| id.version).map(Arc::from);
        let attributes = secret.attributes.unwrap_or_default();
        let [not_before, expires_at, created_at, updated_at] =
            [attributes.not_before, attributes.expires, attributes.created, attributes.updated]
                .map(|time| time.map(SystemTime::from));
        let value = secret.value.ok_or_else(|| self.nonsense(Nonsense::NoValue))?;
        self.validity.judge(name, version.as_ref(), not_before, expires_at, self.clock.wall());
        Ok(Found { version, expires_at, created_at, updated_at, ..Found::plain(value) })
    }

    pub(super) fn explain(&self, error: &azure_core::Error) -> Error {
        if let Some(error) = our_error(error) {
            return error.clone();
        }
        let unauthorized = |body: &[u8]| answer::unauthorized(body, &self.transport.endpoint, &self.transport.identity);
        match error.kind() {
            ErrorKind::HttpResponse { raw_response: Some(response), .. } => unauthorized(response.body()),
            ErrorKind::HttpResponse { .. } | ErrorKind::Credential => unauthorized(&[]),
            // All that is left to the crate to refuse. Who answered may have been no vault, so it is asked again next time.
            _ => {
                self.transport.challenges.forget();
                self.nonsense(Nonsense::Challenge)
            }
        }
    }

    /// A link of the vault's as the crate takes it.
    pub(super) fn as_shown(&self, link: &Url) -> Url {
        self.transport.endpoint.as_shown(link)
    }

    pub(super) fn nonsense(&self, why: Nonsense) -> Error {
        self.transport.endpoint.nonsense(why)
    }
}

impl fmt::Debug for KeyVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVault")
            .field("vault", self.transport.endpoint.peer())
            .field("identity", &self.transport.identity)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Vault for KeyVault {
    async fn secret(&self, name: &SecretName, urgency: Urgency) -> Result<Option<Found>, Error> {
        self.in_time(urgency, self.read(name, None)).await
    }

    async fn newest_enabled(&self, name: &SecretName, urgency: Urgency) -> Result<Option<Found>, Error> {
        self.in_time(urgency, self.read_newest_enabled(name)).await
    }

    async fn earlier_enabled(
        &self,
        name: &SecretName,
        version: &str,
        is_wanted: &Wanted,
        urgency: Urgency,
    ) -> Result<Option<Found>, Error> {
        self.in_time(urgency, self.read_earlier_enabled(name, version, is_wanted)).await
    }

    async fn list(&self, from: Option<&NextPage>) -> Result<Page, Error> {
        self.in_time(Urgency::Ahead, self.read_page(from)).await
    }

    fn standing(&self) -> Standing {
        let (budget_left, budget) = self.budget.left();
        Standing { budget_left, budget, breaker: self.transport.endpoint.breaker() }
    }
}

/// Whether a call is worth another try, with a token that may be better; counts the tries.
pub(super) fn may_begin_again(error: &azure_core::Error, new_tokens: &mut u32) -> bool {
    *new_tokens += 1;
    lacks_token(error) && *new_tokens <= NEW_TOKENS
}

/// Whether there may be a better token by now: this one was rejected, or one read's 401 has cleared the token that another had just stored in
/// the crate's cache (which is then a failure of kind `Credential` that nobody caused).
fn lacks_token(error: &azure_core::Error) -> bool {
    let is_lost_race = *error.kind() == ErrorKind::Credential && our_error(error).is_none();
    is_lost_race || error.http_status() == Some(StatusCode::Unauthorized)
}

/// Our tokens as the crate wants them. It is told that each has ended long ago, so that its own cache always asks ours: one place decides when a
/// token is renewed or dropped.
#[derive(Debug)]
struct Credential(Arc<dyn Tokens>);

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let token = self.0.token(scopes.first().copied().unwrap_or_default()).await.map_err(wrapped)?;
        Ok(AccessToken::new(AzureSecret::new(token.text.expose().to_owned()), OffsetDateTime::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::Error as AzureError;

    #[test]
    fn a_read_is_begun_again_for_a_lost_token_and_a_rejected_one_and_nothing_else() {
        let lost = "The request failed due to an error while fetching the access token.";
        assert!(lacks_token(&AzureError::with_message(ErrorKind::Credential, lost)));
        let peer = Peer::Vault { host: HostName::of(&"https://acme.test".parse().unwrap()) };
        let ours = wrapped(Error::TimedOut { peer, after: CALL_TIMEOUT });
        assert!(!lacks_token(&AzureError::with_error(ErrorKind::Credential, ours, "no token")));
        for (status, expected) in [(StatusCode::Unauthorized, true), (StatusCode::NotFound, false)] {
            let kind = ErrorKind::HttpResponse { status, error_code: None, raw_response: None };
            assert_eq!(lacks_token(&kind.into_error()), expected, "{status}");
        }
    }
}
