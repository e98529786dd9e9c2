use crate::azure::error::Trouble;
use std::{
    cmp::{max, min},
    time::Duration,
};

/// How many failures in a row, without one answer between them, open the breaker: more than one read makes with its retries, so that one
/// secret that makes its vault stumble does not keep the others away.
pub(super) const FAILURES: u32 = 5;

/// The shortest and the longest pause that we decide on by ourselves. The longest first one is twice the shortest; each is at most twice the
/// one before, and up to half of it is taken off at random.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Whether a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It is.
    Closed,
    /// It is not, until some time has passed.
    Open,
    /// One request at a time is sent to it, to see.
    HalfOpen,
}

/// Decides whether a service is asked, by how it answered before. A pure state machine: time and randomness come in.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    state: State,
    /// How often the state has changed: how a request that ends is known to be of another time.
    era: u64,
}

#[derive(Debug, Clone)]
enum State {
    Closed { failures: u32 },
    Open { trouble: Trouble, until: Duration, in_a_row: u32, on_trial: bool },
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// What the service said last, or did.
    pub(super) trouble: Trouble,
    /// For how long; `None` where another request is out to see whether the service works again.
    pub(super) left: Option<Duration>,
}

/// A request that has gone out, and when.
#[derive(Debug)]
pub(super) struct Ticket {
    era: u64,
}

/// What the end of a request has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Closed,
    /// Nothing goes out for so long.
    Opened(Duration),
}

impl Breaker {
    /// Closed.
    pub(super) fn new() -> Self {
        Self { state: State::Closed { failures: 0 }, era: 0 }
    }

    /// Whether a request may go out.
    pub(super) fn way(&self, now: Duration) -> Result<(), Held> {
        match self.state {
            State::Open { trouble, until, .. } if now < until => Err(Held { trouble, left: Some(until - now) }),
            State::Open { trouble, on_trial: true, .. } => Err(Held { trouble, left: None }),
            State::Open { .. } | State::Closed { .. } => Ok(()),
        }
    }

    /// Lets a request go out, if it may.
    pub(super) fn begin(&mut self, now: Duration) -> Result<Ticket, Held> {
        self.way(now)?;
        if let State::Open { on_trial, .. } = &mut self.state {
            *on_trial = true;
        }
        Ok(Ticket { era: self.era })
    }

    /// The service has answered, be it that it refuses: it can be asked.
    pub(super) fn answered(&mut self, ticket: &Ticket) -> Change {
        let is_open = matches!(self.state, State::Open { .. });
        if ticket.era != self.era {
            return Change::None;
        }
        self.state = State::Closed { failures: 0 };
        self.era += u64::from(is_open);
        if is_open { Change::Closed } else { Change::None }
    }

    /// The service has not answered, or said that it cannot. `wanted` is how long it wants to be left alone, where it said so.
    pub(super) fn failed(
        &mut self,
        ticket: &Ticket,
        trouble: Trouble,
        wanted: Option<Duration>,
        now: Duration,
        random: u64,
    ) -> Change {
        let wanted = wanted.filter(|wanted| !wanted.is_zero());
        let is_current = ticket.era == self.era;
        let opened_before = match &mut self.state {
            State::Closed { failures } if is_current => {
                *failures += 1;
                if *failures < FAILURES && wanted.is_none() {
                    return Change::None;
                }
                0
            }
            State::Open { in_a_row, .. } if is_current => *in_a_row,
            // It began before the state changed and says nothing new, but for how long it is to be left alone.
            State::Open { until, on_trial: false, .. } => {
                *until = wanted.map_or(*until, |wanted| max(*until, now + wanted));
                return Change::None;
            }
            State::Open { .. } | State::Closed { .. } => return Change::None,
        };
        let pause = wanted.unwrap_or_else(|| pause(opened_before, random));
        let in_a_row = opened_before.saturating_add(1);
        self.state = State::Open { trouble, until: now + pause, in_a_row, on_trial: false };
        self.era += 1;
        Change::Opened(pause)
    }

    /// Nobody knows how the request ended: whoever waited for it has gone. Whether that changed anything.
    pub(super) fn abandoned(&mut self, ticket: &Ticket) -> bool {
        match &mut self.state {
            State::Open { on_trial, .. } if ticket.era == self.era => std::mem::take(on_trial),
            State::Open { .. } | State::Closed { .. } => false,
        }
    }

    /// For people.
    pub(super) fn state(&self, now: Duration) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until, .. } if now < until => BreakerState::Open,
            State::Open { .. } => BreakerState::HalfOpen,
        }
    }
}

/// How long nothing goes out where the service does not say it, after so many such pauses in a row.
fn pause(pauses: u32, random: u64) -> Duration {
    let longest = min(SHORTEST_PAUSE * 2_u32.saturating_pow(min(pauses, 16) + 1), LONGEST_PAUSE);
    longest - longest / 1024 * u32::try_from(random % 513).expect("it is below 513")
}
