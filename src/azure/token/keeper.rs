use super::{
    Token, Tokens,
    schedule::{Decision, Held, Now},
};
use crate::{
    azure::{error::Error, identity::IdentityProblem},
    clock::Clock,
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::warn;

/// How many scopes one identity is asked for at most. Vaults of one cloud share one, and storage everywhere; a vault that names ever new ones
/// gets an error.
const MAX_SCOPES: usize = 64;
/// How long somebody waits for a token: a little longer than for any one request, so that the fault that names who is slow comes first, and
/// arrives before they go.
const WAIT: Duration = Duration::from_millis(8500);
/// How long a fetch may take in all, whoever waits; the Azure CLI needs some seconds.
const FETCH_TIMEOUT: Duration = Duration::from_secs(15);
/// How long to sleep at most, so that a machine that was suspended, or whose clock was set, is noticed.
const LONGEST_NAP: Duration = Duration::from_mins(1);

/// Who can prove itself and get a token.
#[async_trait]
pub(in crate::azure) trait Fetch: Debug + Send + Sync {
    /// Asks for a new token, past every cache.
    async fn fetch(&self, scope: &str) -> Result<Token, Error>;
}

/// Keeps the tokens of one identity. Each scope has a task of its own, the only one that fetches: so a fetch outlives whoever asked for it,
/// and everybody who waits gets what it brings. The tasks end with the keeper.
#[derive(Debug)]
pub(in crate::azure) struct Keeper {
    identity: Arc<str>,
    source: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    scopes: Mutex<HashMap<Arc<str>, Arc<Scope>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

#[derive(Debug)]
struct Scope {
    name: Arc<str>,
    held: watch::Sender<Held>,
    wanted: Notify,
}

impl Keeper {
    /// Holds nothing yet, and starts nothing until somebody asks.
    pub(in crate::azure) fn new(identity: Arc<str>, source: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Self {
        let stop = CancellationToken::new();
        Self {
            identity,
            source,
            clock,
            scopes: Mutex::default(),
            tasks: TaskTracker::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    fn scope(&self, name: &str) -> Result<Arc<Scope>, Error> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scope) = scopes.get(name) {
            return Ok(Arc::clone(scope));
        }
        if scopes.len() >= MAX_SCOPES {
            return Err(Error::Identity { identity: Arc::clone(&self.identity), why: IdentityProblem::TooManyScopes });
        }
        let scope = Arc::new(Scope { name: name.into(), held: watch::Sender::default(), wanted: Notify::new() });
        scopes.insert(Arc::clone(&scope.name), Arc::clone(&scope));
        let keep =
            keep(Arc::clone(&self.identity), Arc::clone(&scope), Arc::clone(&self.source), Arc::clone(&self.clock));
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(keep).await });
        Ok(scope)
    }
}

impl Scope {
    /// What is held, or what the next fetch brings.
    async fn wait(&self, at_least: Duration, clock: &dyn Clock) -> Result<Token, Error> {
        let mut held = self.held.subscribe();
        loop {
            let (decision, fetches) = {
                let held = held.borrow_and_update();
                (held.decide(now(clock), at_least), held.fetches)
            };
            match decision {
                Decision::Use(token) => return Ok(token),
                Decision::UseAndRenew(token) => {
                    self.want(at_least);
                    return Ok(token);
                }
                Decision::Fail(error) => return Err(error),
                Decision::Wait => self.want(at_least),
            }
            held.wait_for(|held| held.fetches > fetches).await.expect("the sender is in `self`");
        }
    }

    fn want(&self, at_least: Duration) {
        self.held.send_if_modified(|held| {
            held.want(at_least);
            false
        });
        self.wanted.notify_one();
    }
}

#[async_trait]
impl Tokens for Keeper {
    async fn lasting_token(&self, scope: &str, at_least: Duration) -> Result<Token, Error> {
        let scope = self.scope(scope)?;
        let waited = timeout(WAIT, scope.wait(at_least, &*self.clock)).await;
        let why = IdentityProblem::TimedOut(WAIT);
        waited.unwrap_or_else(|_| Err(Error::Identity { identity: Arc::clone(&self.identity), why }))
    }

    fn reject(&self, token: &str) -> bool {
        let (scopes, now) = (self.scopes.lock().unwrap_or_else(PoisonError::into_inner), now(&*self.clock));
        let mut is_kept = false;
        for scope in scopes.values() {
            scope.held.send_modify(|held| is_kept |= !held.reject(token, now));
        }
        !is_kept
    }
}

/// Fetches for one scope, when somebody waits and when renewal is due.
async fn keep(identity: Arc<str>, scope: Arc<Scope>, source: Arc<dyn Fetch>, clock: Arc<dyn Clock>) {
    let fault = |why| Err(Error::Identity { identity: Arc::clone(&identity), why });
    loop {
        let due = scope.held.borrow().renew_in(now(&*clock), Duration::ZERO);
        tokio::select! {
            () = scope.wanted.notified() => {}
            () = sleep(due.unwrap_or(LONGEST_NAP).min(LONGEST_NAP)) => if due.is_none() { continue },
        }
        if !scope.held.borrow().is_due(now(&*clock)) {
            continue;
        }
        let result = timeout(FETCH_TIMEOUT, source.fetch(&scope.name)).await;
        let now = now(&*clock);
        let result = match result {
            Ok(Ok(token)) if token.expires_at <= now.wall => fault(IdentityProblem::TokenHasEnded),
            Ok(result) => result,
            Err(_) => fault(IdentityProblem::TimedOut(FETCH_TIMEOUT)),
        };
        if let Err(error) = &result
            && scope.held.borrow().is_usable(now)
        {
            warn!(identity = &*identity, scope = &*scope.name, %error, "a token could not be renewed; the old one serves until its end");
        }
        scope.held.send_modify(|held| held.fetched(result, now));
    }
}

fn now(clock: &dyn Clock) -> Now {
    Now { wall: clock.wall(), monotonic: clock.monotonic() }
}
