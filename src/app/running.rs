use super::generation::{Generation, Maker};
use crate::{
    azure::BreakerState,
    broker::Reader,
    config::{self, Loaded},
    model::{
        Answer, Caller, Fault, FaultKind, IssuedToken, Lookup, Name, Rejection, Reported, Right, SignableRequest,
        SignedRequest,
    },
    telemetry::Counter,
    transport::{
        CacheStatus, Changing, ConfigStatus, Control, Lookups, Reloaded, SourceStanding, SourceStatus, Status,
    },
};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// The running process: the generation in force, and how to make the next one.
pub(super) struct Running {
    path: Option<PathBuf>,
    current: ArcSwap<Generation>,
    maker: Maker,
    started_at: SystemTime,
    /// Held for the whole of a reload, so that two never cross.
    reloading: tokio::sync::Mutex<()>,
    /// Why the newest reload was refused, where it was.
    refusal: Mutex<Option<String>>,
}

impl Running {
    pub(super) fn new(path: Option<PathBuf>, first: Generation, maker: Maker) -> Self {
        let started_at = maker.seams.clock.wall();
        let current = ArcSwap::from_pointee(first);
        Self { path, current, maker, started_at, reloading: tokio::sync::Mutex::default(), refusal: Mutex::default() }
    }

    /// Lets the sources tell what they have to tell.
    pub(super) fn begin(&self) {
        self.current.load().begin();
    }

    /// No longer; a read that outlives the drain may hold this for a while.
    pub(super) fn end(&self) {
        self.current.load().end();
    }

    async fn try_reload(&self, path: &Path) -> Result<Reloaded, Fault> {
        let bad = |text: String| Fault::new(FaultKind::BadConfig, text);
        // Off the thread that answers lookups: a large file takes its time.
        let (file, env) = (path.to_owned(), Arc::clone(&self.maker.seams.env));
        let loaded = tokio::task::spawn_blocking(move || config::load(&file, &*env)).await;
        let loaded = loaded.map_err(|_| Fault::new(FaultKind::Internal, "reading the configuration broke off"))?;
        let Loaded { config, warnings } = loaded.map_err(|problems| bad(problems.render(path)))?;
        let current = self.current.load();
        let mut warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        if config.listeners != current.config.listeners {
            warnings.push("listen has changed; restart valet to take it into use".to_owned());
        }
        if config.audit != current.config.audit {
            warnings.push("audit has changed; restart valet to take it into use".to_owned());
        }
        let next = self.maker.next(&current, config).map_err(|error| bad(error.to_string()))?;
        let loaded_at = next.loaded_at;
        // One at a time asks a source for its news.
        current.end();
        next.begin();
        self.current.store(Arc::new(next));
        Ok(Reloaded { loaded_at, warnings })
    }
}

#[async_trait]
impl Lookups for Running {
    async fn lookup(&self, caller: &Caller, lookup: &Lookup) -> Result<Option<Answer>, Fault> {
        // The whole lookup runs on the generation that it began on.
        let generation = self.current.load_full();
        generation.broker.lookup(caller, lookup).await
    }

    async fn issue_token(
        &self,
        caller: &Caller,
        grant: &Name,
        at_least: Option<Duration>,
    ) -> Result<Option<IssuedToken>, Fault> {
        let generation = self.current.load_full();
        generation.broker.issue_token(caller, grant, at_least).await
    }

    async fn sign_request(
        &self,
        caller: &Caller,
        grant: &Name,
        request: &SignableRequest,
    ) -> Result<Option<SignedRequest>, Fault> {
        let generation = self.current.load_full();
        generation.broker.sign_request(caller, grant, request).await
    }

    async fn report_rejected(&self, caller: &Caller, rejection: &Rejection) -> Result<Option<Reported>, Fault> {
        let generation = self.current.load_full();
        generation.broker.report_rejected(caller, rejection).await
    }

    fn invalidate(&self, caller: &Caller, lookup: &Lookup) -> Result<usize, Fault> {
        self.current.load().broker.invalidate(caller, lookup)
    }

    fn watch(&self, caller: &Caller) -> Result<Changing, Fault> {
        let generation = self.current.load();
        let watching = (generation.broker.watch(caller)?, generation.ended());
        let told = stream::unfold(Some(watching), |watching| async {
            let (mut watch, ended) = watching?;
            let told = ended.run_until_cancelled(watch.next()).await;
            let reloaded = "the configuration has changed; watch again, and ask again for what is held";
            match told.unwrap_or_else(|| Err(Fault::new(FaultKind::Interrupted, reloaded))) {
                Ok(changes) => Some((Ok(changes), Some((watch, ended)))),
                Err(fault) => Some((Err(fault), None)),
            }
        });
        Ok(told.boxed())
    }

    fn may(&self, caller: &Caller, right: Right) -> Result<(), Fault> {
        self.current.load().broker.may(caller, right)
    }
}

#[async_trait]
impl Control for Running {
    async fn reload(&self) -> Result<Reloaded, Fault> {
        let _one_at_a_time = self.reloading.lock().await;
        let outcome = match &self.path {
            Some(path) => self.try_reload(path).await,
            None => Err(Fault::new(
                FaultKind::BadConfig,
                "valet runs on its built-in configuration; there is no file to read again",
            )),
        };
        let refused = outcome.as_ref().err().map(|fault| fault.message().to_owned());
        match &outcome {
            Ok(Reloaded { warnings, .. }) => {
                tracing::info!(?warnings, "the configuration was read again and is in use");
            }
            Err(fault) => tracing::error!(error = %fault, "the configuration was refused; the one in use stays"),
        }
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        outcome
    }

    fn status(&self) -> Status {
        let current = self.current.load();
        let cache = current.broker.cache();
        let usage = cache.usage();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            config: ConfigStatus {
                path: self.path.clone(),
                loaded_at: current.loaded_at,
                last_reload_error: self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            },
            sources: current.broker.readers().iter().map(|timed| source_status(&timed.reader)).collect(),
            cache: CacheStatus {
                values: usage.values,
                not_found: usage.not_found,
                bytes: usage.bytes,
                max_bytes: usage.max_bytes,
                hits: self.maker.counters.get(Counter::CacheHits),
                misses: self.maker.counters.get(Counter::CacheMisses),
                in_flight: u64::try_from(cache.in_flight()).unwrap_or(u64::MAX),
            },
            accounts: current.broker.issuer().accounts(),
        }
    }
}

fn source_status(reader: &Reader) -> SourceStatus {
    let (source, health) = (reader.source(), reader.health());
    let standing = source.standing().map(|standing| SourceStanding {
        budget_left: standing.budget_left,
        breaker: match standing.breaker {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        },
    });
    let (name, fault, reads) = (source.name().clone(), health.unwell(), health.reads());
    SourceStatus { name, kind: source.kind(), fault, reads, standing }
}
