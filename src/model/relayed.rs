use super::{Secret, State};
use std::time::{Duration, SystemTime};

/// What another Valet said of a value that it gave: it holds a copy, as we do, and its copy's age counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// Time since the source itself was last asked successfully.
    pub age: Duration,
    /// Whether that was within the fresh time there.
    pub state: State,
    /// Until when that Valet does not ask again. Of a value that ends it says from when on another is handed out.
    pub fresh_until: SystemTime,
    /// What to hide from logs; it may know of secrets that the value alone does not show.
    pub mask: Vec<Secret>,
}
