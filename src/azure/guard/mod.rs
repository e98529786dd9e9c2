//! Whether a service of Azure is asked just now: within its budget, not before the time that it named, and seldom while it fails.
//! It never sends anything itself and never tries again. [`super::http`] asks it before each request, and tells it how the request ended.
//!
//! [`budget`] and [`breaker`] decide, as pure functions of what happened and what time it is; [`gate`] makes the requests wait for them.

mod breaker;
#[cfg(test)]
mod breaker_tests;
mod budget;
mod gate;
#[cfg(test)]
mod gate_tests;

pub use breaker::BreakerState;
pub(super) use budget::Budget;
pub(super) use gate::{Ended, Gate};

use crate::{
    clock::Clock,
    telemetry::{Counter, Counters},
};
use std::{fmt, sync::Arc, time::Duration};

/// Where random numbers come from: they spread what would otherwise happen at once.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How long a request waits at most for its turn in the budget, or for the end of a pause that a service asked for: what is left then of the 10 s
/// that callers wait by default is enough to be answered. To be late is better than to fail a task.
const PATIENCE: Duration = Duration::from_secs(7);

/// How long a request waits at most for another one, which is out to see whether the service works again.
const TRIAL_PATIENCE: Duration = Duration::from_secs(1);

/// What every gate and budget of a process shares.
#[derive(Clone)]
pub(super) struct Seams {
    /// Measures pauses.
    pub(super) clock: Arc<dyn Clock>,
    /// Spreads them.
    pub(super) random: Random,
    /// Counts what was held back.
    pub(super) counters: Arc<Counters>,
}

impl Seams {
    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn count(&self, counter: Counter) {
        self.counters.count(counter);
    }
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams").finish_non_exhaustive()
    }
}
