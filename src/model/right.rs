use super::Kind;
use std::fmt;

/// What a listener may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// `GetConnection`.
    Connections,
    /// `GetVariable`.
    Variables,
    /// `GetConfig`.
    Config,
    /// `IssueToken`.
    Tokens,
    /// `SignRequest`.
    Signatures,
    /// The Admin service.
    Admin,
}

impl Right {
    /// Every right, in the order that listings show them.
    pub const ALL: [Self; 6] =
        [Self::Connections, Self::Variables, Self::Config, Self::Tokens, Self::Signatures, Self::Admin];

    /// The right that a lookup of this kind needs.
    pub fn to_look_up(kind: Kind) -> Self {
        match kind {
            Kind::Connection => Self::Connections,
            Kind::Variable => Self::Variables,
            Kind::Config => Self::Config,
        }
    }

    /// The word for it in valet.yaml: `connections`, `variables`, `config`, `tokens`, `signatures`, `admin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Variables => "variables",
            Self::Config => "config",
            Self::Tokens => "tokens",
            Self::Signatures => "signatures",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
