//! The only reader of time. Everything that depends on time is a pure function of what a [`Clock`] says; this file gives time no meaning.
//! Every room that measures or compares times is handed a clock by [`crate::app`].

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// Where the time comes from.
pub trait Clock: Debug + Send + Sync {
    /// Wall-clock time, for what is compared with other machines' times (expiry dates, log lines). It may jump.
    fn wall(&self) -> SystemTime;

    /// Time since an arbitrary start, for what is measured here (ages, pauses). It never goes back.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

/// Where the monotonic count begins, so that what was read before the process started (another Valet gave it, and said how old it is) has a time
/// too: longer ago than anything is kept.
const BEFORE_START: Duration = Duration::from_hours(400 * 24);

impl SystemClock {
    /// Starts the monotonic count.
    #[expect(clippy::disallowed_methods, reason = "the one reader of time")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one reader of time")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        BEFORE_START + self.start.elapsed()
    }
}

/// A clock that moves only when it is told to, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    start: SystemTime,
    elapsed: Mutex<Duration>,
}

impl ManualClock {
    /// Stands still at `start`, with the monotonic count at zero.
    pub fn new(start: SystemTime) -> Self {
        Self { start, elapsed: Mutex::default() }
    }

    /// Moves both clocks ahead.
    pub fn advance(&self, by: Duration) {
        *self.lock() += by;
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> SystemTime {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.lock()
    }
}
