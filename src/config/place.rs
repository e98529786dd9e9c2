use super::problem::Problem;
use crate::model::document::{Node, Value};
use std::borrow::Cow;

/// Where in the file something is written: its path and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    path: String,
    line: usize,
}

impl Place {
    pub(super) fn root() -> Self {
        Self { path: String::new(), line: 1 }
    }

    /// The place of a key's value. A scalar's mistakes are on its own line, those of a list or mapping on the key's.
    pub(super) fn key(&self, key: &str, line: usize, value: &Node) -> Self {
        let line = if matches!(value.value, Value::Scalar(_)) { value.line } else { line };
        Self { line, ..self.named(key, line) }
    }

    /// The place of a key itself.
    pub(super) fn named(&self, key: &str, line: usize) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { path, line }
    }

    /// The place of a list's item.
    pub(super) fn item(&self, index: usize, item: &Node) -> Self {
        Self { path: format!("{}[{index}]", self.path), line: item.line }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// An error here.
    pub(super) fn error(&self, message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(self.path.clone(), Some(self.line), message, hint)
    }

    /// A warning here.
    pub(super) fn warning(&self, message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Problem {
        self.error(message, hint).warning()
    }
}

/// Where the keys of a mapping are written.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    whole: Place,
    keys: Vec<(String, Place)>,
}

impl Keys {
    pub(super) fn new(whole: Place, keys: impl IntoIterator<Item = (String, Place)>) -> Self {
        Self { whole, keys: keys.into_iter().collect() }
    }

    /// The place of the mapping.
    pub(super) fn whole(&self) -> &Place {
        &self.whole
    }

    /// The place of a key's value, if the mapping has the key.
    pub(super) fn written(&self, key: &str) -> Option<&Place> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, place)| place)
    }

    /// The place of a key's value; where the mapping does not have the key, the place where it would be.
    pub(super) fn of(&self, key: &str) -> Place {
        self.written(key).cloned().unwrap_or_else(|| self.whole.named(key, self.whole.line))
    }
}

/// Something read, and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) place: Place,
    pub(super) value: T,
}
