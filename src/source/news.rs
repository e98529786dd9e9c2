use crate::model::{Held, Lookup, Name, Review};
use std::{fmt, time::Duration};

/// What a source tells by itself of what was read of it, so that nobody has to read it again to know.
pub struct News {
    /// Since when it is so, on the monotonic clock. Of what was read later it says nothing.
    pub as_of: Duration,
    /// What becomes of what is held of a name.
    pub judge: Judge,
}

/// What becomes of what is held of a name.
pub type Judge = Box<dyn Fn(Asked<'_>, Held<'_>) -> Review + Send + Sync>;

/// By which rule a name was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// By [`super::Source::read`].
    Lookup(&'a Lookup),
    /// By [`super::Source::read_named`].
    Named(&'a Name),
    /// The token of a grant, by [`super::Relay::token`].
    Token(&'a Name),
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}
