//! What identities are made of, read anew for each token: a secret or token file that was rotated is used from the next token on.

use super::IdentityProblem;
use crate::{
    azure::error::{Error, Setup},
    env::Env,
    model::{Reference, Secret},
};
use std::{io, path::Path, sync::Arc};
use tokio::{fs::File, io::AsyncReadExt};
use zeroize::Zeroizing;

/// The largest file that an identity may consist of, in bytes: some certificates and a key.
const LARGEST_FILE: u64 = 256 * 1024;

/// Where a secret part of an identity is.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// Known already: the environment of a process does not change.
    Known(Secret),
    /// In a file, as it is when it is read.
    File(Arc<Path>),
}

impl Material {
    /// Resolves a reference of valet.yaml.
    pub(super) fn new(reference: &Reference, identity: &Arc<str>, env: &dyn Env) -> Result<Self, Error> {
        match reference {
            Reference::Env(variable) => {
                required(variable, None, identity, env).map(|text| Self::Known(Secret::new(text)))
            }
            Reference::File(path) => Ok(Self::File(path.as_path().into())),
        }
    }

    /// What it is in messages.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Known(_) => "FILE.pfx".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// The bytes as they are now.
    pub(super) async fn bytes(&self, identity: &Arc<str>) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self {
            Self::Known(secret) => Ok(Zeroizing::new(secret.expose().as_bytes().to_vec())),
            Self::File(path) => {
                let fault = |why| Error::Identity { identity: Arc::clone(identity), why };
                let unreadable =
                    |error: io::Error| IdentityProblem::UnreadableFile { path: path.to_path_buf(), why: error.kind() };
                let bytes = read(path).await.map_err(|error| fault(unreadable(error)))?;
                if bytes.trim_ascii().is_empty() {
                    return Err(fault(IdentityProblem::EmptyFile(path.to_path_buf())));
                }
                Ok(bytes)
            }
        }
    }

    /// The text as it is now, without one final line break: editors and `kubectl` leave one, and Entra takes it for a part of the secret.
    pub(super) async fn text(&self, identity: &Arc<str>) -> Result<Secret, Error> {
        let path = match self {
            Self::Known(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let bytes = self.bytes(identity).await?;
        let text = str::from_utf8(&bytes).map_err(|_| {
            let why = IdentityProblem::UnreadableFile { path: path.to_path_buf(), why: io::ErrorKind::InvalidData };
            Error::Identity { identity: Arc::clone(identity), why }
        })?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
    }
}

async fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = File::open(path).await?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).await?;
    if read as u64 > LARGEST_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// A variable's value; an empty one counts as not set, because charts write such.
pub(super) fn optional(variable: &str, env: &dyn Env) -> Result<Option<String>, Error> {
    let value = env.var(variable).map_err(Setup::NotUtf8)?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// A variable's value, or the fault that names the variable and the setting that could stand in for it.
pub(super) fn required(
    variable: &str,
    setting: Option<&'static str>,
    identity: &Arc<str>,
    env: &dyn Env,
) -> Result<String, Error> {
    optional(variable, env)?.ok_or_else(|| {
        Setup::MissingVariable { identity: Arc::clone(identity), variable: variable.to_owned(), setting }.into()
    })
}
