//! valet.yaml to a typed [`Config`], or to every problem at once. It never echoes the file's text and holds no room's defaults.
//! [`crate::app`] calls it at start-up and reload, [`crate::cli`] for `check`, `schema` and `init`.

mod address;
pub mod airflow;
mod check;
mod context;
mod credential;
mod files;
mod path;
mod place;
mod problem;
mod record;
mod reference;
mod sections;
mod shape;
mod suggest;
mod text;
mod units;

pub use files::{Files, MAX_BYTES, OsFiles};
pub use problem::{Problem, Problems, Severity};

use crate::{
    audit,
    azure::IdentityConfig,
    broker::{ConnectionConfig, RouteConfig},
    cache,
    env::Env,
    mint::{AccountConfig, GrantConfig},
    model::{
        SourceName,
        document::{self, Limits, Node},
    },
    source::{SourceConfig, SourceKind},
    transport::{self, ListenerConfig},
};
use context::Context;
use place::Place;
use shape::{OfKeys, Shape as _};
use std::{collections::HashMap, fs::File, io, path::Path};

/// Everything that valet.yaml says, parsed and consistent: every reference points to something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `listen`, or the default.
    pub listeners: Vec<ListenerConfig>,
    /// `identities`, and `default` where something uses it without its being declared.
    pub identities: Vec<IdentityConfig>,
    /// `sources`, in the order written.
    pub sources: Vec<SourceConfig>,
    /// `cache` of each source that has one.
    pub source_times: HashMap<SourceName, cache::Overrides>,
    /// `routes`; empty means every source in the order written, for every name.
    pub routes: Vec<RouteConfig>,
    /// `accounts`.
    pub accounts: Vec<AccountConfig>,
    /// `grants`.
    pub grants: Vec<GrantConfig>,
    /// `connections`.
    pub connections: Vec<ConnectionConfig>,
    /// `cache`.
    pub cache: cache::Config,
    /// `audit`.
    pub audit: audit::Config,
}

impl Default for Config {
    /// What holds without a file: the default listeners and a source `env` of Valet's own environment.
    fn default() -> Self {
        Self {
            listeners: transport::default_listeners(),
            identities: Vec::new(),
            sources: vec![SourceConfig { name: SourceName::new("env"), kind: SourceKind::Environment }],
            source_times: HashMap::new(),
            routes: Vec::new(),
            accounts: Vec::new(),
            grants: Vec::new(),
            connections: Vec::new(),
            cache: cache::Config::default(),
            audit: audit::Config::default(),
        }
    }
}

/// A configuration that can be used, and what is doubtful about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings only.
    pub warnings: Problems,
}

/// Reads a valet.yaml and the files it names (to check them), nothing else.
///
/// # Errors
/// Every problem there is, warnings included, if at least one is an error.
pub fn load(path: &Path, env: &dyn Env) -> Result<Loaded, Problems> {
    let max = Limits::default().bytes as u64;
    let content = File::open(path).and_then(|file| {
        // Opened already, so that a pipe can be read: `--config <(…)`.
        if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { files::read_bounded(file, max) }
    });
    match content {
        Ok(content) => parse(&content, path.parent().unwrap_or(Path::new("")), env, &OsFiles),
        Err(error) => {
            let hint = match error.kind() {
                io::ErrorKind::FileTooLarge => "a valet.yaml may have up to 1 MiB",
                _ => "`--config` or VALET_CONFIG says which file; `valet init` writes a first one",
            };
            Err(Problems::new(vec![Problem::new("", None, files::why(&error), hint)]))
        }
    }
}

/// Reads the content of a valet.yaml that lies in the directory `base`.
///
/// # Errors
/// As [`load`].
pub fn parse(content: &[u8], base: &Path, env: &dyn Env, files: &dyn Files) -> Result<Loaded, Problems> {
    let root = document::decode(content)
        .and_then(|text| Node::from_yaml(text, Limits::default()))
        .map_err(|syntax| Problems::new(vec![Problem::new("", Some(syntax.line), syntax.message, syntax.hint)]))?;
    let mut cx = Context::new(env, files, base);
    let config = if root.is_null() {
        // A file cut short while it is written must not turn every name into "not here".
        cx.note(Place::root().error("the file is empty", "`valet init` writes a first one"))
    } else {
        OfKeys(sections::root).read(&root, &Place::root(), &mut cx).map(|draft| check::check(draft, &mut cx))
    };
    let problems = Problems::new(cx.problems);
    match config {
        Some(config) if problems.errors() == 0 => Ok(Loaded { config, warnings: problems }),
        _ => Err(problems),
    }
}

/// A first valet.yaml: it works as it stands, and shows every key that there is.
pub const FIRST: &str = include_str!("first.yaml");

/// The JSON Schema (draft 2020-12) of valet.yaml. What spans keys, such as references to names, only [`parse`] checks.
pub fn schema() -> serde_json::Value {
    let mut schema = OfKeys(sections::root).schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "valet.yaml".into();
    schema["description"] = "The configuration of Valet, a connection broker for Apache Airflow on Azure.".into();
    schema
}
