//! Who may do what in a vault, and from where. Rights are grants to an application id, as wide as a vault or as narrow as one
//! secret; nothing here reads a request.

use serde::{Deserialize, Serialize};

/// What a caller may do with secrets. Reading a list (names, attributes, tags) is a right of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Read a value.
    Get,
    /// List names and versions.
    List,
    /// Set and update.
    Set,
    /// Delete, recover and purge.
    Delete,
}

impl Action {
    /// Every action there is.
    pub const ALL: [Self; 4] = [Self::Get, Self::List, Self::Set, Self::Delete];

    /// The name of the data action in an RBAC refusal.
    pub(crate) fn data_action(self) -> &'static str {
        match self {
            Self::Get => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Self::List => "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            Self::Set => "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            Self::Delete => "Microsoft.KeyVault/vaults/secrets/delete",
        }
    }

    /// The name of the permission in an access policy's refusal.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Set => "set",
            Self::Delete => "delete",
        }
    }
}

/// Rights of one application; what is left out is not narrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The application's client id.
    pub appid: String,
    /// One vault only.
    #[serde(default)]
    pub vault: Option<String>,
    /// One secret only.
    #[serde(default)]
    pub secret: Option<String>,
    /// What it may do; everything where it is not said.
    #[serde(default = "all_actions")]
    pub actions: Vec<Action>,
}

impl Grant {
    /// Every right on every vault.
    pub fn all(appid: impl Into<String>) -> Self {
        Self { appid: appid.into(), vault: None, secret: None, actions: all_actions() }
    }

    /// Whether this allows the action; a list has no secret, so that a grant of one secret never allows it.
    pub(crate) fn allows(&self, appid: &str, vault: &str, secret: Option<&str>, action: Action) -> bool {
        let same = |mine: &Option<String>, asked: Option<&str>| {
            mine.as_ref().is_none_or(|mine| asked.is_some_and(|asked| mine.eq_ignore_ascii_case(asked)))
        };
        self.appid.eq_ignore_ascii_case(appid)
            && same(&self.vault, Some(vault))
            && same(&self.secret, secret)
            && self.actions.contains(&action)
    }

    /// Takes from this grant what a revocation names; `false` when nothing is left of it.
    pub(crate) fn keep_after(&mut self, revoked: &Self) -> bool {
        let covers = |revoked: &Option<String>, mine: &Option<String>| revoked.is_none() || revoked == mine;
        if revoked.appid.eq_ignore_ascii_case(&self.appid)
            && covers(&revoked.vault, &self.vault)
            && covers(&revoked.secret, &self.secret)
        {
            self.actions.retain(|action| !revoked.actions.contains(action));
        }
        !self.actions.is_empty()
    }
}

fn all_actions() -> Vec<Action> {
    Action::ALL.to_vec()
}

/// How a vault decides about rights; only the text of the refusal differs here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    /// Roles: refusals are `ForbiddenByRbac`.
    #[default]
    Rbac,
    /// Access policies: refusals are `AccessDenied`.
    Policy,
}

/// From where a vault answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// From everywhere.
    #[default]
    Open,
    /// Not from the caller's address: `ForbiddenByFirewall`.
    Firewall,
    /// Through a private endpoint only: `ForbiddenByConnection`.
    Private,
}

#[cfg(test)]
mod tests {
    use super::{Action, Grant};

    fn of_secret(secret: &str, actions: &[Action]) -> Grant {
        Grant { secret: Some(secret.to_owned()), actions: actions.to_vec(), ..Grant::all("app") }
    }

    #[test]
    fn a_grant_allows_what_it_names_to_whom_it_names() {
        let grant = of_secret("db", &[Action::Get]);
        assert!(grant.allows("APP", "default", Some("DB"), Action::Get));
        assert!(!grant.allows("other", "default", Some("db"), Action::Get));
        assert!(!grant.allows("app", "default", Some("other"), Action::Get));
        assert!(!grant.allows("app", "default", Some("db"), Action::Set));
        assert!(!grant.allows("app", "default", None, Action::Get));
        assert!(Grant::all("app").allows("app", "any", None, Action::List));
    }

    #[test]
    fn a_revocation_takes_from_grants_as_narrow_as_itself_and_leaves_wider_ones() {
        let mut everything = Grant::all("app");
        assert!(everything.keep_after(&of_secret("db", &Action::ALL)));
        assert_eq!(everything, Grant::all("app"));
        let mut one = of_secret("db", &[Action::Get, Action::List]);
        assert!(one.keep_after(&Grant { actions: vec![Action::Get], ..Grant::all("app") }));
        assert_eq!(one.actions, [Action::List]);
        assert!(one.keep_after(&Grant::all("other")));
        assert!(!one.keep_after(&Grant::all("app")));
    }
}
