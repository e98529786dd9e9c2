use super::Source;
use crate::{
    env::Env,
    model::{Fault, FaultKind, Found, Kind, Lookup, Name, SourceName, Urgency},
};
use async_trait::async_trait;
use std::sync::Arc;

/// `AIRFLOW_CONN_*` and `AIRFLOW_VAR_*` of Valet's own environment, named as Airflow's `EnvironmentVariablesBackend` names them
/// (`airflow/secrets/environment_variables.py`). Configuration options are not looked for: Airflow reads those variables itself.
#[derive(Debug)]
pub struct EnvironmentSource {
    name: SourceName,
    env: Arc<dyn Env>,
}

impl EnvironmentSource {
    /// The source called `name` in valet.yaml, over this environment.
    pub fn new(name: SourceName, env: Arc<dyn Env>) -> Self {
        Self { name, env }
    }

    fn var(&self, variable: &str) -> Result<Option<Found>, Fault> {
        let value = self.env.var(variable).map_err(|error| Fault::new(FaultKind::MalformedValue, error.to_string()))?;
        Ok(value.map(Found::plain))
    }
}

#[async_trait]
impl Source for EnvironmentSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "environment"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn location(&self, lookup: &Lookup) -> String {
        match variables(lookup) {
            Some((_, global)) => format!("environment variable {global}"),
            None => lookup.to_string(),
        }
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        let Some((of_team, global)) = variables(lookup) else { return Ok(None) };
        if let Some(variable) = of_team
            && let Some(found) = self.var(&variable)?
            // Airflow takes a team's variable that is set to nothing for one that is not set.
            && !found.value.is_empty()
        {
            return Ok(Some(found));
        }
        self.var(&global)
    }

    /// A variable by its whole name.
    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        if name.as_str().contains('=') {
            return Ok(None);
        }
        self.var(name.as_str())
    }
}

/// The variable of the lookup's team, if it has one, and the variable for all; `None` for a kind that the environment does not hold.
fn variables(lookup: &Lookup) -> Option<(Option<String>, String)> {
    let prefix = match lookup.kind {
        Kind::Connection => "AIRFLOW_CONN_",
        Kind::Variable => "AIRFLOW_VAR_",
        Kind::Config => return None,
    };
    let name = lookup.name.as_str().to_uppercase();
    let of_team = lookup.team.as_ref().map(|team| format!("{prefix}_{}___{name}", team.as_str().to_uppercase()));
    Some((of_team, format!("{prefix}{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;
    use futures::FutureExt as _;

    fn read(kind: Kind, name: &str, team: &str) -> Option<String> {
        let env = MapEnv::new([
            ("AIRFLOW_CONN_PG", "postgres://h"),
            ("AIRFLOW_CONN__RED___PG", "postgres://red"),
            ("AIRFLOW_CONN__BLUE___PG", ""),
            ("AIRFLOW_VAR_EMPTY", ""),
            ("AIRFLOW_CONFIG_X", "x"),
        ]);
        let source = EnvironmentSource::new(SourceName::new("env"), Arc::new(env));
        let lookup = Lookup::parse(kind, name, team).unwrap();
        let found = source.read(&lookup, Urgency::Awaited).now_or_never().unwrap().unwrap();
        found.map(|found| found.value.expose().to_owned())
    }

    #[test]
    fn names_are_those_of_airflows_own_backend() {
        assert_eq!(read(Kind::Connection, "pg", "").as_deref(), Some("postgres://h"));
        assert_eq!(read(Kind::Connection, "Pg", "red").as_deref(), Some("postgres://red"));
        assert_eq!(
            read(Kind::Connection, "pg", "blue").as_deref(),
            Some("postgres://h"),
            "an empty variable of a team is none"
        );
        assert_eq!(read(Kind::Connection, "pg", "green").as_deref(), Some("postgres://h"));
        assert_eq!(read(Kind::Variable, "empty", "").as_deref(), Some(""), "an empty variable is a value");
        assert_eq!(read(Kind::Variable, "pg", ""), None);
        assert_eq!(read(Kind::Config, "x", ""), None);
        assert_eq!(read(Kind::Connection, "a=b", ""), None);
    }
}
