//! A test vault and what it takes to reach it.

use async_trait::async_trait;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use valet::{
    azure::{
        Azure, Error, IdentityConfig, IdentityKind, KeyVault, ManagedIdentityId, NetworkConfig, Resolver, SecretName,
        Vault,
    },
    clock::{Clock, SystemClock},
    env::MapEnv,
    model::{Found, Reference},
};
use valet_testvault::{Options, Seed, TestVault};

/// A secret that is there.
pub(crate) const NAME: &str = "airflow-connections-db";
/// Its value, which must be in no message.
pub(crate) const CANARY: &str = "postgres://user:canary-5d1f@db.test/airflow";

/// A running test vault with [`NAME`] in it, and our side of it.
pub(crate) struct Lab {
    pub(crate) vault: TestVault,
    pub(crate) azure: Azure,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) resolver: Arc<TestResolver>,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default(), []).await
    }

    pub(crate) async fn with<const N: usize>(options: Options, variables: [(&str, &str); N]) -> Self {
        let options = Options { seed: Seed::of([(NAME, CANARY)]), ..options };
        let vault = TestVault::start(options).await.unwrap();
        let mut variables: Vec<(String, String)> =
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        variables.push(("CI_CLIENT_SECRET".to_owned(), vault.endpoints().client_secret.clone()));
        let port = vault.endpoints().vault_url.rsplit(':').next().unwrap().parse().unwrap();
        let (clock, resolver) = (Arc::new(TestClock::default()), Arc::new(TestResolver(port)));
        let azure = Azure::new(Arc::new(MapEnv::new(variables)), clock.clone(), resolver.clone());
        Self { vault, azure, clock, resolver }
    }

    /// The same test vault as another process sees it, with this environment.
    pub(crate) fn azure_with<const N: usize>(&self, variables: [(&str, &str); N]) -> Azure {
        Azure::new(Arc::new(MapEnv::new(variables)), self.clock.clone(), self.resolver.clone())
    }

    pub(crate) fn network(&self) -> NetworkConfig {
        NetworkConfig { ca_file: Some(self.vault.endpoints().ca_file.clone()) }
    }

    pub(crate) fn identity(&self, kind: IdentityKind) -> IdentityConfig {
        IdentityConfig {
            name: "prod".into(),
            kind,
            authority_host: Some(self.vault.endpoints().authority_url.parse().unwrap()),
            network: self.network(),
        }
    }

    pub(crate) fn client_secret(&self) -> IdentityConfig {
        self.identity(IdentityKind::ClientSecret {
            tenant_id: self.vault.endpoints().tenant_id.clone(),
            client_id: self.vault.endpoints().client_id.clone(),
            client_secret: Reference::Env("CI_CLIENT_SECRET".to_owned()),
        })
    }

    pub(crate) fn managed(&self, id: Option<ManagedIdentityId>) -> IdentityConfig {
        self.identity(IdentityKind::ManagedIdentity { id })
    }

    /// The default vault, read with the client secret.
    pub(crate) fn key_vault(&self) -> Arc<KeyVault> {
        self.key_vault_of(&self.client_secret())
    }

    pub(crate) fn key_vault_of(&self, identity: &IdentityConfig) -> Arc<KeyVault> {
        let url = self.vault.endpoints().vault_url.parse().unwrap();
        self.azure.vault(&url, identity, &self.network()).unwrap()
    }

    /// A vault in the public cloud, as far as URL, DNS and certificate go; there is nothing in it.
    pub(crate) fn public_vault(&self) -> Arc<KeyVault> {
        let url = "https://acme.vault.azure.net".parse().unwrap();
        self.azure.vault(&url, &self.client_secret(), &self.network()).unwrap()
    }

    /// Moves our time and the test vault's.
    pub(crate) fn advance(&self, by: Duration) {
        let ahead = self.clock.0.fetch_add(by.as_secs(), Ordering::Relaxed) + by.as_secs();
        self.vault.set_clock_offset(ahead.try_into().unwrap());
    }
}

/// Reads [`NAME`].
pub(crate) async fn read(vault: &KeyVault) -> Result<Option<Found>, Error> {
    vault.secret(&name(NAME)).await
}

/// Reads [`NAME`] and expects its value.
pub(crate) async fn read_canary(vault: &KeyVault) {
    assert_eq!(
        read(vault).await.map(|found| found.map(|found| found.value.expose().to_owned())),
        Ok(Some(CANARY.to_owned()))
    );
}

/// Reads [`NAME`] and expects an error, of which nothing that came from the other side is a part.
pub(crate) async fn fails(vault: &KeyVault) -> Error {
    let error = read(vault).await.unwrap_err();
    let said = format!("{error} {error:?}");
    for leak in
        [CANARY, "canary", valet_testvault::UPSTREAM_CANARY, "oid=", "appid", "<html", "api-version", "/secrets/"]
    {
        assert!(!said.contains(leak), "{leak} is in {said}");
    }
    error
}

pub(crate) fn name(text: &str) -> SecretName {
    SecretName::parse(text.to_owned()).unwrap()
}

/// The system's time, and as much more as a test wants.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64, SystemClock);

impl TestClock {
    fn ahead(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for TestClock {
    fn wall(&self) -> SystemTime {
        self.1.wall() + self.ahead()
    }

    fn monotonic(&self) -> Duration {
        self.1.monotonic() + self.ahead()
    }
}

/// Knows the names below `vault.azure.net`, as a port of this machine, and no other.
#[derive(Debug)]
pub(crate) struct TestResolver(u16);

#[async_trait]
impl Resolver for TestResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        match host {
            "nowhere.vault.azure.net" => Err(io::Error::other("no such host")),
            _ if host.ends_with(".vault.azure.net") => Ok(vec![SocketAddr::from(([127, 0, 0, 1], self.0))]),
            _ => panic!("{host} is a name that no test uses"),
        }
    }
}
