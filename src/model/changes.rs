use super::Lookup;
use std::{collections::HashSet, sync::Arc};

/// Of what the answer may be another one now. Never an answer itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Connections, variables and options; one without a team is meant for every team.
    pub names: Vec<Lookup>,
    /// Grants whose tokens it concerns.
    pub grants: Vec<Arc<str>>,
}

impl Changes {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.grants.is_empty()
    }

    /// Adds more, each once.
    pub fn add(&mut self, more: Self) {
        let (names, grants): (HashSet<_>, HashSet<_>) =
            (self.names.iter().cloned().collect(), self.grants.iter().cloned().collect());
        self.names.extend(more.names.into_iter().filter(|name| !names.contains(name)));
        self.grants.extend(more.grants.into_iter().filter(|grant| !grants.contains(grant)));
    }
}
