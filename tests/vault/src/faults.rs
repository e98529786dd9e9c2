//! Which request meets which fault: rules with a scope, in the order in which they came.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    fault::Fault,
    log::{Face, TokenSeen},
};

/// Which requests to a vault meet a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Those with a good token: the real service asks for a token before anything else.
    #[default]
    Authorized,
    /// Those without one.
    Probe,
    /// All.
    Any,
}

/// A fault and whom it meets. In JSON the fields stand beside those of the fault:
/// `{"kind": "throttled", "times": 2, "secret": "db-password"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Where and how often.
    #[serde(flatten)]
    pub scope: Scope,
}

/// Where and how often a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// The endpoint, default the vaults.
    pub face: Face,
    /// Which requests to a vault; other endpoints ignore it.
    pub on: When,
    /// One vault only.
    pub vault: Option<String>,
    /// One secret's requests only (values, versions, changes).
    pub secret: Option<String>,
    /// How many requests; until it is cleared where it is absent.
    pub times: Option<u32>,
}

impl FaultRule {
    /// The fault on each authorized request to a vault, until it is cleared.
    pub fn new(fault: Fault) -> Self {
        Self { fault, scope: Scope::default() }
    }

    /// For this endpoint.
    #[must_use]
    pub fn face(mut self, face: Face) -> Self {
        self.scope.face = face;
        self
    }

    /// For this many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.scope.times = Some(times);
        self
    }

    /// For this secret only.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>) -> Self {
        self.scope.secret = Some(name.into());
        self
    }

    /// For this vault only.
    #[must_use]
    pub fn vault(mut self, name: impl Into<String>) -> Self {
        self.scope.vault = Some(name.into());
        self
    }

    /// For these requests.
    #[must_use]
    pub fn on(mut self, when: When) -> Self {
        self.scope.on = when;
        self
    }

    /// Reads the JSON form; a field that neither the fault nor the scope knows is an error.
    pub fn from_json(json: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let (scope, fault) = json.into_iter().partition(|(field, _)| SCOPE_FIELDS.contains(&field.as_str()));
        Ok(Self {
            fault: serde_json::from_value(Value::Object(fault))?,
            scope: serde_json::from_value(Value::Object(scope))?,
        })
    }
}

/// What a fault is chosen by.
pub(crate) struct Target<'a> {
    pub(crate) face: Face,
    pub(crate) vault: &'a str,
    pub(crate) secret: Option<&'a str>,
    pub(crate) token: TokenSeen,
}

/// The faults that are switched on, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(u64, FaultRule)>,
    last: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) -> u64 {
        self.last += 1;
        if rule.scope.times != Some(0) {
            self.rules.push((self.last, rule));
        }
        self.last
    }

    /// The first fault that meets the request; one of its times is then used up.
    pub(crate) fn take(&mut self, target: &Target<'_>) -> Option<Fault> {
        let index = self.rules.iter().position(|(_, rule)| rule.scope.meets(target))?;
        let rule = &mut self.rules[index].1;
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.scope.times {
            *times -= 1;
            if *times == 0 {
                self.rules.remove(index);
            }
        }
        Some(fault)
    }

    pub(crate) fn list(&self) -> &[(u64, FaultRule)] {
        &self.rules
    }

    /// Switches one off, or all.
    pub(crate) fn clear(&mut self, id: Option<u64>) {
        self.rules.retain(|(known, _)| id.is_some_and(|id| id != *known));
    }
}

impl Scope {
    fn meets(&self, target: &Target<'_>) -> bool {
        let same = |mine: &Option<String>, theirs: Option<&str>| {
            mine.as_ref().is_none_or(|mine| theirs.is_some_and(|theirs| mine.eq_ignore_ascii_case(theirs)))
        };
        let when = match self.on {
            _ if self.face != Face::Vault => true,
            When::Any => true,
            When::Authorized => target.token == TokenSeen::Yes,
            When::Probe => target.token == TokenSeen::No,
        };
        let of_this_vault = self.face != Face::Vault || same(&self.vault, Some(target.vault));
        self.face == target.face && when && of_this_vault && same(&self.secret, target.secret)
    }
}

const SCOPE_FIELDS: [&str; 5] = ["face", "on", "vault", "secret", "times"];
