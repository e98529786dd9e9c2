use super::{Relayed, Revision, Secret};
use std::{sync::Arc, time::SystemTime};

/// What a source read: the value and what the source says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value, byte for byte.
    pub value: Secret,
    /// The source's version of it, where it has versions.
    pub version: Option<Arc<str>>,
    /// When the value itself ends. Informational unless it [`Self::ends`]: Key Vault serves expired secrets, and so does Valet.
    pub expires_at: Option<SystemTime>,
    /// Whether it ceases to work then, as what is or carries a token does: from then on it is not handed out.
    pub ends: bool,
    /// When this version was made, where the source says so.
    pub created_at: Option<SystemTime>,
    /// When this version was last changed, its attributes included, where the source says so.
    pub updated_at: Option<SystemTime>,
    /// What the Valet said of it that gave it; `None` where its source was asked itself.
    pub relayed: Option<Box<Relayed>>,
    /// Where a name may mean several things in the source: which of them it was, from 0.
    pub rank: u8,
}

/// Which of several versions is wanted.
pub type Wanted = dyn Fn(&Found) -> bool + Send + Sync;

impl Found {
    /// A value of a source that knows neither versions nor expiry.
    pub fn plain(value: impl Into<String>) -> Self {
        Self::of(Secret::new(value))
    }

    /// The same, of a value that is a secret already.
    pub fn of(value: Secret) -> Self {
        Self {
            value,
            version: None,
            expires_at: None,
            ends: false,
            created_at: None,
            updated_at: None,
            relayed: None,
            rank: 0,
        }
    }

    /// By what its source tells it from what was there before.
    pub fn revision(&self) -> Revision<'_> {
        Revision { version: self.version.as_deref(), updated_at: self.updated_at, rank: self.rank }
    }
}
