//! A running test vault: binds, makes certificates and keys, serves until it is dropped.

use std::{
    fs, io,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::{NamedTempFile, TempDir};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    endpoints::{CLIENT_ID, CLIENT_SECRET, Endpoints, IDENTITY_HEADER, SYSTEM_IDENTITY_ID, USER_IDENTITY_ID},
    jwt::TokenKey,
    line::{Acceptors, Site},
    managed_identity::APP_SERVICE_PATH,
    options::{Leaf, Options},
    proxy::{Proxy, ProxyError},
    seed::SeedError,
    server::{Service, Tls, bind, serve},
    tls::{Authority, TlsError},
    world::World,
};

/// Why a test vault did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control API trusts whoever reaches it.
    #[error("the control address {0} is not loopback: choose 127.0.0.1")]
    ControlNotLoopback(SocketAddr),
    /// An address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The directory cannot be written.
    #[error("cannot write to the directory of the test vault")]
    Write(#[source] io::Error),
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Nothing can be behind the fault proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// No key to sign tokens with.
    #[error("no key can be generated")]
    Key(#[from] aws_lc_rs::error::Unspecified),
    /// The seed holds what no vault can.
    #[error(transparent)]
    Seed(#[from] SeedError),
}

/// A running test vault. It derefs to [`World`], whose methods change and observe it. When it is dropped, listeners and connections
/// end at once and a temporary directory is removed.
pub struct TestVault {
    world: Arc<World>,
    ca_pem: String,
    dir: Directory,
    _tasks: JoinSet<()>,
}

impl TestVault {
    /// Binds and serves; everything is reachable when this returns. `ca.pem` and `endpoints.json` are then in the directory.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if !options.control.ip().is_loopback() {
            return Err(StartError::ControlNotLoopback(options.control));
        }
        let dir = Directory::open(options.dir.clone()).map_err(StartError::Write)?;
        let authority = Authority::generate()?;
        let acceptors = Arc::new(Acceptors::new(&authority)?);
        let proxy = options.behind.as_ref().map(Proxy::new).transpose()?;
        let open = async |address| bind(address).await.map_err(|source| StartError::Listen { address, source });
        let (azure, azure_at) = open(options.listen).await?;
        let (identity, identity_at) = open(options.imds).await?;
        let (control, control_at) = open(options.control).await?;
        let (foreign, foreign_at) = open(options.foreign).await?;
        let (proxy_listener, proxy_at) = open(options.proxy).await?;
        let endpoints = Endpoints {
            vault_url: format!("https://localhost:{}", azure_at.port()),
            authority_url: format!("https://localhost:{}", azure_at.port()),
            imds_url: format!("http://{identity_at}"),
            identity_endpoint: format!("http://{identity_at}{APP_SERVICE_PATH}"),
            identity_header: IDENTITY_HEADER.to_owned(),
            control_url: format!("http://{control_at}"),
            foreign_url: format!("https://{foreign_at}"),
            proxy_url: proxy.is_some().then(|| format!("https://localhost:{}", proxy_at.port())),
            ca_file: dir.path().join(CA_FILE),
            tenant_id: options.tenant_id.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            system_identity_client_id: SYSTEM_IDENTITY_ID.to_owned(),
            user_identity_client_id: USER_IDENTITY_ID.to_owned(),
            resource: options.resource.clone(),
        };
        let ca_pem = authority.pem();
        let json = serde_json::to_string_pretty(&endpoints).map_err(|error| StartError::Write(error.into()))?;
        let world = Arc::new(World::new(&options, endpoints, TokenKey::generate()?, proxy)?);
        let mut tasks = JoinSet::new();
        let tls = |line| Some(Tls { acceptors: Arc::clone(&acceptors), line });
        let trusted = watch::Sender::new(Some(Leaf::Trusted)).subscribe();
        for (service, listener, tls) in [
            (Service::Azure, azure, tls(world.line(Site::Azure))),
            (Service::Proxied, proxy_listener, tls(world.line(Site::Proxy))),
            (Service::Foreign, foreign, tls(trusted)),
            (Service::ManagedIdentity, identity, None),
            (Service::Control, control, None),
        ] {
            tasks.spawn(serve(Arc::clone(&world), service, listener, tls));
        }
        // Last, because whoever sees this file takes it that all is ready.
        write(dir.path(), CA_FILE, &ca_pem).map_err(StartError::Write)?;
        write(dir.path(), ENDPOINTS_FILE, &json).map_err(StartError::Write)?;
        Ok(Self { world, ca_pem, dir, _tasks: tasks })
    }

    /// The certificate of the test CA, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where `ca.pem` and `endpoints.json` are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

impl Deref for TestVault {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

enum Directory {
    Given(PathBuf),
    Own(TempDir),
}

impl Directory {
    fn open(given: Option<PathBuf>) -> io::Result<Self> {
        match given {
            None => TempDir::with_prefix("valet-testvault-").map(Self::Own),
            Some(path) => {
                fs::create_dir_all(&path)?;
                fs::canonicalize(path).map(Self::Given)
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Own(dir) => dir.path(),
        }
    }
}

/// Whole or not at all: a reader never sees half a file.
fn write(dir: &Path, name: &str, text: &str) -> io::Result<()> {
    let file = NamedTempFile::new_in(dir)?;
    fs::write(file.path(), text)?;
    file.persist(dir.join(name)).map(|_| ()).map_err(|error| error.error)
}

const CA_FILE: &str = "ca.pem";
const ENDPOINTS_FILE: &str = "endpoints.json";
