//! A whole Valet in this process, on a test vault of its own: its clock, its names of hosts and its vault are the test's to change.

use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::{
    net::UnixStream,
    sync::{RwLock, mpsc},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use valet::{
    app::{App, Limits, Seams},
    azure::Resolver,
    clock::{Clock, SystemClock},
    config::{self, OsFiles},
    env::MapEnv,
    proto::v1::{
        GetConnectionRequest, IssueTokenRequest, State, StatusRequest, StatusResponse, admin_client::AdminClient,
        broker_client::BrokerClient,
    },
};
use valet_testvault::{Options, SecretSpec, TestVault};

/// The value of the connection `db`.
const VALUE: &str = "postgres://user:canary-77c1@db.test/airflow";
/// Valet's hosts: a vault and a login host as the public cloud names them, so that DNS has a part in it.
const VAULT: &str = "acme.vault.azure.net";
const LOGIN: &str = "login.microsoftonline.com";
/// Its sockets.
const TASKS: &str = "tasks.sock";
const ADMIN: &str = "admin.sock";
/// Shared by tests that leave the machine to others too. A thousand callers need it for themselves: they all have to be there before Valet gives up
/// waiting for what is withheld from it.
pub(crate) static MACHINE: RwLock<()> = RwLock::const_new(());

/// Much longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who is asked, by a name that a test may make unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Vault,
    Entra,
}

/// What a caller was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Fresh,
    Stale,
    /// A token, as it is.
    Token(String),
    Fault {
        reason: String,
        code: Code,
        retry_after: Option<String>,
        message: String,
    },
}

pub(crate) struct Lab {
    pub(crate) vault: TestVault,
    pub(crate) names: Arc<Names>,
    pub(crate) clock: Arc<TestClock>,
    tasks: Channel,
    admin: Channel,
    place: TempDir,
    _stop: DropGuard,
}

impl Lab {
    pub(crate) async fn start(token_lifetime: Duration) -> Self {
        let key =
            "c3RvcmFnZS1hY2NvdW50LWtleS1vZi1zaXh0eS1mb3VyLWJ5dGVzLWZvci10aGUtdGVzdHMtb2YtZmF1bHRzLTAxMjM0NTY3ODk=";
        let vault = TestVault::start(Options { token_lifetime, ..Options::default() }).await.unwrap();
        for (name, value) in [("airflow-connections-db", VALUE), ("landing-key", key)] {
            vault.put_secret("acme", name, SecretSpec::value(value)).unwrap();
        }
        let port = vault.endpoints().vault_url.rsplit(':').next().unwrap().parse().unwrap();
        let names = Arc::new(Names { port, ways: Mutex::default() });
        let clock = Arc::new(TestClock::default());
        let place = tempfile::tempdir().unwrap();
        let env = MapEnv::new([("CI_CLIENT_SECRET", vault.endpoints().client_secret.clone())]);
        let yaml = valet_yaml(&vault, place.path());
        let loaded = config::parse(yaml.as_bytes(), Path::new("/"), &env, &OsFiles).unwrap();
        let (as_clock, resolver) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&names) as Arc<dyn Resolver>);
        let seams = Seams { clock: as_clock, env: Arc::new(env), resolver, ids: Arc::new(|| 0) };
        let app = App::build(None, loaded, Limits::default(), seams).await.unwrap();
        let (stop, (_, reload)) = (CancellationToken::new(), mpsc::channel(1));
        TaskTracker::new().spawn(app.run(stop.clone(), reload));
        let (tasks, admin) = (channel(place.path().join(TASKS)).await, channel(place.path().join(ADMIN)).await);
        Self { vault, names, clock, tasks, admin, place, _stop: stop.drop_guard() }
    }

    /// A connection of its own, as another process has one.
    pub(crate) async fn connection(&self) -> Channel {
        channel(self.place.path().join(TASKS)).await
    }

    /// What `valet status` knows.
    pub(crate) async fn status(&self) -> StatusResponse {
        AdminClient::new(self.admin.clone()).status(StatusRequest {}).await.unwrap().into_inner()
    }

    /// Asks for it again and again, until it is as `enough` wants it.
    pub(crate) async fn until(&self, enough: impl Fn(&StatusResponse) -> bool) {
        let asking = async { while !enough(&self.status().await) {} };
        tokio::time::timeout(PATIENCE, asking).await.expect("it comes to that");
    }

    /// Looks the connection `db` up.
    pub(crate) async fn look(&self) -> Told {
        look(self.tasks.clone()).await
    }

    /// Asks for a token that the account's key signs.
    pub(crate) async fn token(&self) -> Told {
        let request = IssueTokenRequest { grant: "landing_read".to_owned(), min_remaining: None };
        match BrokerClient::new(self.tasks.clone()).issue_token(request).await {
            Ok(answer) => Told::Token(answer.into_inner().token),
            Err(status) => told(&status),
        }
    }

    /// Lets so much time pass for Valet and for Azure.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_secs(), Ordering::Relaxed);
        self.set_skew(0);
    }

    /// Sets Azure's clocks so many seconds before Valet's.
    pub(crate) fn set_skew(&self, seconds: i64) {
        let passed = i64::try_from(self.clock.0.load(Ordering::Relaxed)).unwrap();
        self.vault.set_clock_offset(passed + seconds);
    }

    /// Waits until no read of a source is under way.
    pub(crate) async fn landed(&self) {
        self.until(|status| status.cache.as_ref().is_some_and(|cache| cache.in_flight == 0)).await;
    }
}

/// Looks the connection `db` up; a value is compared with what the vault holds.
pub(crate) async fn look(channel: Channel) -> Told {
    let request = GetConnectionRequest { conn_id: "db".to_owned(), ..GetConnectionRequest::default() };
    match BrokerClient::new(channel).get_connection(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            assert_eq!(answer.value, VALUE);
            if answer.state() == State::Stale { Told::Stale } else { Told::Fresh }
        }
        Err(status) => told(&status),
    }
}

async fn channel(socket: PathBuf) -> Channel {
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://valet").connect_with_connector(connect).await.unwrap()
}

fn told(status: &Status) -> Told {
    let metadata = |name| status.metadata().get(name).map(|value| value.to_str().unwrap().to_owned());
    for leak in ["canary-77c1", valet_testvault::UPSTREAM_CANARY] {
        assert!(!status.message().contains(leak), "{status:?}");
    }
    Told::Fault {
        reason: metadata("valet-reason").expect("each error has a reason"),
        code: status.code(),
        retry_after: metadata("retry-after"),
        message: status.message().to_owned(),
    }
}

fn valet_yaml(vault: &TestVault, place: &Path) -> String {
    let here = vault.endpoints();
    let (tenant, client, ca) = (&here.tenant_id, &here.client_id, here.ca_file.display());
    format!(
        "listen:
  tasks: {{unix: {{path: {tasks}, mode: \"0600\"}}, allow: [connections, tokens]}}
  admin: {{unix: {{path: {admin}, mode: \"0600\"}}, allow: [admin]}}
identities:
  ci:
    kind: client-secret
    tenant_id: {tenant}
    client_id: {client}
    client_secret: {{env: CI_CLIENT_SECRET}}
    authority_host: https://{LOGIN}
    network: {{ca_file: {ca}}}
sources:
  prod: {{kind: key-vault, url: \"https://{VAULT}\", identity: ci, network: {{ca_file: {ca}}}}}
accounts:
  landing: {{kind: storage, name: acmelanding, keys: [{{secret: prod/landing-key}}]}}
grants:
  landing_read: {{account: landing, kind: service-sas, service: blob, container: raw, permissions: r, lifetime: 12h}}
audit: {{to: \"off\"}}
",
        tasks = place.join(TASKS).display(),
        admin = place.join(ADMIN).display(),
    )
}

/// The system's time, and as much more as a test wants.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64, SystemClock);

impl TestClock {
    fn ahead(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    /// Time that really passed.
    pub(crate) fn real(&self) -> Duration {
        self.1.monotonic()
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

/// Where a name leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    There,
    /// The name is not known.
    Unknown,
    /// To a port where nobody listens.
    Refused,
}

/// The DNS of the test.
#[derive(Debug)]
pub(crate) struct Names {
    port: u16,
    ways: Mutex<[Way; 2]>,
}

impl Names {
    pub(crate) fn set(&self, who: Who, way: Way) {
        self.ways.lock().unwrap()[who as usize] = way;
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        let who = match host {
            VAULT => Who::Vault,
            LOGIN => Who::Entra,
            _ => panic!("{host} is a name that no test uses"),
        };
        let port = match self.ways.lock().unwrap()[who as usize] {
            Way::There => self.port,
            Way::Unknown => return Err(io::Error::other("no such host")),
            // tcpmux: nobody has listened there for decades, and nobody may without being root.
            Way::Refused => 1,
        };
        Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    }
}
