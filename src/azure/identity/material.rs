//! What identities are made of, read anew for each token: a secret or token file that was rotated is used from the next token on.

use super::IdentityProblem;
use crate::{
    azure::error::{Error, Setup},
    env::Env,
    model::{Reference, Secret},
};
use std::{path::Path, sync::Arc};
use zeroize::Zeroizing;

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
                let bytes = tokio::fs::read(path).await.map(Zeroizing::new).map_err(|error| {
                    fault(IdentityProblem::UnreadableFile { path: path.to_path_buf(), why: error.kind() })
                })?;
                if bytes.trim_ascii().is_empty() {
                    Err(fault(IdentityProblem::EmptyFile(path.to_path_buf())))
                } else {
                    Ok(bytes)
                }
            }
        }
    }

    /// The text as it is now, without one final line break: editors and `kubectl` leave one, and Entra takes it for a part of the secret.
    pub(super) async fn text(&self, identity: &Arc<str>) -> Result<Secret, Error> {
        if let Self::Known(secret) = self {
            return Ok(secret.clone());
        }
        let bytes = self.bytes(identity).await?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
    }
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
