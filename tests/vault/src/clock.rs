//! The one time that tokens, attributes and the log are judged by. It is the injected time plus an offset that a test may move;
//! nothing here sleeps.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Where a [`Clock`] takes the time from.
pub type TimeSource = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The operating system's time, the default [`TimeSource`].
#[expect(clippy::disallowed_methods, reason = "the one reader of time")]
pub fn system_time() -> TimeSource {
    Arc::new(SystemTime::now)
}

/// Time in whole Unix seconds, as Key Vault and JWTs write it.
pub struct Clock {
    source: TimeSource,
    offset: AtomicI64,
}

impl Clock {
    pub(crate) fn new(source: TimeSource) -> Self {
        Self { source, offset: AtomicI64::new(0) }
    }

    /// Unix seconds, the offset included.
    pub fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// Unix milliseconds, the offset included.
    pub fn now_millis(&self) -> i64 {
        let millis = match (self.source)().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        millis.saturating_add(self.offset.load(Ordering::Relaxed).saturating_mul(1000))
    }

    /// Seconds added to the injected time.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").field("offset", &self.offset()).finish_non_exhaustive()
    }
}
