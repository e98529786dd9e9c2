//! The only reader of the process environment. Rooms that need a variable are handed an [`Env`] by [`crate::app`]; a test hands them a map.
//! This file gives no variable a meaning or a default.

use std::{collections::BTreeMap, ffi::OsString, fmt::Debug};

/// Where environment variables come from. Implementers must not log values: they are secrets as often as not.
pub trait Env: Debug + Send + Sync {
    /// The variable's value, or `None` where it is not set. A value that is not UTF-8 is [`NotUtf8`], never `None`.
    fn var(&self, name: &str) -> Result<Option<String>, NotUtf8>;
}

/// The variable is set, to something that is no UTF-8 text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name} is not UTF-8 text")]
pub struct NotUtf8 {
    /// The variable's name.
    pub name: String,
}

/// The environment of this process.
#[derive(Debug, Default)]
pub struct OsEnv;

impl Env for OsEnv {
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    fn var(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        std::env::var_os(name).map(OsString::into_string).transpose().map_err(|_| NotUtf8 { name: name.to_owned() })
    }
}

/// A fixed environment, for tests and for embedding.
#[derive(Clone, Default)]
pub struct MapEnv(BTreeMap<String, String>);

impl MapEnv {
    /// An environment of these variables.
    pub fn new<K: Into<String>, V: Into<String>>(vars: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Debug for MapEnv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Env for MapEnv {
    fn var(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        Ok(self.0.get(name).cloned())
    }
}
