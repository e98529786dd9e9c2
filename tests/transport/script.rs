//! A broker that does what the name says, and a Valet around it.

use crate::clients::{Face, call};
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Version};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tokio::{
    sync::{Semaphore, broadcast},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use valet::{
    broker::{AccountStatus, KeyStatus},
    model::{
        Answer, Caller, Changes, Credential, Fault, FaultKind, Found, IssuedToken, Lookup, Name, Rejection, Reported,
        Right, Secret, SignableRequest, SignedRequest, SourceName, State, ValueDigest,
    },
    proto::v1,
    telemetry::{Counter, Counters},
    transport::{
        CacheStatus, Changing, ConfigStatus, Control, Limits, ListenerConfig, Lookups, Parts, Reloaded, Server,
        SourceStanding, SourceStatus, Status, UnixConfig,
    },
};

/// A value that must appear in answers and nowhere else.
pub(crate) const CANARY: &str = "canary-4b1d-é😀";

/// Every kind of fault.
pub(crate) const KINDS: [FaultKind; 19] = FaultKind::ALL;

/// 2026-11-23T00:00:00Z.
pub(crate) fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_720)
}

/// A broker whose answer is in the name: `hit`, `bare`, `miss`, `big`, `panic`, `wait`, or the reason of a fault.
#[derive(Debug)]
pub(crate) struct Script {
    /// Who asked for what, in order.
    asked: Mutex<Vec<(Caller, Lookup)>>,
    /// How many lookups of `wait` have come.
    pub(crate) waiting: Semaphore,
    /// How many of them may go on.
    pub(crate) go: Semaphore,
    /// Tells those who watch.
    pub(crate) told: broadcast::Sender<Result<Changes, Fault>>,
}

/// The parts of a transport around a script.
pub(crate) fn parts(script: &Arc<Script>, limits: Limits) -> Parts {
    let next = AtomicU64::new(1);
    Parts {
        lookups: Arc::clone(script) as _,
        control: Arc::clone(script) as _,
        counters: Arc::new(Counters::new()),
        ids: Arc::new(move || next.fetch_add(1, Ordering::Relaxed)),
        limits,
    }
}

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        let (asked, told) = (Mutex::default(), broadcast::Sender::new(64));
        Arc::new(Self { asked, waiting: Semaphore::new(0), go: Semaphore::new(0), told })
    }

    pub(crate) fn callers(&self) -> Vec<Caller> {
        self.asked.lock().unwrap().iter().map(|(caller, _)| caller.clone()).collect()
    }

    pub(crate) fn lookups(&self) -> Vec<Lookup> {
        self.asked.lock().unwrap().iter().map(|(_, lookup)| lookup.clone()).collect()
    }
}

fn answer(value: &str) -> Answer {
    Answer {
        found: Found {
            version: Some("v1".into()),
            expires_at: Some(then() + Duration::from_hours(1)),
            ends: true,
            ..Found::plain(value)
        },
        source: SourceName::new("prod"),
        age: Duration::from_millis(1500),
        fresh_until: then(),
        state: State::Stale,
        mask: vec![Secret::new(value)],
    }
}

/// The fault whose reason the name is, or nothing.
fn outcome_of<T>(name: &str) -> Result<Option<T>, Fault> {
    let Some(kind) = KINDS.into_iter().find(|kind| kind.reason() == name) else { return Ok(None) };
    let wait = kind.is_unavailable().then_some(Duration::from_millis(2001));
    Err(Fault::new(kind, format!("the script says \"{name}\", é")).retry_after(wait))
}

#[async_trait]
impl Lookups for Script {
    async fn lookup(&self, caller: &Caller, lookup: &Lookup) -> Result<Option<Answer>, Fault> {
        self.asked.lock().unwrap().push((caller.clone(), lookup.clone()));
        match lookup.name.as_str() {
            "hit" => Ok(Some(answer(CANARY))),
            "bare" => Ok(Some(Answer {
                found: Found::plain(""),
                age: Duration::ZERO,
                state: State::Fresh,
                mask: vec![],
                ..answer("")
            })),
            "big" => Ok(Some(answer(&"x".repeat(3 << 20)))),
            "wait" => {
                self.waiting.add_permits(1);
                self.go.acquire().await.unwrap().forget();
                Ok(Some(answer("waited")))
            }
            "panic" => panic!("the script says so"),
            name => outcome_of(name),
        }
    }

    async fn issue_token(
        &self,
        _: &Caller,
        grant: &Name,
        at_least: Option<Duration>,
    ) -> Result<Option<IssuedToken>, Fault> {
        if grant.as_str() != "grant" {
            return outcome_of(grant.as_str());
        }
        let expires_at = at_least.map(|at_least| then() + at_least);
        let fingerprint = at_least.map(|_| "fingerprint".into());
        let (token, renewed_at, account) = (Secret::new(CANARY), at_least.map(|_| then()), "landing".into());
        Ok(Some(IssuedToken { token, expires_at, renewed_at, fingerprint, account }))
    }

    async fn sign_request(
        &self,
        _: &Caller,
        grant: &Name,
        request: &SignableRequest,
    ) -> Result<Option<SignedRequest>, Fault> {
        if grant.as_str() != "grant" {
            return outcome_of(grant.as_str());
        }
        let said: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let x_ms_date = format!("{} {} {}", request.method, request.url, said.join(", "));
        let (fingerprint, account) = ("fingerprint".into(), "landing".into());
        Ok(Some(SignedRequest { authorization: Secret::new(CANARY), x_ms_date, fingerprint, account }))
    }

    async fn report_rejected(&self, caller: &Caller, rejection: &Rejection) -> Result<Option<Reported>, Fault> {
        let (name, value) = match &rejection.of {
            Credential::Connection(lookup) => {
                self.asked.lock().unwrap().push((caller.clone(), lookup.clone()));
                (&lookup.name, ValueDigest::of(&Secret::new(CANARY)))
            }
            Credential::Grant(grant) => (grant, ValueDigest::of(&Secret::new("other"))),
        };
        match name.as_str() {
            "hit" if rejection.value == Some(value) => Ok(Some(Reported { accepted: true, ..Reported::default() })),
            "hit" => Ok(Some(Reported { superseded: true, ..Reported::default() })),
            "soon" => Ok(Some(Reported { retry_after: Some(Duration::from_millis(2500)), ..Reported::default() })),
            name => outcome_of(name),
        }
    }

    fn invalidate(&self, caller: &Caller, lookup: &Lookup) -> Result<usize, Fault> {
        self.may(caller, Right::Admin)?;
        self.asked.lock().unwrap().push((caller.clone(), lookup.clone()));
        Ok(lookup.name.as_str().len())
    }

    /// Whatever is told from then on, on `tasks` only.
    fn watch(&self, caller: &Caller) -> Result<Changing, Fault> {
        if &*caller.listener == "admin" {
            return Err(Fault::new(FaultKind::DeniedByPolicy, "admin may not"));
        }
        let told = stream::unfold(self.told.subscribe(), async |mut told| Some((told.recv().await.ok()?, told)));
        Ok(told.boxed())
    }

    fn may(&self, caller: &Caller, right: Right) -> Result<(), Fault> {
        if &*caller.listener == "admin" && right == Right::Admin {
            return Ok(());
        }
        Err(Fault::new(FaultKind::DeniedByPolicy, format!("{} may not", caller.listener)))
    }
}

#[async_trait]
impl Control for Script {
    async fn reload(&self) -> Result<Reloaded, Fault> {
        Ok(Reloaded { loaded_at: then(), warnings: vec!["mind the gap".to_owned()] })
    }

    fn status(&self) -> Status {
        Status {
            version: "1.2.3".to_owned(),
            started_at: then(),
            config: ConfigStatus { path: Some("/etc/valet.yaml".into()), loaded_at: then(), last_reload_error: None },
            sources: vec![SourceStatus {
                name: SourceName::new("prod"),
                kind: "key-vault",
                fault: Some((FaultKind::Throttled, then())),
                reads: 7,
                standing: Some(SourceStanding { budget_left: 40, breaker: "half-open" }),
            }],
            accounts: vec![AccountStatus {
                name: "landing".into(),
                kind: "storage",
                keys: vec![KeyStatus {
                    reference: "{secret: prod/key1}".to_owned(),
                    fingerprint: Some("fingerprint".to_owned()),
                    version: Some("v1".into()),
                    created_at: Some(then()),
                    fault: Some(FaultKind::BadKey),
                    signs: true,
                    safe_to_regenerate_after: Some(then() + Duration::from_hours(12)),
                    suspect_until: Some(then() + Duration::from_hours(1)),
                }],
                earlier_keys: vec![KeyStatus {
                    reference: "{secret: prod/key1}".to_owned(),
                    fingerprint: Some("before".to_owned()),
                    version: None,
                    created_at: None,
                    fault: None,
                    signs: false,
                    safe_to_regenerate_after: None,
                    suspect_until: None,
                }],
            }],
            cache: CacheStatus { values: 1, max_bytes: 64 << 20, ..CacheStatus::default() },
        }
    }
}

/// A running transport with two listeners, `tasks` and `admin`.
pub(crate) struct Valet {
    pub(crate) script: Arc<Script>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<()>,
    directory: TempDir,
}

impl Valet {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let directory = TempDir::new().unwrap();
        let listener = |name: &str, allow| ListenerConfig {
            name: name.into(),
            unix: UnixConfig { path: directory.path().join(format!("{name}.sock")), mode: 0o660, group: None },
            allow: BTreeSet::from([allow]),
        };
        let listeners = [listener("tasks", Right::Connections), listener("admin", Right::Admin)];
        let script = Script::new();
        let parts = parts(&script, limits);
        let counters = Arc::clone(&parts.counters);
        let server = Server::bind(&listeners, parts).await.unwrap();
        let shutdown = CancellationToken::new();
        let running = TaskTracker::new().spawn(server.run(shutdown.clone()));
        Self { script, counters, shutdown, running, directory }
    }

    pub(crate) fn tasks(&self) -> PathBuf {
        self.directory.path().join("tasks.sock")
    }

    pub(crate) fn admin(&self) -> PathBuf {
        self.directory.path().join("admin.sock")
    }

    pub(crate) fn counted(&self, counter: Counter) -> u64 {
        self.counters.get(counter)
    }

    /// Waits until no connection to `tasks` is open; a leak makes the test hang, which the deadline below ends.
    pub(crate) async fn is_left_alone(&self) {
        let open = async || {
            let none = HeaderMap::new();
            let status: v1::StatusResponse = call(
                Face::Proto(Version::HTTP_11),
                &self.admin(),
                "/valet.v1.Admin/Status",
                &none,
                &v1::StatusRequest {},
            )
            .await
            .unwrap();
            status.listeners[0].connections
        };
        let none_open = async { while open().await > 0 {} };
        tokio::time::timeout(Duration::from_secs(5), none_open).await.expect("a connection is left open");
    }
}
