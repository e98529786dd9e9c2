//! Airflow's names as names of secrets, letter for letter as `AzureKeyVaultBackend` (apache-airflow-providers-microsoft-azure 15.2.1,
//! `secrets/key_vault.py`) builds them, so that nothing in a vault has to change.

use super::NamesConfig;
use crate::{
    azure::SecretName,
    model::{Kind, Lookup},
};

/// What separates a team from the name in that team's secrets.
const TEAM_SEPARATOR: &str = "--";

/// How names are built.
#[derive(Debug)]
pub(super) struct Names(NamesConfig);

impl Names {
    pub(super) fn new(config: &NamesConfig) -> Self {
        // The provider strips once, when it is built: `str.rstrip`, which takes its argument for a set of characters.
        let strip = |prefix: &Option<String>| {
            Some(prefix.as_deref()?.trim_end_matches(|c| config.separator.contains(c)).to_owned())
        };
        Self(NamesConfig {
            connections: strip(&config.connections),
            variables: strip(&config.variables),
            config: strip(&config.config),
            ..config.clone()
        })
    }

    /// The secrets to ask for, in this order; none where the kind is off or no vault can hold such a name.
    pub(super) fn of(&self, lookup: &Lookup) -> Vec<SecretName> {
        let (prefix, team) = match lookup.kind {
            Kind::Connection => (&self.0.connections, lookup.team.as_ref()),
            Kind::Variable => (&self.0.variables, lookup.team.as_ref()),
            // Configuration belongs to no team.
            Kind::Config => (&self.0.config, None),
        };
        let (Some(prefix), id) = (prefix, lookup.name.as_str()) else {
            return Vec::new();
        };
        // Such an id could name another team's secret, and nothing in it tells; so in multi-team mode nobody gets it.
        if self.0.multi_team && self.normalised(id).contains(TEAM_SEPARATOR) {
            return Vec::new();
        }
        let of_team = team.map(|team| format!("{}{TEAM_SEPARATOR}{id}", team.as_str()));
        let names = of_team.iter().map(String::as_str).chain([id]);
        names.filter_map(|id| SecretName::parse(self.built(prefix, id))).collect()
    }

    /// `build_path`: the separator replaces `_` in the whole name, the prefix included.
    fn built(&self, prefix: &str, id: &str) -> String {
        if prefix.is_empty() {
            self.normalised(id)
        } else {
            self.normalised(&format!("{prefix}{}{id}", self.0.separator))
        }
    }

    fn normalised(&self, text: &str) -> String {
        text.replace('_', &self.0.separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Written by `tests/azure/names.py`, which asks the provider itself.
    const ASKED_BY_THE_PROVIDER: &str = include_str!("../../tests/azure/names.json");

    #[derive(Debug, Deserialize)]
    struct Case {
        prefix: Option<String>,
        sep: String,
        kind: String,
        id: String,
        team: Option<String>,
        multi_team: bool,
        asked: Vec<String>,
    }

    #[test]
    fn the_secrets_asked_for_are_those_that_the_provider_asks_for() {
        let cases: Vec<Case> = serde_json::from_str(ASKED_BY_THE_PROVIDER).unwrap();
        assert!(cases.len() > 400);
        for case in cases {
            let off = NamesConfig {
                connections: None,
                variables: None,
                config: None,
                separator: case.sep.clone(),
                multi_team: case.multi_team,
            };
            let prefix = case.prefix.clone();
            let (kind, config) = match case.kind.as_str() {
                "connections" => (Kind::Connection, NamesConfig { connections: prefix, ..off }),
                "variables" => (Kind::Variable, NamesConfig { variables: prefix, ..off }),
                _ => (Kind::Config, NamesConfig { config: prefix, ..off }),
            };
            let lookup = Lookup::parse(kind, &case.id, case.team.as_deref().unwrap_or_default()).unwrap();
            let names = Names::new(&config).of(&lookup);
            assert_eq!(names.iter().map(SecretName::as_str).collect::<Vec<_>>(), case.asked, "{case:?}");
        }
    }

    #[test]
    fn the_defaults_are_the_providers() {
        let cases: Vec<Case> = serde_json::from_str(ASKED_BY_THE_PROVIDER).unwrap();
        let default = NamesConfig::default();
        for (kind, prefix) in
            [("connections", default.connections), ("variables", default.variables), ("config", default.config)]
        {
            // The first case of each kind is one of a provider that was given nothing.
            let case = cases.iter().find(|case| case.kind == kind).unwrap();
            assert_eq!((&case.prefix, &case.sep), (&prefix, &default.separator));
        }
    }
}
