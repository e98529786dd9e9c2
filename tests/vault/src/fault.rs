//! The ways to go wrong. Which request meets one is in [`crate::faults`]; how it looks on the wire in [`crate::faulty`].

use serde::{Deserialize, Serialize};

/// One way to go wrong. In JSON: `{"kind": "throttled", "retry_after": 5}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, in the words of the endpoint.
    Throttled {
        /// The `Retry-After` header; the only capture of the real service has none.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// Any status.
    Status {
        /// 100 to 599.
        status: u16,
        /// The body.
        #[serde(default)]
        body: ErrorBody,
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// 403 with the body of this inner code.
    Forbidden {
        /// Which refusal.
        code: ForbiddenCode,
    },
    /// A refusal in the words of Azure Storage.
    Storage {
        /// The status.
        status: u16,
        /// Its code, e.g. `AuthorizationPermissionMismatch`.
        code: String,
    },
    /// 401 and the usual challenge, whatever the token.
    Unauthorized {},
    /// 401 and a challenge that sends the client elsewhere.
    ForeignChallenge {
        /// `authorization=`, default a login host of another cloud.
        #[serde(default = "foreign_authorization")]
        authorization: String,
        /// `resource=`, default another cloud's.
        #[serde(default = "foreign_resource")]
        resource: String,
    },
    /// The regular answer, after a while.
    SlowHeaders {
        /// How long nothing comes.
        millis: u64,
    },
    /// The regular answer's headers at once, its body in pieces.
    SlowBody {
        /// How long the body takes.
        millis: u64,
    },
    /// The regular answer, when the fault is cleared: a test decides the moment instead of waiting for a time.
    Hold {},
    /// The connection is reset instead of an answer.
    Reset {},
    /// Half of the promised body, then the end of the connection.
    CutBody {},
    /// 200 with the first half of the regular answer's JSON, its length as promised.
    TruncatedJson {},
    /// 200 with an HTML page (a captive portal, a proxy's login).
    Html {},
    /// 200 without a body.
    Empty {},
    /// 200 with JSON of another shape.
    WrongJson {},
    /// 200 with a well-formed secret that is far too large.
    HugeBody {
        /// Bytes of its value, default 10 MB.
        #[serde(default = "huge")]
        bytes: usize,
    },
    /// 302.
    Redirect {
        /// `Location`, default the foreign host.
        #[serde(default)]
        location: Option<String>,
    },
    /// The regular page, whose `nextLink` leads elsewhere.
    ForeignNextLink {
        /// The link, default the foreign host.
        #[serde(default)]
        location: Option<String>,
    },
}

impl Fault {
    /// 429 without a hint.
    pub fn throttled() -> Self {
        Self::Throttled { retry_after: None }
    }

    /// A status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::Status { status, body: ErrorBody::Empty, retry_after: None }
    }

    /// A 401 that asks for a token of another cloud.
    pub fn foreign_challenge() -> Self {
        Self::ForeignChallenge { authorization: foreign_authorization(), resource: foreign_resource() }
    }

    /// Its name in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::Status { .. } => "status",
            Self::Forbidden { .. } => "forbidden",
            Self::Storage { .. } => "storage",
            Self::Unauthorized {} => "unauthorized",
            Self::ForeignChallenge { .. } => "foreign_challenge",
            Self::SlowHeaders { .. } => "slow_headers",
            Self::SlowBody { .. } => "slow_body",
            Self::Hold {} => "hold",
            Self::Reset {} => "reset",
            Self::CutBody {} => "cut_body",
            Self::TruncatedJson {} => "truncated_json",
            Self::Html {} => "html",
            Self::Empty {} => "empty",
            Self::WrongJson {} => "wrong_json",
            Self::HugeBody { .. } => "huge_body",
            Self::Redirect { .. } => "redirect",
            Self::ForeignNextLink { .. } => "foreign_next_link",
        }
    }
}

/// A `Retry-After` header: a number of seconds, `{"date_in": SECONDS}` for an HTTP date, or any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RetryAfter {
    /// Seconds.
    Seconds(u64),
    /// An HTTP date, this many seconds from the test vault's now (negative: in the past).
    Date {
        /// Seconds from now.
        date_in: i64,
    },
    /// As it is.
    Text(String),
}

/// The body of a [`Fault::Status`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorBody {
    /// None.
    #[default]
    Empty,
    /// A page of a gateway.
    Html,
    /// The endpoint's usual JSON.
    Json,
}

/// The inner codes of a vault's 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForbiddenCode {
    /// No role.
    ForbiddenByRbac,
    /// No access policy.
    AccessDenied,
    /// No access policy, as the service said it in 2021.
    ForbiddenByPolicy,
    /// The vault's firewall.
    ForbiddenByFirewall,
    /// Not through a private endpoint.
    ForbiddenByConnection,
    /// A disabled secret.
    SecretDisabled,
}

fn foreign_authorization() -> String {
    "https://login.chinacloudapi.cn/common".to_owned()
}

fn foreign_resource() -> String {
    "https://vault.azure.cn".to_owned()
}

fn huge() -> usize {
    10_000_000
}
