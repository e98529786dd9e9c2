use crate::model::Right;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// One entry of `listen` in valet.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// Where it listens.
    pub unix: UnixConfig,
    /// What it allows.
    pub allow: BTreeSet<Right>,
}

/// A Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixConfig {
    /// Its path: absolute, or relative to the directory of valet.yaml (resolved when it is read); at most 107 bytes (unix(7)).
    pub path: PathBuf,
    /// Its permission bits, e.g. `0o660`.
    pub mode: u32,
    /// Its group, by name or number; `None` leaves the process's own.
    pub group: Option<String>,
}

impl UnixConfig {
    /// The longest path, in bytes: unix(7) has 108, the last of which is NUL.
    pub const MAX_PATH_BYTES: usize = 107;
}

/// The listeners of a valet.yaml that has no `listen`.
pub fn default_listeners() -> Vec<ListenerConfig> {
    let unix = |path: &str, mode| UnixConfig { path: path.into(), mode, group: None };
    vec![
        ListenerConfig {
            name: "tasks".into(),
            unix: unix("/run/valet/valet.sock", 0o660),
            allow: BTreeSet::from([Right::Connections, Right::Variables]),
        },
        ListenerConfig {
            name: "admin".into(),
            unix: unix("/run/valet/admin.sock", 0o600),
            allow: BTreeSet::from([Right::Admin]),
        },
    ]
}
