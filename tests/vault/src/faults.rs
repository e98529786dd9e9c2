//! What may go wrong on purpose: the list of faults, and which request meets which. How a fault looks on the wire is in
//! [`crate::faulty`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::log::{Face, TokenSeen};

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

/// Which requests to a vault meet a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Those with a good token: the real service asks for a token before anything else.
    #[default]
    Authorized,
    /// Those without one.
    Probe,
    /// All.
    Any,
}

/// A fault and whom it meets. In JSON the fields stand beside those of the fault:
/// `{"kind": "throttled", "times": 2, "secret": "db-password"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Where and how often.
    #[serde(flatten)]
    pub scope: Scope,
}

/// Where and how often a fault strikes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// The endpoint, default the vaults.
    pub face: Face,
    /// Which requests to a vault; other endpoints ignore it.
    pub on: When,
    /// One vault only.
    pub vault: Option<String>,
    /// One secret's requests only (values, versions, changes).
    pub secret: Option<String>,
    /// How many requests; until it is cleared where it is absent.
    pub times: Option<u32>,
}

impl FaultRule {
    /// The fault on each authorized request to a vault, until it is cleared.
    pub fn new(fault: Fault) -> Self {
        Self { fault, scope: Scope::default() }
    }

    /// For this endpoint.
    #[must_use]
    pub fn face(mut self, face: Face) -> Self {
        self.scope.face = face;
        self
    }

    /// For this many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.scope.times = Some(times);
        self
    }

    /// For this secret only.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>) -> Self {
        self.scope.secret = Some(name.into());
        self
    }

    /// For this vault only.
    #[must_use]
    pub fn vault(mut self, name: impl Into<String>) -> Self {
        self.scope.vault = Some(name.into());
        self
    }

    /// For these requests.
    #[must_use]
    pub fn on(mut self, when: When) -> Self {
        self.scope.on = when;
        self
    }

    /// Reads the JSON form; a field that neither the fault nor the scope knows is an error.
    pub fn from_json(json: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let (scope, fault) = json.into_iter().partition(|(field, _)| SCOPE_FIELDS.contains(&field.as_str()));
        Ok(Self {
            fault: serde_json::from_value(Value::Object(fault))?,
            scope: serde_json::from_value(Value::Object(scope))?,
        })
    }
}

/// What a fault is chosen by.
pub(crate) struct Target<'a> {
    pub(crate) face: Face,
    pub(crate) vault: &'a str,
    pub(crate) secret: Option<&'a str>,
    pub(crate) token: TokenSeen,
}

/// The faults that are switched on, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(u64, FaultRule)>,
    last: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) -> u64 {
        self.last += 1;
        if rule.scope.times != Some(0) {
            self.rules.push((self.last, rule));
        }
        self.last
    }

    /// The first fault that meets the request; one of its times is then used up.
    pub(crate) fn take(&mut self, target: &Target<'_>) -> Option<Fault> {
        let index = self.rules.iter().position(|(_, rule)| rule.scope.meets(target))?;
        let rule = &mut self.rules[index].1;
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.scope.times {
            *times -= 1;
            if *times == 0 {
                self.rules.remove(index);
            }
        }
        Some(fault)
    }

    pub(crate) fn list(&self) -> &[(u64, FaultRule)] {
        &self.rules
    }

    /// Switches one off, or all.
    pub(crate) fn clear(&mut self, id: Option<u64>) {
        self.rules.retain(|(known, _)| id.is_some_and(|id| id != *known));
    }
}

impl Scope {
    fn meets(&self, target: &Target<'_>) -> bool {
        let same = |mine: &Option<String>, theirs: Option<&str>| {
            mine.as_ref().is_none_or(|mine| theirs.is_some_and(|theirs| mine.eq_ignore_ascii_case(theirs)))
        };
        let when = match self.on {
            _ if self.face != Face::Vault => true,
            When::Any => true,
            When::Authorized => target.token == TokenSeen::Yes,
            When::Probe => target.token == TokenSeen::No,
        };
        let of_this_vault = self.face != Face::Vault || same(&self.vault, Some(target.vault));
        self.face == target.face && when && of_this_vault && same(&self.secret, target.secret)
    }
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

const SCOPE_FIELDS: [&str; 5] = ["face", "on", "vault", "secret", "times"];
