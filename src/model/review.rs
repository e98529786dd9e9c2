use std::time::{Duration, SystemTime};

/// What becomes of something that a cache holds, now that its source has told news of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// The news say nothing of it.
    Leave,
    /// It is as it was read.
    Confirm,
    /// It may have changed: it must be read again, and stands in only where the source cannot be asked.
    Doubt,
    /// What happened to it is not known any more: it is as if its time were over, and read again when somebody asks for it.
    Lapse,
    /// It must not be used any more.
    Drop,
}

/// What is held of a name, as far as one has to know it to judge it. Times are monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held<'a> {
    /// A value.
    Value {
        /// When its source was asked for it, or as of when it was confirmed since.
        read_at: Duration,
        /// What its source says of it.
        revision: Revision<'a>,
    },
    /// That the name is not there.
    NotFound {
        /// When that was read, or confirmed since.
        read_at: Duration,
    },
    /// Nothing yet: it is being read. What is doubted or dropped of that is not kept.
    Awaited {
        /// When the read began.
        since: Duration,
    },
}

/// By what a source tells one state of a value from another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revision<'a> {
    /// Its version.
    pub version: Option<&'a str>,
    /// When this version was last changed.
    pub updated_at: Option<SystemTime>,
    /// Which of several things it was that its name may mean, from 0.
    pub rank: u8,
}
