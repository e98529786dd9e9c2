use crate::{
    broker::AccountStatus,
    model::{
        Answer, Caller, Changes, Fault, FaultKind, IssuedToken, Lookup, Name, Rejection, Reported, Right,
        SignableRequest, SignedRequest, SourceName,
    },
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// What changes, as it does; nothing comes after a fault.
pub type Changing = BoxStream<'static, Result<Changes, Fault>>;

/// Who answers lookups: the broker, or a script in a test.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// Answers one lookup; `None` means that no source that was asked has the name.
    ///
    /// # Errors
    /// Whatever keeps the answer away, a refusal by the rules included.
    async fn lookup(&self, caller: &Caller, lookup: &Lookup) -> Result<Option<Answer>, Fault>;

    /// A token of a grant with `at_least` so much life left, or as much as the grant says; `None` means that there is no such grant.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    async fn issue_token(
        &self,
        caller: &Caller,
        grant: &Name,
        at_least: Option<Duration>,
    ) -> Result<Option<IssuedToken>, Fault>;

    /// The signature of a request within a grant; `None` means that there is no such grant.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    async fn sign_request(
        &self,
        caller: &Caller,
        grant: &Name,
        request: &SignableRequest,
    ) -> Result<Option<SignedRequest>, Fault>;

    /// Takes in that a service has refused a credential; `None` means that there is no such connection or grant.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`] where the caller may not get it either.
    async fn report_rejected(&self, caller: &Caller, rejection: &Rejection) -> Result<Option<Reported>, Fault>;

    /// Forgets what is cached of a name; answers how many entries that was.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`] where the caller may not.
    fn invalidate(&self, caller: &Caller, lookup: &Lookup) -> Result<usize, Fault>;

    /// Tells from now on of what the answer changes, of what the caller may ask for, until that cannot be told any more.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`]; in the stream, at its end, [`FaultKind::Interrupted`].
    fn watch(&self, caller: &Caller) -> Result<Changing, Fault>;

    /// Whether the caller may use this right at all.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`] where it may not.
    fn may(&self, caller: &Caller, right: Right) -> Result<(), Fault>;
}

/// What operators ask of the process: the app, or a script in a test.
#[async_trait]
pub trait Control: Send + Sync {
    /// Reads the configuration again and takes it into use.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`] where it cannot be taken into use; the running one stays.
    async fn reload(&self) -> Result<Reloaded, Fault>;

    /// The state of the process, as far as it is not the transport's own.
    fn status(&self) -> Status;
}

/// A reload that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// When the new configuration was taken into use.
    pub loaded_at: SystemTime,
    /// What the file says that deserves attention, though it is no error.
    pub warnings: Vec<String>,
}

/// The state of the process; the listeners, the tasks and the counters are added by the transport. No values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Valet's version.
    pub version: String,
    /// When the process started.
    pub started_at: SystemTime,
    /// The configuration in force.
    pub config: ConfigStatus,
    /// The sources, in the order of valet.yaml.
    pub sources: Vec<SourceStatus>,
    /// The cache.
    pub cache: CacheStatus,
    /// The accounts, in the order of valet.yaml.
    pub accounts: Vec<AccountStatus>,
}

/// Where the configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigStatus {
    /// The file's path; `None` for the built-in default.
    pub path: Option<PathBuf>,
    /// When it was taken into use.
    pub loaded_at: SystemTime,
    /// Why the newest reload was refused, where it was.
    pub last_reload_error: Option<String>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// Its name in valet.yaml.
    pub name: SourceName,
    /// Its kind, e.g. `key-vault`.
    pub kind: &'static str,
    /// Its last answer where that was a fault: which kind, and since when there have been only faults.
    pub fault: Option<(FaultKind, SystemTime)>,
    /// Reads that went to it since start.
    pub reads: u64,
    /// Whether and how often it may be asked now; `None` where nothing limits that.
    pub standing: Option<SourceStanding>,
}

/// Whether and how often a source may be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceStanding {
    /// How many requests are left of its budget.
    pub budget_left: u32,
    /// Whether it is asked: `closed` (it is), `open` (not for now) or `half-open` (one request at a time, to see).
    pub breaker: &'static str,
}

/// The cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStatus {
    /// Values held.
    pub values: u64,
    /// Names held as not found.
    pub not_found: u64,
    /// Bytes held: keys, values and overhead.
    pub bytes: u64,
    /// The bound of `bytes`.
    pub max_bytes: u64,
    /// Lookups answered without a source since start.
    pub hits: u64,
    /// Lookups that asked a source since start.
    pub misses: u64,
    /// Reads of sources under way.
    pub in_flight: u64,
}
