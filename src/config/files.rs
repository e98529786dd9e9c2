use crate::{model::Kind, source::FileConfig};
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};
use zeroize::Zeroizing;

/// How the files that valet.yaml names are read while it is checked.
pub trait Files: fmt::Debug {
    /// The content of a regular file.
    ///
    /// # Errors
    /// Whatever keeps it away; [`io::ErrorKind::FileTooLarge`] for more than [`MAX_BYTES`], [`io::ErrorKind::InvalidInput`] for what is no
    /// regular file.
    fn read(&self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>>;

    /// What keeps a `file` source from serving values of this kind from a file, in words that hold none of its text.
    fn problem_with_values(&self, path: &Path, kind: Kind) -> Option<String>;
}

/// The largest certificate or secret that is read to check it: 1 MiB.
pub const MAX_BYTES: u64 = 1 << 20;

/// The files of this machine.
#[derive(Debug, Default)]
pub struct OsFiles;

impl Files for OsFiles {
    fn read(&self, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        // Asked before opening: to open a pipe without a writer waits for ever.
        if !path.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        read_bounded(File::open(path)?, MAX_BYTES)
    }

    fn problem_with_values(&self, path: &Path, kind: Kind) -> Option<String> {
        FileConfig::problem_with(path, kind)
    }
}

/// All of it, or [`io::ErrorKind::FileTooLarge`].
pub(super) fn read_bounded(file: File, max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    file.take(max + 1).read_to_end(&mut content)?;
    if content.len() as u64 > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
}

/// Why a file cannot be read, in words that do not name it.
pub(super) fn why(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file",
        io::ErrorKind::PermissionDenied => "this process may not read the file",
        io::ErrorKind::IsADirectory => "this is a directory",
        io::ErrorKind::InvalidInput => "this is no regular file",
        io::ErrorKind::FileTooLarge => "the file is too large",
        _ => "the file cannot be read",
    }
}
