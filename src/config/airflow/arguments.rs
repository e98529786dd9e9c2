use super::NoConversion;
use crate::source::NamesConfig;
use serde_json::{Map, Value as Json};

/// The arguments of `AzureKeyVaultBackend` (provider 15.2.1) that matter. Its secret is not among them, only whether there is one.
pub(super) struct Arguments {
    pub(super) vault_url: String,
    pub(super) names: NamesConfig,
    pub(super) credential: Credential,
    /// What Valet has no use for.
    pub(super) ignored: Vec<String>,
}

/// How the backend proves itself to Entra.
pub(super) enum Credential {
    /// With `ClientSecretCredential`, which takes all three.
    Secret { tenant_id: String, client_id: String },
    /// With `DefaultAzureCredential`, told of a user-assigned identity: by workload identity where there is a token, else by managed identity.
    UserAssigned { tenant_id: String, client_id: String },
    /// With `DefaultAzureCredential` alone.
    Default,
}

/// Every argument by name.
pub(super) const KNOWN: [&str; 10] = [
    "connections_prefix",
    "variables_prefix",
    "config_prefix",
    "vault_url",
    "sep",
    "tenant_id",
    "client_id",
    "client_secret",
    "managed_identity_client_id",
    "workload_identity_tenant_id",
];

impl Arguments {
    pub(super) fn read(given: &Map<String, Json>, multi_team: bool) -> Result<Self, NoConversion> {
        let default = NamesConfig::default();
        let separator = text(given, "sep")?.unwrap_or(default.separator);
        let prefix = |key, default| match given.get(key) {
            Some(Json::Null) => Ok(None),
            Some(_) => text(given, key).map(|prefix| prefix.map(|prefix| strip(&prefix, &separator).to_owned())),
            None => Ok(default),
        };
        let names = NamesConfig {
            connections: prefix("connections_prefix", default.connections)?,
            variables: prefix("variables_prefix", default.variables)?,
            config: prefix("config_prefix", default.config)?,
            separator: separator.clone(),
            multi_team,
        };
        let (credential, unused) = Credential::read(given)?;
        let others = given.keys().filter(|key| !KNOWN.contains(&key.as_str())).cloned();
        Ok(Self {
            vault_url: text(given, "vault_url")?.unwrap_or_default(),
            names,
            credential,
            ignored: unused.into_iter().map(str::to_owned).chain(others).collect(),
        })
    }
}

impl Credential {
    /// The credential, and the arguments that the backend leaves unused because others are missing.
    fn read(given: &Map<String, Json>) -> Result<(Self, Vec<&'static str>), NoConversion> {
        let mut unused = Vec::new();
        let mut all = |keys: &[&'static str]| {
            let values = keys.iter().map(|key| Ok(text(given, key)?.filter(|value| !value.is_empty())));
            let values = values.collect::<Result<Vec<Option<String>>, NoConversion>>()?;
            let complete = values.iter().all(Option::is_some);
            if !complete {
                unused.extend(keys.iter().zip(&values).filter_map(|(key, value)| value.as_ref().map(|_| *key)));
            }
            Ok(complete.then(|| values.into_iter().flatten().collect::<Vec<_>>()))
        };
        let secret = all(&["tenant_id", "client_id", "client_secret"])?;
        let user_assigned = all(&["workload_identity_tenant_id", "managed_identity_client_id"])?;
        let credential = match (secret.as_deref(), user_assigned.as_deref()) {
            (Some([tenant_id, client_id, _]), _) => {
                Self::Secret { tenant_id: tenant_id.clone(), client_id: client_id.clone() }
            }
            (_, Some([tenant_id, client_id])) => {
                Self::UserAssigned { tenant_id: tenant_id.clone(), client_id: client_id.clone() }
            }
            _ => Self::Default,
        };
        Ok((credential, unused))
    }
}

/// An argument's text; null is none, as it is to the backend.
fn text(given: &Map<String, Json>, key: &str) -> Result<Option<String>, NoConversion> {
    match given.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            let known = KNOWN.into_iter().find(|known| *known == key);
            Err(NoConversion::NotText(known.expect("only known arguments are asked for")))
        }
    }
}

/// Python's `rstrip`, as the backend does to its prefixes: any of the separator's characters, as often as they come.
fn strip<'p>(prefix: &'p str, separator: &str) -> &'p str {
    prefix.trim_end_matches(|c| separator.contains(c))
}
