//! A test vault and what it takes to reach it.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{Certificate, CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use std::{
    fs::{self, Permissions},
    io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use url::Url;
use valet::{
    azure::{
        Azure, Error, IdentityConfig, IdentityKind, KeyVault, ManagedIdentityId, NetworkConfig, Resolver, SecretName,
        Vault,
    },
    clock::{Clock, SystemClock},
    env::{Env, MapEnv, OsEnv},
    model::{Found, Reference, Urgency},
    telemetry::Counters,
};
use valet_testvault::{App, Options, Seed, TestVault};

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
    pub(crate) counters: Arc<Counters>,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let vault = TestVault::start(Options { seed: Seed::of([(NAME, CANARY)]), ..options }).await.unwrap();
        let port = vault.endpoints().vault_url.rsplit(':').next().unwrap().parse().unwrap();
        let (clock, resolver) = (Arc::new(TestClock::default()), Arc::new(TestResolver(port)));
        let variables = [("CI_CLIENT_SECRET", vault.endpoints().client_secret.clone())];
        let (env, counters) = (Arc::new(MapEnv::new(variables)), Arc::new(Counters::new()));
        let azure = Azure::new(env, clock.clone(), resolver.clone(), Arc::new(|| 0), counters.clone());
        Self { vault, azure, clock, resolver, counters }
    }

    /// The same test vault as another process sees it, with this environment.
    pub(crate) fn azure_with(&self, variables: &[(&str, &str)]) -> Azure {
        let env = Arc::new(MapEnv::new(variables.iter().copied()));
        Azure::new(env, self.clock.clone(), self.resolver.clone(), Arc::new(|| 0), self.counters.clone())
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
        self.azure.vault(&self.vault_url(), identity, &self.network()).unwrap()
    }

    /// A vault in the public cloud, as far as URL, DNS and certificate go; there is nothing in it.
    pub(crate) fn public_vault(&self) -> Arc<KeyVault> {
        let url = "https://acme.vault.azure.net".parse().unwrap();
        self.azure.vault(&url, &self.client_secret(), &self.network()).unwrap()
    }

    pub(crate) fn vault_url(&self) -> Url {
        self.vault.endpoints().vault_url.parse().unwrap()
    }

    /// A folder that goes with the test vault.
    pub(crate) fn dir(&self) -> &Path {
        self.vault.dir()
    }

    /// Writes a file to it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Makes Entra know the application by this certificate too.
    pub(crate) fn register_certificate(&self, own: &Rsa) {
        let endpoints = self.vault.endpoints();
        let (secrets, certificates) = (vec![endpoints.client_secret.clone()], vec![own.certificate.pem()]);
        self.vault.register_app(&endpoints.client_id, App { secrets, certificates, ..App::default() }).unwrap();
    }

    /// Moves our time and the test vault's.
    pub(crate) fn advance(&self, by: Duration) {
        let ahead = self.clock.0.fetch_add(by.as_secs(), Ordering::Relaxed) + by.as_secs();
        self.vault.set_clock_offset(ahead.try_into().unwrap());
    }
}

/// Reads [`NAME`].
pub(crate) async fn read(vault: &KeyVault) -> Result<Option<Found>, Error> {
    vault.secret(&name(NAME), Urgency::Awaited).await
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

/// Whether the test is alone in its process, with these variables. If not, it has been run so, and has passed.
pub(crate) fn runs_alone(this: &str, variables: &[(&str, &str)]) -> bool {
    const ALONE: &str = "VALET_TEST_ALONE";
    if OsEnv.var(ALONE).unwrap().as_deref() == Some(this) {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", this]).envs(variables.iter().copied()).env(ALONE, this).output().unwrap();
    let said = [child.stdout, child.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// A certificate with an RSA key.
pub(crate) struct Rsa {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

pub(crate) fn rsa() -> Rsa {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::new(["valet.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    Rsa { certificate, key }
}

/// PEM text (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Writes something that can be run.
pub(crate) fn script(path: &Path, commands: &str) {
    fs::write(path, format!("#!/bin/sh\n{commands}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
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
            "nowhere.vault.azure.net" | "nowhere.blob.core.windows.net" => Err(io::Error::other("no such host")),
            _ if host.ends_with(".vault.azure.net") => Ok(vec![SocketAddr::from(([127, 0, 0, 1], self.0))]),
            _ => panic!("{host} is a name that no test uses"),
        }
    }
}
