use super::{
    Budget, PATIENCE, Seams, TRIAL_PATIENCE,
    breaker::{Breaker, BreakerState, Change, Held, Ticket},
};
use crate::{
    azure::error::{Error, Peer, Trouble},
    telemetry::Counter,
};
use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Notify, Semaphore},
    time::sleep,
};
use tracing::{info, warn};

/// How many requests to one service wait for the end of a pause, or of a trial, at most.
pub(super) const MOST_WAITING: usize = 256;

/// What is said of when to ask again while a request is out to see whether the service works: not sooner than that may have told.
const AFTER_TRIAL: Duration = Duration::from_secs(1);

/// Stands before one service, for all who ask it over the same network path.
#[derive(Debug)]
pub(in crate::azure) struct Gate {
    breaker: Mutex<Breaker>,
    changed: Notify,
    places: Semaphore,
    seams: Seams,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::azure) enum Ended {
    /// It was answered; a refusal is an answer.
    Answered,
    /// It was not, or the answer is that the service does not work or is asked too often, and when to ask it again.
    Failed(Trouble, Option<Duration>),
}

impl Gate {
    /// Open to everybody.
    pub(in crate::azure) fn new(seams: Seams) -> Self {
        let breaker = Mutex::new(Breaker::new());
        Self { breaker, changed: Notify::new(), places: Semaphore::new(MOST_WAITING), seams }
    }

    /// Lets one request through, within the budget if there is one. It waits a little where that may help: for a turn in the budget, for the end of a
    /// pause that the service asked for, for another request that is out to see whether the service works again.
    ///
    /// # Errors
    /// [`Error::BudgetSpent`] or [`Error::HeldBack`], with when to ask again.
    pub(in crate::azure) async fn pass<'a>(
        &'a self,
        peer: &'a Peer,
        mut budget: Option<&Budget>,
    ) -> Result<Pass<'a>, Error> {
        let (mut patience, mut trial_patience, mut place) = (pin!(sleep(PATIENCE)), pin!(sleep(TRIAL_PATIENCE)), None);
        loop {
            // Made before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            let held = match budget {
                Some(_) => self.lock().way(self.seams.now()).err(),
                None => match self.lock().begin(self.seams.now()) {
                    Ok(ticket) => return Ok(Pass { gate: self, peer, ticket: Some(ticket) }),
                    Err(held) => Some(held),
                },
            };
            let Some(held) = held else {
                if let Some(budget) = budget.take() {
                    budget.take(peer).await?;
                }
                continue;
            };
            let is_throttled = held.trouble == Trouble::Throttled;
            let wait = match held.left {
                Some(left) if is_throttled && left <= PATIENCE => left,
                Some(_) => return Err(self.held_back(peer, held)),
                None => PATIENCE,
            };
            if place.is_none() {
                place = Some(self.places.try_acquire().map_err(|_| self.held_back(peer, held))?);
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = &mut patience => return Err(self.held_back(peer, held)),
                () = &mut trial_patience, if !is_throttled => return Err(self.held_back(peer, held)),
                () = sleep(wait) => {}
            }
        }
    }

    /// For people.
    pub(in crate::azure) fn state(&self) -> BreakerState {
        self.lock().state(self.seams.now())
    }

    /// The time, for the dates that services name.
    pub(in crate::azure) fn wall(&self) -> SystemTime {
        self.seams.clock.wall()
    }

    fn held_back(&self, peer: &Peer, held: Held) -> Error {
        self.seams.count(match peer {
            Peer::Entra { .. } | Peer::ManagedIdentity { .. } => Counter::EntraBackedOff,
            Peer::Vault { .. } | Peer::Storage { .. } => Counter::RequestsHeldBack,
        });
        let retry_after = held.left.unwrap_or(AFTER_TRIAL);
        Error::HeldBack { peer: peer.clone(), trouble: held.trouble, retry_after }
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that is out. Dropping it says that nobody knows how it ended.
#[derive(Debug)]
pub(in crate::azure) struct Pass<'a> {
    gate: &'a Gate,
    peer: &'a Peer,
    ticket: Option<Ticket>,
}

impl Pass<'_> {
    /// Says how it ended.
    pub(in crate::azure) fn end(mut self, ended: Ended) {
        let Some(ticket) = self.ticket.take() else { return };
        let (seams, peer) = (&self.gate.seams, self.peer);
        let change = match ended {
            Ended::Answered => self.gate.lock().answered(&ticket),
            Ended::Failed(trouble, wanted) => {
                self.gate.lock().failed(&ticket, trouble, wanted, seams.now(), (seams.random)())
            }
        };
        match (change, ended) {
            (Change::Opened(pause), Ended::Failed(trouble, _)) => {
                seams.count(Counter::BreakersOpened);
                warn!(%peer, %trouble, seconds = pause.as_secs_f32(), "a service is not asked for a while");
            }
            (Change::Closed, _) => info!(%peer, "a service answers again"),
            _ => return,
        }
        self.gate.changed.notify_waiters();
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take()
            && self.gate.lock().abandoned(&ticket)
        {
            self.gate.changed.notify_waiters();
        }
    }
}
