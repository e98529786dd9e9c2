use super::{IdentityProblem, Parts, optional, token};
use crate::{
    azure::{
        error::{Error, Nonsense, Peer},
        http::{Endpoint, HostName, Reply, client_options, raw_response, wrapped},
        reply::{lenient_json, number_after},
        token::Token,
    },
    clock::Clock,
};
use async_trait::async_trait;
use azure_core::{
    credentials::TokenCredential,
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request},
};
use azure_identity::{ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions};
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// The public cloud's Entra.
const PUBLIC: &str = "https://login.microsoftonline.com";

/// Entra, as one identity reaches it.
#[derive(Debug, Clone)]
pub(super) struct Entra {
    pub(super) tenant_id: String,
    transport: Arc<EntraTransport>,
}

impl Entra {
    pub(super) fn new(parts: &Parts<'_>, tenant_id: &str) -> Result<Self, Error> {
        // The Azure crates check the same, at the first token.
        if tenant_id.is_empty() || !tenant_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            return Err(parts.bad(
                "the tenant id has other characters than letters, digits, `.` and `-`; write the tenant's id or domain",
            ));
        }
        let (url, what) = match &parts.config.authority_host {
            Some(url) => (url.clone(), "authority_host"),
            None => match optional("AZURE_AUTHORITY_HOST", &**parts.env)? {
                Some(text) => {
                    // The other Azure SDKs take a bare host too.
                    let text = if text.contains("://") { text } else { format!("https://{text}") };
                    let url = Url::parse(&text).map_err(|_| parts.bad("AZURE_AUTHORITY_HOST is no URL"))?;
                    (url, "AZURE_AUTHORITY_HOST")
                }
                None => (Url::parse(PUBLIC).expect("a valid URL"), "authority_host"),
            },
        };
        let identity = Arc::clone(&parts.config.name);
        let peer = Peer::Entra { host: HostName::of(&url), identity: Arc::clone(&identity) };
        let endpoint = Endpoint::new(&url, what, peer, &parts.config.network, parts.clients)?;
        let transport = EntraTransport { endpoint, identity, clock: Arc::clone(parts.clock) };
        Ok(Self { tenant_id: tenant_id.to_owned(), transport: Arc::new(transport) })
    }

    /// Options for a credential of the Azure crates.
    pub(super) fn client_options(&self) -> ClientOptions {
        client_options(Arc::clone(&self.transport) as Arc<dyn HttpClient>, Some(self.transport.endpoint.shown()))
    }

    /// Where tokens are asked for: what an assertion must name as its audience.
    pub(super) fn token_url(&self) -> String {
        format!("{}{}/oauth2/v2.0/token", self.transport.endpoint.actual(), self.tenant_id)
    }

    /// Gets a token for who can make an assertion.
    pub(super) async fn exchange(
        &self,
        client_id: &str,
        assertion: impl ClientAssertion + 'static,
        scope: &str,
    ) -> Result<Token, Error> {
        let options = ClientAssertionCredentialOptions { client_options: self.client_options() };
        let (tenant_id, client_id) = (self.tenant_id.clone(), client_id.to_owned());
        let result = match ClientAssertionCredential::new(tenant_id, client_id, assertion, Some(options)) {
            Ok(credential) => credential.get_token(&[scope], None).await,
            Err(error) => Err(error),
        };
        token(result, self.identity())
    }

    pub(super) fn identity(&self) -> &Arc<str> {
        &self.transport.identity
    }
}

#[derive(Debug)]
struct EntraTransport {
    endpoint: Endpoint,
    identity: Arc<str>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let reply = self.endpoint.send(request).await.map_err(wrapped)?;
        if reply.status.is_success() { Ok(raw_response(reply)) } else { Err(wrapped(self.explain(&reply))) }
    }
}

impl EntraTransport {
    /// Judged here and not by what the Azure crates make of it: they lose status and number where the description has a JSON escape.
    fn explain(&self, reply: &Reply) -> Error {
        if let Some(error) = self.endpoint.unavailable(reply, self.clock.wall()) {
            return error;
        }
        match lenient_json::<OAuthError>(&reply.body) {
            Some(error) => {
                let code =
                    error.error_codes.first().copied().or_else(|| number_after("AADSTS", &error.error_description?));
                Error::Identity { identity: Arc::clone(&self.identity), why: IdentityProblem::Refused { code } }
            }
            None => self.endpoint.nonsense(Nonsense::Status(reply.status.as_u16())),
        }
    }
}

/// RFC 6749, section 5.2, with Entra's numbers.
#[derive(Deserialize)]
struct OAuthError {
    #[serde(rename = "error")]
    _error: String,
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Vec<u32>,
}
