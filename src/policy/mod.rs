//! Who may ask for what: pure decisions, each with the rule that made it. It never waits, reads no clock and knows no source.
//! [`crate::broker`] asks it on every lookup, cache hits too.

use crate::model::{Caller, Right};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What each listener allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    listeners: BTreeMap<Arc<str>, BTreeSet<Right>>,
}

/// What was decided, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The caller may.
    Allowed,
    /// The caller may not, because of this rule.
    Denied {
        /// The rule, as an operator would look for it in valet.yaml.
        rule: String,
    },
}

impl Policy {
    /// The policy of these listeners, by name.
    pub fn new(listeners: impl IntoIterator<Item = (Arc<str>, BTreeSet<Right>)>) -> Self {
        Self { listeners: listeners.into_iter().collect() }
    }

    /// Whether the caller may use this right on the listener that it came in by. A listener that is not known allows nothing.
    pub fn decide(&self, caller: &Caller, right: Right) -> Decision {
        match self.listeners.get(&caller.listener) {
            Some(rights) if rights.contains(&right) => Decision::Allowed,
            _ => Decision::Denied {
                rule: format!("listen.{}.allow does not list {right:?}", caller.listener, right = right.as_str()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Claims;

    #[test]
    fn a_listener_allows_what_it_lists_and_nothing_else() {
        let policy = Policy::new([("tasks".into(), BTreeSet::from([Right::Connections]))]);
        let caller = |listener: &str| Caller { listener: listener.into(), peer: None, claims: Claims::default() };
        assert_eq!(policy.decide(&caller("tasks"), Right::Connections), Decision::Allowed);
        let rule = "listen.tasks.allow does not list \"config\"".to_owned();
        assert_eq!(policy.decide(&caller("tasks"), Right::Config), Decision::Denied { rule });
        assert!(matches!(policy.decide(&caller("other"), Right::Connections), Decision::Denied { .. }));
    }
}
