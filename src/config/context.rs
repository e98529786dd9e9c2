use super::{
    files::Files,
    place::{Place, Placed},
    problem::Problem,
};
use crate::{
    env::Env,
    model::{Name, SourceName},
};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is at hand, and what is gathered, while a file is read.
pub(super) struct Context<'c> {
    pub(super) env: &'c dyn Env,
    pub(super) files: &'c dyn Files,
    /// Where relative paths start: the directory of valet.yaml.
    pub(super) base: &'c Path,
    pub(super) problems: Vec<Problem>,
    /// Every declared name, whether or not what it names is right.
    pub(super) declared: BTreeMap<Names, BTreeSet<String>>,
    /// Every use of such a name.
    pub(super) mentions: Vec<Mention>,
    /// Every `{secret: SOURCE/NAME}`.
    pub(super) secrets: Vec<Placed<(SourceName, Name)>>,
    /// Every `{grant: NAME}`.
    pub(super) tokens: Vec<Placed<Arc<str>>>,
    /// Every socket path, and where it is written.
    pub(super) sockets: HashMap<PathBuf, String>,
}

/// What can be declared under a name and mentioned elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    Listener,
    Identity,
    Source,
    Account,
    Grant,
    Connection,
}

impl Names {
    /// For messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Identity => "identity",
            Self::Source => "source",
            Self::Account => "account",
            Self::Grant => "grant",
            Self::Connection => "connection",
        }
    }

    /// With its article.
    pub(super) fn a_noun(self) -> &'static str {
        match self {
            Self::Listener => "a listener",
            Self::Identity => "an identity",
            Self::Source => "a source",
            Self::Account => "an account",
            Self::Grant => "a grant",
            Self::Connection => "a connection",
        }
    }
}

impl Names {
    /// Whether a name of this sort may be so. Connections have the ids that Airflow asks for, everything else what can stand in a message.
    pub(super) fn allow(self, name: &str) -> bool {
        if self == Self::Connection { Name::parse(name).is_ok() } else { is_plain(name) }
    }

    /// What a name has to be: for people, and as a schema.
    pub(super) fn rule(self) -> (&'static str, Json) {
        match self {
            Self::Connection => (
                "an id is 1 to 1024 bytes without control characters",
                json!({"minLength": 1, "maxLength": Name::MAX_BYTES, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}),
            ),
            _ => ("a name is 1 to 64 letters, digits, `_` and `-`", json!({"pattern": "^[A-Za-z0-9_-]{1,64}$"})),
        }
    }
}

/// Whether a text has the form of a name, and so may be shown where it names something.
pub(super) fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The use of a name that has to be declared.
pub(super) struct Mention {
    pub(super) what: Names,
    pub(super) name: String,
    pub(super) place: Place,
}

impl<'c> Context<'c> {
    pub(super) fn new(env: &'c dyn Env, files: &'c dyn Files, base: &'c Path) -> Self {
        Self {
            env,
            files,
            base,
            problems: Vec::new(),
            declared: BTreeMap::new(),
            mentions: Vec::new(),
            secrets: Vec::new(),
            tokens: Vec::new(),
            sockets: HashMap::new(),
        }
    }

    /// Notes a problem; `None`, so that a reader can end with it.
    pub(super) fn note<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    /// Notes the use of a name that has to be declared.
    pub(super) fn mention(&mut self, what: Names, name: &str, place: &Place) {
        self.mentions.push(Mention { what, name: name.to_owned(), place: place.clone() });
    }

    /// Whether anything uses a name of this sort.
    pub(super) fn mentions_name(&self, what: Names, name: &str) -> bool {
        self.mentions.iter().any(|mention| mention.what == what && mention.name == name)
    }

    /// Whether a name of this sort is declared.
    pub(super) fn declares(&self, what: Names, name: &str) -> bool {
        self.declared.get(&what).is_some_and(|names| names.contains(name))
    }

    /// The names declared of one sort, in order.
    pub(super) fn names(&self, what: Names) -> impl Iterator<Item = &str> + Clone {
        self.declared.get(&what).into_iter().flatten().map(String::as_str)
    }
}
