use super::{files::Files, place::Place, problem::Problem};
use crate::env::Env;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
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
    /// Every socket path, and where it is written.
    pub(super) sockets: HashMap<PathBuf, String>,
}

/// What can be declared under a name and mentioned elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    Listener,
    Identity,
    Source,
}

impl Names {
    /// For messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Identity => "identity",
            Self::Source => "source",
        }
    }

    /// With its article.
    pub(super) fn a_noun(self) -> &'static str {
        match self {
            Self::Listener => "a listener",
            Self::Identity => "an identity",
            Self::Source => "a source",
        }
    }
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
            sockets: HashMap::new(),
        }
    }

    /// Notes a problem; `None`, so that a reader can end with it.
    pub(super) fn note<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
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
