use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// Why there is no answer. "Not here" is no fault: it is `None`.
///
/// The message is for people: what happened and what to do next. It never holds a value, an upstream body or a URL with a query. Cheap enough
/// to clone for everyone who waits for the same read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    retry_after: Option<Duration>,
    since: Option<SystemTime>,
    unasked: bool,
}

/// What kind of fault it is; the kind says whether to retry, and what the task sees (the table in the service's reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A source was down and its route says to skip it: nothing found, but it is not certain that there is nothing. Never cached.
    Skipped,
    /// The name is empty, too long or has control characters. The caller must mend it.
    BadName,
    /// The request cannot be read, whatever it asks for. The caller must mend it.
    BadRequest,
    /// The stored value is something that Airflow would silently misread. The owner of the secret must mend it.
    MalformedValue,
    /// An account's key is absent, disabled or none. The platform team must mend it.
    BadKey,
    /// A token with the life that was asked for cannot be had. The caller must ask for less, or the platform team must raise the lifetime.
    OutOfRange,
    /// Valet's own rules refuse this caller this name. The platform team decides.
    DeniedByPolicy,
    /// The source refuses Valet: a missing role, a disabled secret, an identity that Entra does not accept. The platform team must mend it.
    DeniedBySource,
    /// The caller did not prove who it is.
    Unauthenticated,
    /// The source says that it is asked too often. Retry later.
    Throttled,
    /// The source cannot be reached or does not work: DNS, TCP, TLS, a firewall, 5xx, nonsense. Retry later.
    SourceDown,
    /// The deadline passed. Retry.
    TimedOut,
    /// Valet has too much to do: a bound was hit. Retry later.
    Overloaded,
    /// A request or a value is larger than its bound.
    TooLarge,
    /// The method exists but does not work in this version.
    NotYetAvailable,
    /// There is no such method, or no such encoding of it. The caller must mend it.
    Unsupported,
    /// A configuration cannot be taken into use. The platform team must mend it.
    BadConfig,
    /// A stream of news ended before its time: some may have been missed. Ask for it again, and again for what is held.
    Interrupted,
    /// A defect in Valet. The message carries an id that is in the log.
    Internal,
}

/// The metadata, or header, that carries a fault's reason.
pub const REASON_HEADER: &str = "valet-reason";

/// What stands there where a name is not here, which is no fault.
pub const NOT_FOUND_REASON: &str = "NOT_FOUND";

impl Fault {
    /// A fault with its message for people (lower case, no period, no secret).
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, since: None, unasked: false }
    }

    /// Adds when it makes sense to ask again.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Adds since when it has been so.
    #[must_use]
    pub fn since(mut self, since: SystemTime) -> Self {
        self.since = Some(since);
        self
    }

    /// Adds that nobody was asked: a rule of ours about how often, or how soon after a failure, held the request back.
    #[must_use]
    pub fn unasked(mut self) -> Self {
        self.unasked = true;
        self
    }

    /// The same fault in other words.
    #[must_use]
    pub fn reworded(&self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self.clone() }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When it makes sense to ask again, where that is known.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether nobody was asked, so that to try again at once is of no use.
    pub fn is_unasked(&self) -> bool {
        self.unasked
    }

    /// Since when it has been so, where that is known.
    pub fn since_when(&self) -> Option<SystemTime> {
        self.since
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Skipped,
        Self::BadName,
        Self::BadRequest,
        Self::MalformedValue,
        Self::BadKey,
        Self::OutOfRange,
        Self::DeniedByPolicy,
        Self::DeniedBySource,
        Self::Unauthenticated,
        Self::Throttled,
        Self::SourceDown,
        Self::TimedOut,
        Self::Overloaded,
        Self::TooLarge,
        Self::NotYetAvailable,
        Self::Unsupported,
        Self::BadConfig,
        Self::Interrupted,
        Self::Internal,
    ];

    /// The kind that another Valet gave this reason for; `None` for a reason that this version does not know.
    pub fn from_reason(reason: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.reason() == reason)
    }

    /// The reason as it goes to clients (`valet-reason`) and to the audit log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Skipped => "SKIPPED",
            Self::BadName => "BAD_NAME",
            Self::BadRequest => "BAD_REQUEST",
            Self::MalformedValue => "MALFORMED_VALUE",
            Self::BadKey => "BAD_KEY",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::DeniedByPolicy => "DENIED_BY_POLICY",
            Self::DeniedBySource => "DENIED_BY_SOURCE",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Throttled => "THROTTLED",
            Self::SourceDown => "SOURCE_DOWN",
            Self::TimedOut => "TIMED_OUT",
            Self::Overloaded => "OVERLOADED",
            Self::TooLarge => "TOO_LARGE",
            Self::NotYetAvailable => "NOT_YET_AVAILABLE",
            Self::Unsupported => "UNSUPPORTED",
            Self::BadConfig => "BAD_CONFIG",
            Self::Interrupted => "INTERRUPTED",
            Self::Internal => "INTERNAL",
        }
    }

    /// Whether the source might answer if it were asked again: what a route's `on_unavailable: skip` passes over. That an upstream Valet skipped a
    /// source of its own says no more of a value than that its source is down.
    pub fn is_unavailable(self) -> bool {
        matches!(self, Self::Throttled | Self::SourceDown | Self::TimedOut | Self::Overloaded | Self::Skipped)
    }
}
