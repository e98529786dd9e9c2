use super::{IdentityProblem, Parts, token};
use crate::{
    azure::{
        ManagedIdentityId,
        error::{Error, Nonsense, Peer},
        http::{Endpoint, HostName, Reply, client_options, raw_response, wrapped},
        reply::retry_after,
        token::{Fetch, Token},
    },
    clock::Clock,
    model::Secret,
};
use async_trait::async_trait;
use azure_core::{
    credentials::TokenCredential,
    http::{AsyncRawResponse, HttpClient, Method, Request, headers::HeaderName},
};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use url::Url;

/// The Instance Metadata Service of virtual machines, scale sets and AKS nodes.
const IMDS: &str = "http://169.254.169.254";
/// Its path of tokens.
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
/// How long to wait for a sign of life of it: it is on the machine's own host, or nowhere.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The identity of the machine, pod or app.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    id: Option<ManagedIdentityId>,
    transport: Arc<ManagedTransport>,
    is_imds: bool,
}

/// The endpoint is App Service's (also that of Functions, Container Apps and others) where `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set,
/// else that of virtual machines, at its fixed address or, as in the other Azure SDKs, at `AZURE_POD_IDENTITY_AUTHORITY_HOST`. Those of other
/// platforms, which the Azure crates do not know, are told by their variables and refused.
pub(super) fn build(parts: &Parts<'_>, id: Option<&ManagedIdentityId>) -> Result<Arc<ManagedIdentity>, Error> {
    let is_set = |variable| parts.optional(variable).map(|value| value.is_some());
    let (url, header) = match (parts.optional("IDENTITY_ENDPOINT")?, parts.optional("IDENTITY_HEADER")?) {
        (Some(_), Some(_)) if is_set("IDENTITY_SERVER_THUMBPRINT")? => {
            return Err(parts.bad("managed identities of Service Fabric are not supported; use another kind"));
        }
        (Some(_), Some(_)) if matches!(id, Some(ManagedIdentityId::ResourceId(_))) => {
            return Err(parts.bad("no managed identity is named by resource_id where IDENTITY_ENDPOINT is set; write client_id or object_id"));
        }
        (Some(endpoint), Some(header)) => {
            (Url::parse(&endpoint).map_err(|_| parts.bad("IDENTITY_ENDPOINT is no URL"))?, Some(Secret::new(header)))
        }
        (Some(_), None) if is_set("IMDS_ENDPOINT")? => {
            return Err(parts.bad("managed identities of Azure Arc are not supported; use another kind"));
        }
        (None, _) if is_set("MSI_ENDPOINT")? => {
            return Err(
                parts.bad("managed identities of Cloud Shell and Azure ML are not supported; use kind azure-cli")
            );
        }
        _ => {
            let host = parts.optional("AZURE_POD_IDENTITY_AUTHORITY_HOST")?;
            let url = Url::parse(host.as_deref().unwrap_or(IMDS)).and_then(|host| host.join(IMDS_PATH));
            (url.map_err(|_| parts.bad("AZURE_POD_IDENTITY_AUTHORITY_HOST is no URL"))?, None)
        }
    };
    let identity = Arc::clone(&parts.config.name);
    let peer = Peer::ManagedIdentity { host: HostName::of(&url), identity: Arc::clone(&identity) };
    let is_imds = header.is_none();
    let endpoint = Endpoint::fixed(&url, peer, parts.clients)?;
    let transport = Arc::new(ManagedTransport { endpoint, header, identity, clock: Arc::clone(parts.clock) });
    Ok(Arc::new(ManagedIdentity { id: id.cloned(), transport, is_imds }))
}

impl ManagedIdentity {
    /// Whether the endpoint is that of virtual machines, which nobody configures and which may not be there.
    pub(super) fn is_imds(&self) -> bool {
        self.is_imds
    }

    /// Whether anything answers at the endpoint. The request lacks the header that every true one has, so it gets no token (400).
    pub(super) async fn is_there(&self) -> bool {
        let endpoint = &self.transport.endpoint;
        let probe = Request::new(endpoint.actual().clone(), Method::Get);
        matches!(timeout(PROBE_TIMEOUT, endpoint.send(&probe)).await, Ok(Ok(_)))
    }

    /// Where it is asked.
    pub(super) fn host(&self) -> HostName {
        HostName::of(self.transport.endpoint.actual())
    }
}

#[async_trait]
impl Fetch for ManagedIdentity {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let user_assigned_id = self.id.clone().map(|id| match id {
            ManagedIdentityId::ClientId(id) => UserAssignedId::ClientId(id),
            ManagedIdentityId::ObjectId(id) => UserAssignedId::ObjectId(id),
            ManagedIdentityId::ResourceId(id) => UserAssignedId::ResourceId(id),
        });
        let client_options = client_options(Arc::clone(&self.transport) as Arc<dyn HttpClient>, None);
        let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
        let result = match ManagedIdentityCredential::new(Some(options)) {
            Ok(credential) => credential.get_token(&[scope], None).await,
            Err(error) => Err(error),
        };
        token(result, &self.transport.identity)
    }
}

/// Sends every request to the endpoint that *our* environment names, with its header, and turns every failure into an error that is not
/// retried: the crate's IMDS credential ignores its retry options and would try for 100 s.
#[derive(Debug)]
struct ManagedTransport {
    endpoint: Endpoint,
    header: Option<Secret>,
    identity: Arc<str>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl HttpClient for ManagedTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        if let Some(header) = &self.header {
            request.insert_header(HeaderName::from_static("x-identity-header"), header.expose().to_owned());
        }
        let reply = self.endpoint.send(&request).await.map_err(wrapped)?;
        if reply.status.is_success() { Ok(raw_response(reply)) } else { Err(wrapped(self.explain(&reply))) }
    }
}

impl ManagedTransport {
    fn explain(&self, reply: &Reply) -> Error {
        let now = self.clock.wall();
        match reply.status.as_u16() {
            400 => Error::Identity { identity: Arc::clone(&self.identity), why: IdentityProblem::NotAssigned },
            // The service is being updated, says its documentation.
            status @ (404 | 410) => {
                let peer = self.endpoint.peer().clone();
                Error::Failing { peer, status, retry_after: retry_after(&reply.headers, now) }
            }
            status => self
                .endpoint
                .unavailable(reply, now)
                .unwrap_or_else(|| self.endpoint.nonsense(Nonsense::Status(status))),
        }
    }
}
