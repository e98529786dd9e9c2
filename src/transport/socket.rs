use super::{Error, UnixConfig};
use std::{
    fs::{self, DirBuilder, File, Metadata, Permissions, TryLockError},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{
            DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
        },
    },
    path::{Path, PathBuf},
};
use tokio::net::{UnixListener, UnixStream};

/// A socket file that is ours, and the lock beside it. Dropped, it removes the file if it is still ours; the lock file stays, because a lock on
/// a file that others remove protects nothing.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    id: (u64, u64),
    _lock: File,
}

impl Socket {
    /// Opens a listener so that at no moment there is a socket at the path that is not ready: no half-set permissions, no fight with another
    /// Valet, nothing removed that is alive or that is no socket.
    pub(super) async fn bind(config: &UnixConfig) -> Result<(UnixListener, Self), Error> {
        let path = &config.path;
        let bytes = path.as_os_str().len();
        if bytes > UnixConfig::MAX_PATH_BYTES {
            return Err(Error::PathTooLong { path: path.clone(), bytes });
        }
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let facts = match fs::metadata(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NoDirectory { directory: directory.to_owned() });
            }
            facts => facts.map_err(io_error("look at", directory))?,
        };
        if others_may_write(&facts) {
            tracing::warn!(
                directory = %directory.display(),
                mode = format!("{:04o}", facts.mode() & 0o7777),
                "other users may write the socket's directory and so put a socket of their own in its place: mount it read-only \
                 for clients, or make it valet's own with mode 0755",
            );
        }
        let lock = lock(path)?;
        refuse_what_is_not_stale(path).await?;
        let private = Private::new(directory, &lock)?;
        let listener = private.bind()?;
        if let Some(group) = &config.group {
            let gid = gid(group, || fs::read_to_string("/etc/group"))?;
            chown(&private.socket, None, Some(gid)).map_err(|source| Error::Group { group: group.clone(), source })?;
        }
        fs::set_permissions(&private.socket, Permissions::from_mode(config.mode))
            .map_err(io_error("set the mode of", path))?;
        let facts = fs::symlink_metadata(&private.socket).map_err(io_error("look at", path))?;
        fs::rename(&private.socket, path).map_err(io_error("put the socket at", path))?;
        Ok((listener, Self { path: path.clone(), id: id(&facts), _lock: lock }))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|facts| id(&facts) == self.id) {
            // Nothing can be done about a directory that has become read-only; the next Valet replaces the file.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A directory that only our user may enter, in which the socket gets its mode and group. A tight umask would do the same for all threads of the
/// process at once, whatever they create meanwhile.
struct Private {
    directory: PathBuf,
    socket: PathBuf,
}

impl Private {
    /// The name comes from the lock file, so that it is ours alone, and is short, because the socket's path in it must fit as well.
    fn new(parent: &Path, lock: &File) -> Result<Self, Error> {
        let number = lock.metadata().map_err(io_error("look at the lock in", parent))?.ino() & 0xff_ffff;
        let directory = parent.join(format!(".{number:x}"));
        let this = Self { socket: directory.join("s"), directory };
        this.remove();
        DirBuilder::new().mode(0o700).create(&this.directory).map_err(io_error("create", &this.directory))?;
        Ok(this)
    }

    fn bind(&self) -> Result<UnixListener, Error> {
        let bound = if self.socket.as_os_str().len() <= UnixConfig::MAX_PATH_BYTES {
            UnixListener::bind(&self.socket)
        } else {
            // A long directory and a short name: go by the open directory instead.
            File::open(&self.directory)
                .and_then(|directory| UnixListener::bind(format!("/proc/self/fd/{}/s", directory.as_raw_fd())))
        };
        bound.map_err(io_error("create a socket in", &self.directory))
    }

    fn remove(&self) {
        // Usually there is nothing to remove; what cannot be removed shows in what comes next.
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_dir(&self.directory);
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Takes the lock file beside the socket, for as long as the file is open.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock)
        .map_err(io_error("open the lock file", &lock))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { lock }),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &lock)(source)),
    }
}

/// Only a socket that nobody listens on may be replaced.
async fn refuse_what_is_not_stale(path: &Path) -> Result<(), Error> {
    let facts = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        facts => facts.map_err(io_error("look at", path))?,
    };
    if !facts.file_type().is_socket() {
        return Err(Error::NotASocket { path: path.to_owned() });
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // Its queue is full: somebody is there, and busy.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Error::InUse { path: path.to_owned() }),
        Err(error) => Err(io_error("find out whether somebody listens on", path)(error)),
        Ok(_) => Err(Error::InUse { path: path.to_owned() }),
    }
}

/// Whether others than root and our user may replace files in the directory. The sticky bit keeps them from it (inode(7)).
fn others_may_write(directory: &Metadata) -> bool {
    let is_sticky = directory.mode() & 0o1000 != 0;
    let is_foreign = ![0, rustix::process::geteuid().as_raw()].contains(&directory.uid());
    is_foreign || (directory.mode() & 0o022 != 0 && !is_sticky)
}

/// A group's number. Names are looked up in /etc/group and nowhere else: a static binary has no NSS.
fn gid(group: &str, file: impl FnOnce() -> io::Result<String>) -> Result<u32, Error> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    let file = file().map_err(io_error("read", Path::new("/etc/group")))?;
    file.lines()
        .find_map(|line| line.strip_prefix(group)?.strip_prefix(':')?.split(':').nth(1)?.parse().ok())
        .ok_or_else(|| Error::NoSuchGroup { group: group.to_owned() })
}

fn id(facts: &Metadata) -> (u64, u64) {
    (facts.dev(), facts.ino())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_number_or_a_name_in_the_file() {
        let file = || Ok("root:x:0:\nairflow:x:50000:a,b\n\nvalet-2:x:65532:\nbroken\nvalet:x:many:\n".to_owned());
        assert_eq!(gid("65532", || panic!("a number needs no file")).ok(), Some(65532));
        assert_eq!(gid("airflow", file).ok(), Some(50000));
        assert_eq!(gid("root", file).ok(), Some(0));
        for unknown in ["air", "valet", "broken", "x", "", "-1"] {
            assert!(matches!(gid(unknown, file), Err(Error::NoSuchGroup { .. })), "{unknown}");
        }
    }
}
