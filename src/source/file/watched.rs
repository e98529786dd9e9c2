use super::entries::{self, Entries};
use crate::model::{Fault, FaultKind, Found, Kind, Secret, document};
use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// A file that is read again when it has changed.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    kind: Kind,
    newest: Mutex<Option<(Stamp, Parsed)>>,
}

type Parsed = Arc<Result<Entries, BadFile>>;

/// Why a file cannot be used. It holds none of the file's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Its text is not what its ending says, or holds no mapping of names.
    #[error("line {line}: {message}")]
    Malformed {
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It is larger than it may be.
    #[error("is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Its ending names no format.
    #[error("must end in .json, .yaml, .yml or .env")]
    UnknownFormat,
}

/// The largest file.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// What changes when a file does: a write moves the times, a swapped symbolic link (a Kubernetes mount) the inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Reads and parses a file of connections or variables once, for `valet check`.
///
/// # Errors
/// [`BadFile`], also for the first entry that could not be served.
pub fn check(path: &Path, kind: Kind) -> Result<(), BadFile> {
    read(path, kind)?.1.check()
}

impl Watched {
    pub(super) fn new(path: PathBuf, kind: Kind) -> Self {
        Self { path, kind, newest: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn entry(&self, name: &str) -> Result<Option<Found>, Fault> {
        let at = |kind, problem: &dyn std::fmt::Display| Fault::new(kind, format!("{} {problem}", self.path.display()));
        match &*self.parsed() {
            Ok(entries) => match entries.get(name) {
                None => Ok(None),
                Some(Ok(value)) => Ok(Some(Found::of(Secret::clone(value)))),
                Some(Err(bad)) => Err(at(FaultKind::MalformedValue, bad)),
            },
            Err(bad) => Err(at(FaultKind::SourceDown, bad)),
        }
    }

    /// The file as it is now. It is local and small, so that reading it is no reason to leave the thread.
    fn parsed(&self) -> Parsed {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = std::fs::metadata(&self.path).map(|metadata| Stamp::of(&metadata));
        if let (Ok(stamp), Some((known, parsed))) = (&stamp, &*newest)
            && stamp == known
        {
            return Arc::clone(parsed);
        }
        match read(&self.path, self.kind) {
            Ok((stamp, entries)) => {
                let parsed = Arc::new(Ok(entries));
                *newest = Some((stamp, Arc::clone(&parsed)));
                parsed
            }
            // Not kept: the next lookup tries again.
            Err(bad) => Arc::new(Err(bad)),
        }
    }
}

fn read(path: &Path, kind: Kind) -> Result<(Stamp, Entries), BadFile> {
    let unreadable = |error: io::Error| BadFile::Unreadable(error.to_string());
    // Asked before opening: to open a pipe without a writer waits for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(BadFile::Unreadable("it is no regular file".to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    // The stamp of what is read, not of what the path names a moment later.
    let metadata = file.metadata().map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(BadFile::TooLarge);
    }
    let text = document::decode(&bytes).map_err(BadFile::from)?;
    Ok((Stamp::of(&metadata), entries::parse(path, text, kind)?))
}

impl From<document::SyntaxProblem> for BadFile {
    fn from(problem: document::SyntaxProblem) -> Self {
        Self::Malformed { line: problem.line, message: problem.message.to_owned() }
    }
}
