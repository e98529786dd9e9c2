use super::{Name, Reference, SourceName};

/// Where a part of a brokered connection, or the key of an account, is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// `{secret: SOURCE/NAME}`: a value of a source, by the name that the source itself has for it.
    Secret {
        /// The source's name in valet.yaml.
        source: SourceName,
        /// The value's name there; for a Key Vault the name of the secret.
        name: Name,
    },
    /// `{env: NAME}` or `{file: PATH}`.
    Local(Reference),
}

impl std::fmt::Display for Origin {
    /// As valet.yaml spells it. It names the value and never is it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret { source, name } => write!(f, "{{secret: {source}/{name}}}"),
            Self::Local(Reference::Env(name)) => write!(f, "{{env: {name}}}"),
            Self::Local(Reference::File(path)) => write!(f, "{{file: {}}}", path.display()),
        }
    }
}
