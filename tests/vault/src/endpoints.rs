//! Where a running test vault is reached and with what credentials, as written to `endpoints.json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Addresses and credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The default vault, `https://localhost:PORT`.
    pub vault_url: String,
    /// Entra, `https://localhost:PORT` (the same listener).
    pub authority_url: String,
    /// IMDS, `http://127.0.0.1:PORT`: what `AZURE_POD_IDENTITY_AUTHORITY_HOST` is set to.
    pub imds_url: String,
    /// What `IDENTITY_ENDPOINT` is set to.
    pub identity_endpoint: String,
    /// What `IDENTITY_HEADER` is set to.
    pub identity_header: String,
    /// The control API, `http://127.0.0.1:PORT`.
    pub control_url: String,
    /// `https://127.0.0.1:PORT`: a host that no token may reach, trusted by the same CA.
    pub foreign_url: String,
    /// The fault proxy, `https://localhost:PORT`, where there is anything behind it.
    pub proxy_url: Option<String>,
    /// The CA of all certificates here, PEM.
    pub ca_file: PathBuf,
    /// The only tenant.
    pub tenant_id: String,
    /// An application with every right.
    pub client_id: String,
    /// Its secret; it has characters that must be escaped in a form.
    pub client_secret: String,
    /// The client id of the system-assigned managed identity.
    pub system_identity_client_id: String,
    /// The client id of a user-assigned managed identity.
    pub user_identity_client_id: String,
    /// The audience of tokens for the default vault, as its challenge names it.
    pub resource: String,
}

/// The tenant, unless the options name another.
pub const TENANT_ID: &str = "7e57da7a-0000-4000-8000-000000000001";
/// [`Endpoints::client_id`].
pub const CLIENT_ID: &str = "7e57da7a-0000-4000-8000-00000000000a";
/// [`Endpoints::client_secret`].
pub const CLIENT_SECRET: &str = "t3st~vault+client/secret&=%41";
/// [`Endpoints::system_identity_client_id`].
pub const SYSTEM_IDENTITY_ID: &str = "7e57da7a-0000-4000-8000-00000000000b";
/// [`Endpoints::user_identity_client_id`].
pub const USER_IDENTITY_ID: &str = "7e57da7a-0000-4000-8000-00000000000c";
/// [`Endpoints::identity_header`].
pub const IDENTITY_HEADER: &str = "7e57da7a-identity-header";
/// The audience of Key Vault in the public cloud.
pub const RESOURCE: &str = "https://vault.azure.net";
