use super::UnixConfig;
use std::{io, path::PathBuf};

/// Why a listener cannot be opened. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// unix(7) has 108 bytes for a path, the last of which is NUL.
    #[error("socket path {path:?} has {bytes} bytes and {most} fit: choose a shorter one", most = UnixConfig::MAX_PATH_BYTES)]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Nothing is created outside the socket's own directory.
    #[error(
        "directory {directory:?} does not exist: create it with mode 0755, owned by valet's user, or mount a volume there"
    )]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// Another Valet serves there.
    #[error("another valet holds {lock:?}: stop it, or choose another socket path")]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// Something that is no Valet serves there.
    #[error("another process listens on {path:?}: stop it, or choose another socket path")]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// What is at the path is not ours to remove.
    #[error("{path:?} exists and is not a socket: move it away, or choose another socket path")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// No group has this name.
    #[error("group {group:?} is not in /etc/group: use its number, or add it there")]
    NoSuchGroup {
        /// The group.
        group: String,
    },
    /// Only a member may give a file to a group (chown(2)).
    #[error("cannot give the socket to group {group:?}: make valet's user a member of it ({source})")]
    Group {
        /// The group.
        group: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error("cannot {action} {path:?}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
