//! How a test vault is started.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use http::Uri;

use crate::{
    clock::{TimeSource, system_time},
    endpoints::{RESOURCE, TENANT_ID},
    seed::Seed,
};

/// Listeners, certificates and what there is at the start. The defaults suit a test: ephemeral ports on loopback, a directory of its
/// own that goes with the test vault, an empty default vault.
#[derive(Clone)]
pub struct Options {
    /// Vaults and Entra, TLS.
    pub listen: SocketAddr,
    /// Managed identity, plain HTTP.
    pub imds: SocketAddr,
    /// The control API, plain HTTP; refuses to start on anything but loopback.
    pub control: SocketAddr,
    /// The foreign host, TLS.
    pub foreign: SocketAddr,
    /// The fault proxy, TLS, where there is anything behind it.
    pub proxy: SocketAddr,
    /// What the fault proxy hands requests on to.
    pub behind: Option<Behind>,
    /// Where `ca.pem` and `endpoints.json` are written; a temporary directory where it is not named.
    pub dir: Option<PathBuf>,
    /// The certificate of the first listener.
    pub leaf: Leaf,
    /// The only tenant, a GUID.
    pub tenant_id: String,
    /// The audience that vaults ask for and check, but for those below `vault.localhost` (theirs is `https://vault.localhost`).
    pub resource: String,
    /// How long tokens live.
    pub token_lifetime: Duration,
    /// The secrets.
    pub seed: Seed,
    /// The time, before the offset that a test may set.
    pub time: TimeSource,
}

impl Default for Options {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any_port,
            imds: any_port,
            control: any_port,
            foreign: any_port,
            proxy: any_port,
            behind: None,
            dir: None,
            leaf: Leaf::default(),
            tenant_id: TENANT_ID.to_owned(),
            resource: RESOURCE.to_owned(),
            token_lifetime: Duration::from_hours(1),
            seed: Seed::default(),
            time: system_time(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("listen", &self.listen)
            .field("leaf", &self.leaf)
            .finish_non_exhaustive()
    }
}

/// A server behind the fault proxy: Azurite, or another test vault.
#[derive(Clone, Debug)]
pub struct Behind {
    /// `https://HOST:PORT` or `http://HOST:PORT`.
    pub url: Uri,
    /// The authority that vouches for it over https, PEM.
    pub ca_file: Option<PathBuf>,
}

/// The certificate that a listener shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaf {
    /// Signed by the test CA, for localhost, the loopback addresses, the vaults and the login host.
    #[default]
    Trusted,
    /// Signed by itself (an end entity, the same names); `ca.pem` holds the CA, which did not sign it.
    SelfSigned,
    /// Signed by the test CA, for another host.
    WrongName,
    /// Signed by the test CA, no longer valid.
    Expired,
}
