use super::file::{self, BadFile};
use crate::{
    azure::{BudgetConfig, ClientCertificate, NetworkConfig},
    model::{Kind, SourceName},
};
use globset::{GlobBuilder, GlobSet};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use url::{Position, Url};

/// One entry of `sources` in valet.yaml.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceConfig {
    /// Its name in valet.yaml.
    pub name: SourceName,
    /// What it is.
    pub kind: SourceKind,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// `AIRFLOW_CONN_*` and `AIRFLOW_VAR_*` of Valet's own environment.
    Environment,
    /// Files in the formats of Airflow's `LocalFilesystemBackend`.
    File(FileConfig),
    /// An Azure Key Vault.
    KeyVault(KeyVaultConfig),
    /// Another Valet.
    Upstream(UpstreamConfig),
}

/// The files of a `file` source; each is JSON, YAML or .env by its ending.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileConfig {
    /// The file of connections, if there is one.
    pub connections: Option<PathBuf>,
    /// The file of variables, if there is one.
    pub variables: Option<PathBuf>,
}

impl FileConfig {
    /// Reads and parses one file of this kind of value, for `valet check`: what keeps it, or the first of its entries, from being served, in
    /// words that hold none of its text.
    pub fn problem_with(path: &Path, kind: Kind) -> Option<String> {
        match file::check(path, kind) {
            Ok(()) => None,
            Err(BadFile::Malformed { line, message }) => Some(format!("line {line} of this file: {message}")),
            Err(bad) => Some(format!("the file {bad}")),
        }
    }
}

/// A `key-vault` source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyVaultConfig {
    /// The vault's URL, e.g. `https://acme-prod.vault.azure.net`.
    pub url: Url,
    /// The identity's name in valet.yaml.
    pub identity: Arc<str>,
    /// How Airflow's names become secret names.
    pub names: NamesConfig,
    /// How the vault is reached.
    pub network: NetworkConfig,
    /// How often the vault may be asked, by all sources that name it together.
    pub budget: BudgetConfig,
    /// How its list of secrets stands in for reading each of them again; `None` is not at all.
    pub list: Option<ListConfig>,
}

/// `list` of a `key-vault` source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListConfig {
    /// Whether it is always listed.
    pub when: ListWhen,
    /// How often; `None` is as often as it takes, by the times of the source.
    pub every: Option<Duration>,
    /// The most pages of 25 secrets in one list; a vault that has more is not listed.
    pub max_pages: u32,
    /// Globs over names of secrets, whatever their case: those that are read at start.
    pub prefetch: Vec<String>,
}

/// When a vault is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListWhen {
    /// Always.
    Always,
    /// While it costs fewer requests than reading again what is held.
    Worthwhile,
}

impl Default for ListConfig {
    /// What holds where valet.yaml has no `list`.
    fn default() -> Self {
        Self { when: ListWhen::Worthwhile, every: None, max_pages: 200, prefetch: Vec::new() }
    }
}

impl ListConfig {
    /// Patterns as `prefetch` has them; `None` where one is no glob.
    pub fn globs(patterns: &[String]) -> Option<GlobSet> {
        let glob = |pattern: &String| GlobBuilder::new(pattern).case_insensitive(true).build().ok();
        let mut globs = GlobSet::builder();
        for pattern in patterns {
            globs.add(glob(pattern)?);
        }
        globs.build().ok()
    }
}

/// An `upstream` source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamConfig {
    /// Where the other Valet listens.
    pub target: Target,
    /// How it is reached; nothing of it is for a Unix socket.
    pub network: NetworkConfig,
    /// By what this Valet proves over TLS who it is.
    pub client: Option<ClientCertificate>,
    /// The file of a token that goes along with each call as `authorization: Bearer …`.
    pub token_file: Option<PathBuf>,
}

/// Where another Valet listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A Unix socket.
    Unix(PathBuf),
    /// TLS; a URL of a host, and a port where that is not 443.
    Https(Url),
}

impl fmt::Display for Target {
    /// As valet.yaml spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Https(url) => f.write_str(&url[..Position::AfterPort]),
        }
    }
}

/// How Airflow's names become secret names, as `AzureKeyVaultBackend` builds them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamesConfig {
    /// Prefix of connections; `None` turns the kind off, `""` is no prefix and no separator.
    pub connections: Option<String>,
    /// Prefix of variables, likewise.
    pub variables: Option<String>,
    /// Prefix of configuration options, likewise.
    pub config: Option<String>,
    /// What stands between prefix and name, and replaces every `_`.
    pub separator: String,
    /// Whether Airflow runs in multi-team mode (`[core] multi_team`): then names with `--` in them, after that replacement, are nobody's,
    /// because they could be those of another team.
    pub multi_team: bool,
}

impl Default for NamesConfig {
    /// The defaults of Airflow's `AzureKeyVaultBackend`.
    fn default() -> Self {
        Self {
            connections: Some("airflow-connections".to_owned()),
            variables: Some("airflow-variables".to_owned()),
            config: Some("airflow-config".to_owned()),
            separator: "-".to_owned(),
            multi_team: false,
        }
    }
}
