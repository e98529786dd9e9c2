use super::{
    ScopeConfig, StorageService,
    target::{Level, Target},
};
use crate::sign::Request;
use std::fmt;

/// What a grant opens: a container, share, queue or table, or a part of it.
#[derive(Debug, Clone)]
pub(super) struct Area {
    kind: &'static str,
    container: String,
    /// The names of tables have no case; all others are in lower case.
    caseless: bool,
    within: Within,
}

#[derive(Debug, Clone)]
enum Within {
    All,
    /// A directory and all below it; without slashes around it.
    Directory(String),
    /// One blob or file, and nothing below it.
    One(String),
}

/// What an operation touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What the path names.
    Own,
    /// What the path names, and all below it.
    Below,
    /// What is in the container below the value of this query parameter.
    Listing(&'static str),
}

impl Area {
    pub(super) fn of(service: StorageService, scope: &ScopeConfig) -> Self {
        let (kind, container) = match service {
            StorageService::Blob => ("container", &scope.container),
            StorageService::Dfs => ("file system", &scope.container),
            StorageService::File => ("share", &scope.share),
            StorageService::Queue => ("queue", &scope.queue),
            StorageService::Table => ("table", &scope.table),
        };
        // The signer reads the names of a SAS in the same way: a backslash is a slash, slashes around directories and files say nothing.
        let plain = |path: &str| path.replace('\\', "/");
        let within = match (&scope.blob, &scope.path, &scope.directory) {
            (Some(blob), ..) => Within::One(plain(blob)),
            (_, Some(path), _) => Within::One(plain(path).trim_matches('/').to_owned()),
            (_, _, Some(directory)) => match plain(directory).trim_matches('/') {
                "" => Within::All,
                directory => Within::Directory(directory.to_owned()),
            },
            (None, None, None) => Within::All,
        };
        let caseless = service == StorageService::Table;
        Self { kind, container: container.clone().unwrap_or_default(), caseless, within }
    }

    /// Whether that is in its container.
    pub(super) fn has_container(&self, target: &Target) -> bool {
        self.container == target.container || (self.caseless && self.container.eq_ignore_ascii_case(&target.container))
    }

    /// Whether an operation on what is in its container stays inside.
    pub(super) fn holds(&self, target: &Target, reach: Reach, request: &Request) -> bool {
        let of_container = target.level == Level::Container;
        match (&self.within, reach) {
            (Within::All, _) => true,
            (Within::Directory(directory), Reach::Own | Reach::Below) => {
                !of_container && is_below(&target.object, directory)
            }
            (Within::Directory(directory), Reach::Listing(parameter)) => {
                let prefix = request.query().iter().find(|(name, _)| name == parameter).map(|(_, value)| value);
                prefix.is_some_and(|prefix| confines(prefix, directory, parameter))
            }
            // Whether a SAS for a blob opens its snapshots and versions too is written nowhere.
            (Within::One(path), Reach::Own) => {
                let other_time = |(name, _): &(String, String)| matches!(name.as_str(), "snapshot" | "versionid");
                !of_container && target.object == *path && !request.query().iter().any(other_time)
            }
            (Within::One(_), Reach::Below | Reach::Listing(_)) => false,
        }
    }
}

/// Whether a path is the directory or below it.
fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a listing shows nothing but what is in the directory. A comma would let the parameter be sent as two with the same signature, and a
/// backslash or dots be read as another path.
fn confines(prefix: &str, directory: &str, parameter: &str) -> bool {
    let plain = !prefix.contains([',', '\\'])
        && prefix.split('/').all(|segment| !segment.contains('.') || !segment.trim_matches(['.', ' ']).is_empty());
    // A prefix of names is text: `raw` is also one of `rawer/x`. A directory is a path.
    let inside = is_below(prefix, directory) && (parameter != "prefix" || prefix.len() > directory.len());
    plain && inside
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, container, within, .. } = self;
        match within {
            Within::All => write!(f, "{kind} {container}"),
            Within::Directory(directory) => write!(f, "directory {directory:?} of {kind} {container}"),
            Within::One(path) => write!(f, "{path:?} in {kind} {container}"),
        }
    }
}
