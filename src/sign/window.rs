use super::{SignError, Timestamp, timestamp};
use std::time::{Duration, SystemTime};

/// How far the clocks of Valet and Azure may be apart (Microsoft: up to 15 minutes either way), so how far back a start is set.
pub const CLOCK_SKEW: Duration = Duration::from_mins(15);

/// The longest life of a user delegation key and of what it signs: 7 days from its start ("Get User Delegation Key").
pub const DELEGATION_CAP: Duration = Duration::from_hours(7 * 24);

/// From when to when a token is valid. Either end may be open where a stored access policy sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Option<Timestamp>,
    expiry: Option<Timestamp>,
}

impl Window {
    /// A window with its ends given. The expiry must be after the start.
    pub fn between(start: Option<Timestamp>, expiry: Option<Timestamp>) -> Result<Self, SignError> {
        match (start, expiry) {
            (Some(start), Some(expiry)) if expiry <= start => Err(SignError::ExpiryNotAfterStart),
            _ => Ok(Self { start, expiry }),
        }
    }

    /// A window that is open now and for `lifetime` from now; its start is set back by [`CLOCK_SKEW`].
    ///
    /// Azure counts a cap from the start (`se - st`), so at a lifetime that comes within the skew of the cap the window ends that much sooner.
    ///
    /// # Errors
    /// A lifetime beyond the cap, or of less than a second.
    pub fn opening(now: SystemTime, lifetime: Duration, cap: Option<Duration>) -> Result<Self, SignError> {
        check_lifetime(lifetime, cap)?;
        let whole = lifetime.saturating_add(CLOCK_SKEW).min(cap.unwrap_or(Duration::MAX));
        let start = timestamp::seconds("now", now)?.saturating_sub(CLOCK_SKEW.as_secs());
        let expiry = Timestamp::from_unix("lifetime", start.saturating_add(whole.as_secs()))?;
        Self::between(Some(Timestamp::from_unix("now", start)?), Some(expiry))
    }

    /// The window to ask a user delegation key for: as long as Azure gives one, its start set back like that of the tokens it will sign.
    pub fn of_delegation_key(now: SystemTime) -> Result<Self, SignError> {
        Self::opening(now, DELEGATION_CAP, Some(DELEGATION_CAP))
    }

    /// Both ends as they are signed and sent; an open one is empty.
    pub(super) fn texts(&self) -> (&str, &str) {
        let [start, expiry] = [&self.start, &self.expiry].map(|end| end.as_ref().map_or("", Timestamp::as_str));
        (start, expiry)
    }

    /// When it opens.
    pub fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// When it closes.
    pub fn expiry(&self) -> Option<Timestamp> {
        self.expiry
    }
}

/// What [`Window::opening`] refuses whatever the time is, so that a configuration can be checked.
pub(super) fn check_lifetime(lifetime: Duration, cap: Option<Duration>) -> Result<(), SignError> {
    if lifetime < Duration::from_secs(1) {
        return Err(SignError::Invalid {
            field: "lifetime",
            problem: "is less than a second: a token needs some life",
        });
    }
    match cap {
        Some(cap) if lifetime > cap => Err(SignError::TooLongLived { field: "lifetime", cap }),
        _ => Ok(()),
    }
}
