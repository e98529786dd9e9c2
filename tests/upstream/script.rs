//! A Valet that says what a test wants it to say, over the real transport.

use crate::lab::PATIENCE;
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use valet::{
    model::{
        Answer, Caller, Changes, Credential, Fault, FaultKind, Found, IssuedToken, Lookup, Name, Rejection, Reported,
        Right, SignableRequest, SignedRequest, SourceName, State,
    },
    telemetry::Counters,
    transport::{
        CacheStatus, Changing, ConfigStatus, Control, Limits, ListenerConfig, Lookups, Parts, Reloaded, Server, Status,
        UnixConfig,
    },
};

/// What is answered to every lookup.
type Said = Result<Option<Answer>, Fault>;

/// What is said, and who asked for what.
pub(crate) struct Script {
    said: Mutex<Said>,
    pub(crate) token: Mutex<Option<IssuedToken>>,
    pub(crate) asked: Mutex<Vec<(Caller, String)>>,
    /// Whether it lets others watch: what they hear first makes them ask again, which a test may not want.
    pub(crate) is_open: AtomicBool,
    /// Those who watch; a new one is told when one comes.
    watching: watch::Sender<Vec<mpsc::UnboundedSender<Result<Changes, Fault>>>>,
}

impl Script {
    pub(crate) fn say(&self, said: Said) {
        *self.said.lock().unwrap() = said;
    }

    /// Tells all who watch; a fault ends their streams.
    pub(crate) fn tell(&self, told: &Result<Changes, Fault>) {
        self.watching.send_modify(|watching| {
            watching.retain(|one| one.send(told.clone()).is_ok());
            if told.is_err() {
                watching.clear();
            }
        });
    }

    /// Waits until somebody watches.
    pub(crate) async fn is_watched(&self) {
        let mut watching = self.watching.subscribe();
        let watched = watching.wait_for(|watching| !watching.is_empty());
        drop(tokio::time::timeout(PATIENCE, watched).await.expect("somebody watches").unwrap());
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, what)| what.clone()).collect()
    }
}

/// A fresh answer without an end.
pub(crate) fn answer(value: &str) -> Answer {
    Answer {
        found: Found::plain(value),
        source: SourceName::new("theirs"),
        age: Duration::ZERO,
        fresh_until: std::time::SystemTime::UNIX_EPOCH,
        state: State::Fresh,
        mask: vec![],
    }
}

#[async_trait]
impl Lookups for Script {
    async fn lookup(&self, caller: &Caller, lookup: &Lookup) -> Said {
        let team = lookup.team.as_ref().map(|team| format!(" of {}", team.as_str())).unwrap_or_default();
        self.asked.lock().unwrap().push((caller.clone(), format!("{lookup}{team}")));
        self.said.lock().unwrap().clone()
    }

    async fn issue_token(
        &self,
        caller: &Caller,
        grant: &Name,
        at_least: Option<Duration>,
    ) -> Result<Option<IssuedToken>, Fault> {
        self.asked.lock().unwrap().push((caller.clone(), format!("token {grant} {at_least:?}")));
        Ok(self.token.lock().unwrap().clone())
    }

    async fn sign_request(&self, _: &Caller, _: &Name, _: &SignableRequest) -> Result<Option<SignedRequest>, Fault> {
        Ok(None)
    }

    async fn report_rejected(&self, caller: &Caller, rejection: &Rejection) -> Result<Option<Reported>, Fault> {
        let what = match &rejection.of {
            Credential::Connection(lookup) => lookup.to_string(),
            Credential::Grant(grant) => format!("grant {grant}"),
        };
        let value = rejection.value.as_ref().map(|digest| digest.to_hex()[..4].to_owned());
        self.asked.lock().unwrap().push((caller.clone(), format!("rejected {what} {value:?}")));
        Ok(Some(Reported { accepted: true, ..Reported::default() }))
    }

    fn watch(&self, _: &Caller) -> Result<Changing, Fault> {
        if !self.is_open.load(Ordering::Relaxed) {
            return Err(Fault::new(FaultKind::DeniedByPolicy, "planted"));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        self.watching.send_modify(|watching| watching.push(sender));
        Ok(stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver))).boxed())
    }

    fn may(&self, _: &Caller, _: Right) -> Result<(), Fault> {
        Ok(())
    }

    fn invalidate(&self, _: &Caller, _: &Lookup) -> Result<usize, Fault> {
        Ok(0)
    }
}

#[async_trait]
impl Control for Script {
    async fn reload(&self) -> Result<Reloaded, Fault> {
        Err(Fault::new(FaultKind::BadConfig, "there is none"))
    }

    fn status(&self) -> Status {
        let then = std::time::SystemTime::UNIX_EPOCH;
        Status {
            version: String::new(),
            started_at: then,
            config: ConfigStatus { path: None, loaded_at: then, last_reload_error: None },
            sources: vec![],
            accounts: vec![],
            cache: CacheStatus::default(),
        }
    }
}

/// It, running.
pub(crate) struct Scripted {
    pub(crate) script: Arc<Script>,
    dir: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        let script = Arc::new(Script {
            said: Mutex::new(Ok(Some(answer("value://")))),
            token: Mutex::default(),
            asked: Mutex::default(),
            is_open: AtomicBool::new(false),
            watching: watch::Sender::default(),
        });
        let dir = tempfile::tempdir().unwrap();
        let (stop, running) = serve(&script, dir.path().join("valet.sock")).await;
        Self { script, dir, stop, running }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("valet.sock")
    }

    /// Ends it, and starts it again in the same place when the returned future is awaited.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.running).await.unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        (self.stop, self.running) = serve(&self.script, self.socket()).await;
    }
}

async fn serve(script: &Arc<Script>, path: PathBuf) -> (CancellationToken, JoinHandle<()>) {
    let listener = ListenerConfig {
        name: "all".into(),
        unix: UnixConfig { path, mode: 0o660, group: None },
        allow: BTreeSet::from(Right::ALL),
    };
    let parts = Parts {
        lookups: Arc::clone(script) as Arc<dyn Lookups>,
        control: Arc::clone(script) as Arc<dyn Control>,
        counters: Arc::new(Counters::new()),
        ids: Arc::new(|| 7),
        limits: Limits::default(),
    };
    let server = Server::bind(&[listener], parts).await.unwrap();
    let stop = CancellationToken::new();
    let running = TaskTracker::new().spawn(server.run(stop.clone()));
    (stop, running)
}
