//! Where a stored value comes from: the environment, files, Key Vault, another Valet. "Not here" is no fault; everything else that keeps a value away is.
//! It never retries, caches or signs. [`crate::broker`] calls it, through [`Source`]; [`crate::app`] builds it.

mod config;
mod environment;
mod file;
mod key_vault;
mod key_vault_names;
mod listing;
mod local;
mod news;
mod upstream;

pub use config::{
    FileConfig, KeyVaultConfig, ListConfig, ListWhen, NamesConfig, SourceConfig, SourceKind, Target, UpstreamConfig,
};
pub use environment::EnvironmentSource;
pub use file::{BadFile, FileSource, check as check_file};
pub use key_vault::KeyVaultSource;
pub use listing::{ListPlan, ListSeams};
pub use local::LocalValue;
pub use news::{Asked, Judge, News};
pub use upstream::{Relay, UpstreamSource};

use crate::{
    azure::Standing,
    model::{Credential, Fault, Found, Lookup, Name, SourceName, Urgency, ValueDigest, Wanted},
};
use async_trait::async_trait;
use std::fmt::Debug;

/// A place that values are read from.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// Its name in valet.yaml.
    fn name(&self) -> &SourceName;

    /// Its kind as valet.yaml spells it, e.g. `key-vault`.
    fn kind(&self) -> &'static str;

    /// Whether a read costs nothing (the value is in memory or in a local file), so that caching it would only make it old.
    fn is_local(&self) -> bool;

    /// Where a name would be found, for people: a secret's or a variable's name as this source spells it. Safe to log.
    fn location(&self, lookup: &Lookup) -> String;

    /// Reads one name; `None` means that the name is not here, a name that this source cannot hold included.
    ///
    /// # Errors
    /// Whatever else keeps the value away: refusal, throttling, an unreachable or unreadable source.
    async fn read(&self, lookup: &Lookup, urgency: Urgency) -> Result<Option<Found>, Fault>;

    /// Reads the value that a reference `{secret: SOURCE/NAME}` means: by the name that this source itself has for it, and where values have
    /// versions the newest one that is enabled. `None` means that there is none.
    ///
    /// # Errors
    /// As [`Self::read`].
    async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault>;

    /// Waits until the source has news of what was read of it; forever where it never has any. It is called again and again by one task, and may be
    /// dropped at any time. `held` counts the values that are held of it.
    async fn news(&self, held: &(dyn Fn() -> usize + Send + Sync)) -> News {
        let _ = held;
        std::future::pending().await
    }

    /// Reads the newest version of a secret before this one that is enabled and wanted, of the few that are looked at; `None` where there is none, or
    /// no versions. It is for an account whose two keys are stored in turn.
    ///
    /// # Errors
    /// As [`Self::read`]; [`crate::model::FaultKind::DeniedBySource`] where versions may not be listed.
    async fn read_earlier(
        &self,
        _name: &Name,
        _version: &str,
        _is_wanted: &Wanted,
        _urgency: Urgency,
    ) -> Result<Option<Found>, Fault> {
        Ok(None)
    }

    /// Hears that the service which a credential is for has refused it, before it is read again: for a source that has its values from somewhere that
    /// keeps them itself. `value` is the one that was refused, where that is known.
    async fn rejected(&self, _credential: &Credential, _value: Option<&ValueDigest>) {}

    /// The source as another Valet, where it is one.
    fn relay(&self) -> Option<&dyn Relay> {
        None
    }

    /// Tells news by another plan from now on; `None` is by none. Only what can be listed has news that depend on a plan.
    fn list_by(&self, _plan: Option<ListPlan>) {}

    /// Says no more that a name is not here without asking, nor anything else that it knows by itself, until it has learnt that anew.
    fn forget(&self) {}

    /// Whether and how often it may be asked now; `None` where nothing limits that. Asks nobody.
    fn standing(&self) -> Option<Standing> {
        None
    }
}
