use super::{Found, Secret, SourceName};
use std::time::{Duration, SystemTime};

/// What a lookup answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was read.
    pub found: Found,
    /// The source that it was read from.
    pub source: SourceName,
    /// Time since the source was last asked successfully.
    pub age: Duration,
    /// Until when the source is not asked again.
    pub fresh_until: SystemTime,
    /// Whether the answer is within its fresh time.
    pub state: State,
    /// What to hide from logs.
    pub mask: Vec<Secret>,
}

/// How the cache regards an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Within its fresh time.
    Fresh,
    /// Past it, served because the source cannot be asked.
    Stale,
}

impl State {
    /// The word for it in the audit log: `fresh`, `stale`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
        }
    }
}
