//! Whole Valets in this process, each with a socket of its own, and what asks them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};
use valet::{
    app::{App, Limits, Seams},
    azure::SystemResolver,
    clock::{Clock, ManualClock, SystemClock},
    config,
    env::MapEnv,
    proto::v1::{self, admin_client::AdminClient, broker_client::BrokerClient},
};
use valet_testvault::{Options, Seed, TestVault};

/// Long enough for a busy machine; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Time that the tests move, from now on: tokens of the test vault are of now. It has run for a while, so that something can be old.
pub(crate) fn clock() -> Arc<ManualClock> {
    let before = Duration::from_hours(1000);
    let clock = ManualClock::new(SystemClock::new().wall() - before);
    clock.advance(before);
    Arc::new(clock)
}

/// How many Valets were started.
static PROCESSES: AtomicU64 = AtomicU64::new(1);

/// A running Valet.
pub(crate) struct Valet {
    dir: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _reload: mpsc::Sender<()>,
}

impl Valet {
    /// A Valet of this configuration, without its `listen`.
    pub(crate) async fn start(yaml: &str, clock: &Arc<ManualClock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), yaml);
        let env = MapEnv::new([("CI_CLIENT_SECRET", valet_testvault::CLIENT_SECRET), ("AIRFLOW_VAR_LOCAL", "local")]);
        let config = dir.path().join("valet.yaml");
        let loaded = config::load(&config, &env).unwrap_or_else(|problems| panic!("{}", problems.render(&config)));
        // Each process draws its own numbers.
        let (process, drawn) = (PROCESSES.fetch_add(1, Ordering::Relaxed), AtomicU64::new(0));
        let ids = Arc::new(move || (process << 32) + drawn.fetch_add(1, Ordering::Relaxed));
        let seams = Seams {
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            env: Arc::new(env),
            resolver: Arc::new(SystemResolver),
            ids,
        };
        let app = App::build(Some(config), loaded, Limits::default(), seams).await.unwrap();
        let (stop, (reload, reloads)) = (CancellationToken::new(), mpsc::channel(1));
        let running = TaskTracker::new().spawn(app.run(stop.clone(), reloads));
        Self { dir, stop, running, _reload: reload }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("valet.sock")
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.expect("it ends").unwrap();
        self.dir
    }

    /// Takes another configuration into use.
    pub(crate) async fn reload(&self, yaml: &str) {
        write(self.dir.path(), yaml);
        self.admin().await.reload(v1::ReloadRequest {}).await.unwrap();
    }

    pub(crate) async fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(channel(&self.socket()).await)
    }

    pub(crate) async fn status(&self) -> v1::StatusResponse {
        self.admin().await.status(v1::StatusRequest {}).await.unwrap().into_inner()
    }

    pub(crate) async fn counter(&self, name: &str) -> u64 {
        self.status().await.counters[name]
    }

    pub(crate) async fn ask(&self) -> Asking {
        Asking(BrokerClient::new(channel(&self.socket()).await))
    }

    /// One connection.
    pub(crate) async fn get(&self, conn_id: &str) -> Result<v1::Answer, Status> {
        self.ask().await.connection(conn_id).await
    }

    /// The value of a connection that is there.
    pub(crate) async fn value(&self, conn_id: &str) -> String {
        self.get(conn_id).await.unwrap().value
    }
}

fn write(dir: &Path, yaml: &str) {
    let listen = "listen:
  all: {unix: {path: valet.sock}, allow: [connections, variables, config, tokens, signatures, admin]}
  variables: {unix: {path: variables.sock}, allow: [variables]}
  admin: {unix: {path: admin.sock}, allow: [admin]}";
    fs::write(dir.join("valet.yaml"), format!("{listen}\naudit: {{to: off}}\n{yaml}\n")).unwrap();
}

/// A client.
pub(crate) struct Asking(pub(crate) BrokerClient<Channel>);

impl Asking {
    pub(crate) async fn connection(&mut self, conn_id: &str) -> Result<v1::Answer, Status> {
        let request = v1::GetConnectionRequest { conn_id: conn_id.to_owned(), team: String::new() };
        self.0.get_connection(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn variable(&mut self, key: &str, team: &str) -> Result<v1::Answer, Status> {
        let request = v1::GetVariableRequest { key: key.to_owned(), team: team.to_owned() };
        self.0.get_variable(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn config(&mut self, key: &str) -> Result<v1::Answer, Status> {
        let request = v1::GetConfigRequest { key: key.to_owned(), team: String::new() };
        self.0.get_config(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn token(&mut self, grant: &str, minutes: Option<i64>) -> Result<v1::IssueTokenResponse, Status> {
        let min_remaining = minutes.map(|minutes| prost_types::Duration { seconds: minutes * 60, nanos: 0 });
        let request = v1::IssueTokenRequest { grant: grant.to_owned(), min_remaining };
        self.0.issue_token(request).await.map(tonic::Response::into_inner)
    }
}

pub(crate) async fn channel(socket: &Path) -> Channel {
    let socket = socket.to_owned();
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { tokio::net::UnixStream::connect(socket).await.map(hyper_util::rt::TokioIo::new) }
    });
    Endpoint::from_static("http://valet").connect_with_connector(connect).await.unwrap()
}

/// The reason of a refusal.
pub(crate) fn reason<T: std::fmt::Debug>(refused: Result<T, Status>) -> String {
    let status = refused.unwrap_err();
    status.metadata().get("valet-reason").map_or_else(String::new, |reason| reason.to_str().unwrap().to_owned())
}

/// A vault with these connections, and the configuration of a Valet that reads it.
pub(crate) async fn vault(secrets: &[(&str, &str)]) -> (TestVault, String) {
    let seed = Seed::of(secrets.iter().map(|(name, value)| (*name, *value)));
    let vault = TestVault::start(Options { seed, ..Options::default() }).await.unwrap();
    let here = vault.endpoints();
    let (url, tenant, client, ca) = (&here.vault_url, &here.tenant_id, &here.client_id, here.ca_file.display());
    let yaml = format!(
        "identities: {{ci: {{kind: client-secret, tenant_id: {tenant}, client_id: {client}, client_secret: {{env: CI_CLIENT_SECRET}}, \
         authority_host: {authority}, network: {{ca_file: {ca}}}}}}}
sources: {{prod: {{kind: key-vault, url: \"{url}\", identity: ci, network: {{ca_file: {ca}}}}}}}",
        authority = here.authority_url,
    );
    (vault, yaml)
}

/// A configuration whose only source is the Valet at this socket.
pub(crate) fn of_upstream(socket: &Path) -> String {
    format!("sources: {{central: {{kind: upstream, target: \"unix:{}\"}}}}", socket.display())
}
