//! What a vault's list of secrets, 25 to a page and without values, tells of what was read of it: what is as it was, what has changed, what is not
//! there. It never builds names, and what a value means is nothing to it. [`super::KeyVaultSource`] calls it.
//!
//! [`catalogue`] and [`schedule`] decide, as pure functions of what was listed when; [`Lister`] asks the vault.

mod catalogue;
#[cfg(test)]
mod catalogue_tests;
mod plan;
mod schedule;
mod stash;

pub(super) use catalogue::Version;
pub use plan::ListPlan;

use crate::{
    azure::{Error, Listed, Random, Refusal, SecretName, Vault},
    clock::Clock,
    model::{Found, Held, Review, SourceName, Urgency},
    telemetry::{Counter, Counters},
};
use catalogue::{Catalogue, SETTLED, Taken};
use futures::future::join_all;
use schedule::{Failed, Schedule};
use stash::{Early, Stash};
use std::{
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// What a source that lists gets from outside.
#[derive(Clone)]
pub struct ListSeams {
    /// Measures ages and pauses.
    pub clock: Arc<dyn Clock>,
    /// Spreads them.
    pub random: Random,
    /// Counts lists and what they tell.
    pub counters: Arc<Counters>,
}

/// Lists one vault, as its plan says.
pub(super) struct Lister {
    source: SourceName,
    vault: Arc<dyn Vault>,
    seams: ListSeams,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` is never.
    plan: Option<Arc<ListPlan>>,
    schedule: Schedule,
    catalogue: Option<Arc<Catalogue>>,
    /// Of the last complete list.
    pages: Option<u32>,
    stash: Stash,
    /// Lists that began before it are not believed to have no such name.
    forgotten_at: Duration,
    /// Whether it has been said, since the last list, what keeps lists away.
    is_complained: bool,
}

/// Why a list did not come about.
#[derive(Debug, thiserror::Error)]
enum NoList {
    #[error(transparent)]
    Vault(#[from] Error),
    #[error("it has more than {0} pages; raise `list.max_pages`, or turn lists off with `list: null`")]
    TooLong(u32),
}

/// How long one waits for a budget to have something to spare again.
const PAUSE_FOR_OTHERS: Duration = Duration::from_secs(1);

/// How many secrets are read ahead at once.
const READ_AHEAD: usize = 4;

impl Lister {
    /// Lists nothing until it has a plan.
    pub(super) fn new(source: SourceName, vault: Arc<dyn Vault>, seams: ListSeams) -> Self {
        Self { source, vault, seams, state: Mutex::default() }
    }

    /// Takes another plan into use, or none.
    pub(super) fn plan(&self, plan: Option<ListPlan>) {
        let mut state = self.lock();
        if plan.is_none() {
            (state.catalogue, state.pages) = (None, None);
            state.stash.clear();
        }
        state.plan = plan.map(Arc::new);
    }

    /// Believes no list to have no such name, and nothing that was read ahead, until it has listed anew.
    pub(super) fn forget(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.forgotten_at = now;
        state.stash.clear();
    }

    /// Whether a list that is young enough shows none of these names.
    pub(super) fn lacks(&self, names: &[SecretName]) -> bool {
        let state = self.lock();
        let absent_for = state.plan.as_ref().map_or(Duration::ZERO, |plan| plan.absent_for);
        let lacks = state.younger_than(absent_for, self.now()).is_some_and(|catalogue| catalogue.lacks(names));
        if lacks {
            self.seams.counters.count(Counter::MissesAnswered);
        }
        lacks
    }

    /// The value of a secret that was read ahead, if the list still shows it as it was then.
    pub(super) fn take(&self, name: &SecretName) -> Option<Found> {
        let mut state = self.lock();
        let early = state.stash.take(name)?;
        let every = state.plan.as_ref()?.every;
        state.younger_than(every, self.now())?.is_still(name, &early).then_some(early.found)
    }

    /// Waits until the vault has been listed, and answers when that began and what it told.
    pub(super) async fn next(&self, held: &(dyn Fn() -> usize + Send + Sync)) -> (Duration, Arc<Catalogue>) {
        loop {
            let Some(plan) = self.lock().plan.clone() else { return pending().await };
            let wait = self.lock().schedule.wait(self.now(), (self.seams.random)());
            if self.read_ahead(wait).await {
                continue;
            }
            if !wait.is_zero() {
                sleep(wait).await;
                continue;
            }
            let pages = self.lock().pages;
            if !plan.is_worth(held(), pages) {
                self.lock().schedule.put_off(self.now(), plan.every / 8);
                continue;
            }
            match self.list(&plan).await {
                Ok(catalogue) => {
                    // So that what is read again now is known to be the newest.
                    if catalogue.is_unsettled() {
                        sleep(SETTLED).await;
                    }
                    return (catalogue.began(), catalogue);
                }
                Err(why) => self.complain(&why),
            }
        }
    }

    async fn list(&self, plan: &ListPlan) -> Result<Arc<Catalogue>, NoList> {
        let began = self.now();
        let (mut list, mut pages, mut from) = (Vec::new(), 0, None);
        loop {
            if pages == plan.max_pages {
                return Err(NoList::TooLong(pages));
            }
            let page = match self.vault.list(from.as_ref()).await {
                Err(error) if comes_first(&error) && self.now() < began + plan.every => {
                    sleep(PAUSE_FOR_OTHERS).await;
                    continue;
                }
                page => page?,
            };
            pages += 1;
            self.seams.counters.count(Counter::ListPages);
            list.extend(page.secrets);
            from = page.next;
            if from.is_none() {
                return Ok(self.learn(plan, list, pages, began));
            }
        }
    }

    fn learn(&self, plan: &ListPlan, list: Vec<Listed>, pages: u32, began: Duration) -> Arc<Catalogue> {
        self.seams.counters.count(Counter::Lists);
        let (ended, ended_wall) = (self.now(), self.seams.clock.wall());
        let mut state = self.lock();
        let state = &mut *state;
        let is_first = state.pages.is_none();
        let taken = Taken { began, ended, ended_wall };
        let catalogue = Arc::new(Catalogue::after(state.catalogue.as_deref(), list, taken));
        if is_first {
            let wanted = catalogue.enabled().filter(|name| plan.prefetch.is_match(name)).filter_map(SecretName::parse);
            let left_out = state.stash.want(wanted);
            self.leave_out(left_out);
        }
        state.stash.retain(|name, early| catalogue.is_still(name, early));
        state.schedule.succeeded(began, ended, plan.every, (self.seams.random)());
        if std::mem::take(&mut state.is_complained) {
            info!(source = %self.source, "the vault is listed again");
        }
        (state.catalogue, state.pages) = (Some(Arc::clone(&catalogue)), Some(pages));
        catalogue
    }

    /// Reads some of what is to be read at start, if the next list is not due; answers whether there was anything to do.
    async fn read_ahead(&self, wait: Duration) -> bool {
        if wait.is_zero() {
            return false;
        }
        let names: Vec<_> = {
            let mut state = self.lock();
            std::iter::from_fn(|| state.stash.next()).take(READ_AHEAD).collect()
        };
        let read = |name: SecretName| async move {
            let read_at = self.now();
            let found = self.vault.secret(&name, Urgency::Ahead).await;
            (name, found.map(|found| found.map(|found| Early { found, read_at })))
        };
        let is_any = !names.is_empty();
        let mut must_wait = false;
        for (name, read) in join_all(names.into_iter().map(read)).await {
            match read {
                Err(error) if comes_first(&error) => {
                    must_wait = true;
                    self.lock().stash.put_back(name);
                }
                read => self.keep(&name, read),
            }
        }
        if must_wait {
            sleep(PAUSE_FOR_OTHERS.min(wait)).await;
        }
        is_any
    }

    fn keep(&self, name: &SecretName, read: Result<Option<Early>, Error>) {
        // Who asks for it will be told what is the matter.
        let found = read.unwrap_or_else(|error| {
            debug!(source = %self.source, %error, "a secret could not be read ahead");
            None
        });
        let is_found = found.is_some();
        if !self.lock().stash.put(name, found) {
            self.leave_out(1);
        } else if is_found {
            self.seams.counters.count(Counter::ValuesPrefetched);
        }
    }

    fn leave_out(&self, secrets: usize) {
        if secrets > 0 {
            self.seams.counters.add(Counter::PrefetchesDropped, u64::try_from(secrets).unwrap_or(u64::MAX));
        }
    }

    fn complain(&self, why: &NoList) {
        self.seams.counters.count(Counter::ListsFailed);
        let failed = match why {
            NoList::TooLong(_) | NoList::Vault(Error::Refused { why: Refusal::MayNotList, .. }) => Failed::ForNow,
            NoList::Vault(error) => Failed::Once(error.retry_after()),
        };
        let mut state = self.lock();
        state.schedule.failed(self.now(), failed, (self.seams.random)());
        if std::mem::replace(&mut state.is_complained, true) {
            debug!(source = %self.source, %why, "the vault could not be listed again");
        } else {
            warn!(source = %self.source, %why, "the vault could not be listed; until it can be, each value is read again by itself");
        }
    }

    fn now(&self) -> Duration {
        self.seams.clock.monotonic()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the last list showed, if that is so young.
    fn younger_than(&self, age: Duration, now: Duration) -> Option<&Catalogue> {
        let is_young = |began| now.saturating_sub(began) < age && began >= self.forgotten_at;
        self.catalogue.as_deref().filter(|catalogue| is_young(catalogue.began()))
    }
}

impl Catalogue {
    /// Whether a value that was read ahead is what the vault has.
    fn is_still(&self, name: &SecretName, early: &Early) -> bool {
        let held = Held::Value { read_at: early.read_at, revision: early.found.revision() };
        self.judge(std::slice::from_ref(name), Version::Latest, held) == Review::Confirm
    }
}

/// Whether it was not asked because others come first.
fn comes_first(error: &Error) -> bool {
    matches!(error, Error::Yielded { .. } | Error::BudgetSpent { .. })
}

impl fmt::Debug for Lister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lister").field("source", &self.source).finish_non_exhaustive()
    }
}
