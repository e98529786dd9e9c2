use crate::model::Reference;
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::Url;

/// One entry of `identities` in valet.yaml: an Entra credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityConfig {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// How it proves itself.
    pub kind: IdentityKind,
    /// The Entra endpoint, for sovereign clouds and tests; else `AZURE_AUTHORITY_HOST`, else the public cloud.
    pub authority_host: Option<Url>,
    /// How the Entra endpoint is reached.
    pub network: NetworkConfig,
}

/// How an identity proves itself to Entra. What is `None` is taken from the environment variable that the Azure SDKs use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// Our own chain: environment, workload identity, managed identity, Azure CLI; the first that is configured is used.
    Default,
    /// `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`.
    Environment,
    /// A Kubernetes service account token that Entra trusts.
    WorkloadIdentity {
        /// Else `AZURE_CLIENT_ID`.
        client_id: Option<String>,
        /// Else `AZURE_TENANT_ID`.
        tenant_id: Option<String>,
        /// Else `AZURE_FEDERATED_TOKEN_FILE`.
        token_file: Option<PathBuf>,
    },
    /// The identity of the machine, pod or app.
    ManagedIdentity {
        /// A user-assigned identity; `None` is the system-assigned one.
        id: Option<ManagedIdentityId>,
    },
    /// A service principal with a secret.
    ClientSecret {
        /// Tenant id or domain.
        tenant_id: String,
        /// Application id.
        client_id: String,
        /// Where the secret is.
        client_secret: Reference,
    },
    /// A service principal with a certificate.
    ClientCertificate {
        /// Tenant id or domain.
        tenant_id: String,
        /// Application id.
        client_id: String,
        /// Where the PEM text is: the certificate (leaf first) and its private key.
        certificate: Reference,
    },
    /// Whoever is logged in to the Azure CLI. For development.
    AzureCli {
        /// A tenant other than the CLI's default.
        tenant_id: Option<String>,
    },
}

/// Names one user-assigned managed identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ManagedIdentityId {
    /// Its application (client) id.
    ClientId(String),
    /// Its object (principal) id.
    ObjectId(String),
    /// Its Azure resource id.
    ResourceId(String),
}

/// How a host is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NetworkConfig {
    /// PEM file of certificate authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// The PEM files by which a client proves who it is to a server that asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCertificate {
    /// The certificate, leaf first.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// How often a vault may be asked by this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BudgetConfig {
    /// The most requests, of whatever kind, …
    pub requests: u32,
    /// … within any such span.
    pub per: Duration,
}

impl Default for BudgetConfig {
    /// A twentieth of what Azure allows one vault: 4,000 per 10 s, of all who ask it together
    /// (<https://learn.microsoft.com/azure/key-vault/general/service-limits>).
    fn default() -> Self {
        Self { requests: 200, per: Duration::from_secs(10) }
    }
}

impl BudgetConfig {
    /// The one of two that allows less in the long run.
    #[must_use]
    pub fn smaller(self, other: Self) -> Self {
        let (ours, theirs) =
            (u128::from(self.requests) * other.per.as_nanos(), u128::from(other.requests) * self.per.as_nanos());
        if ours > theirs { other } else { self }
    }
}
