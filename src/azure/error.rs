//! What goes wrong between Valet and Azure, in our own words: no upstream body, token, value or URL query ever gets in here.

use super::{config::BudgetConfig, http::HostName, identity::IdentityProblem, storage::StorageRefusal};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Why Azure gave no answer. Clones go to everybody who waits for the same request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing could be asked: DNS, TCP or TLS.
    #[error("{peer} cannot be reached: {cause}")]
    Unreachable {
        /// Who was asked.
        peer: Peer,
        /// What is in the way.
        cause: Unreachable,
    },
    /// It was asked and did not answer in time.
    #[error("{peer} did not answer within {} s; try again", after.as_secs())]
    TimedOut {
        /// Who was asked.
        peer: Peer,
        /// How long it was waited for.
        after: Duration,
    },
    /// It says of itself that it does not work: 408 or 5xx.
    #[error("{peer} is failing with HTTP status {status}; try again later")]
    Failing {
        /// Who was asked.
        peer: Peer,
        /// The HTTP status.
        status: u16,
        /// When it wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// 429.
    #[error("{peer} says that it is asked too often; try again later, and ask it less often")]
    Throttled {
        /// Who was asked.
        peer: Peer,
        /// When it wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It answered something that such a service does not answer.
    #[error("{peer} {why}")]
    Nonsense {
        /// Who was asked.
        peer: Peer,
        /// What is wrong with the answer.
        why: Nonsense,
    },
    /// The vault refuses.
    #[error("{vault} refuses identity {identity:?}: {why}")]
    Refused {
        /// The vault that was asked.
        vault: Peer,
        /// The identity's name in valet.yaml.
        identity: Arc<str>,
        /// Its reason.
        why: Refusal,
    },
    /// The storage account refuses.
    #[error("{account} refuses identity {identity:?}: {why}")]
    RefusedByStorage {
        /// The endpoint that was asked.
        account: Peer,
        /// The identity's name in valet.yaml.
        identity: Arc<str>,
        /// Its reason.
        why: StorageRefusal,
    },
    /// The identity cannot prove itself.
    #[error("identity {identity:?} {why}")]
    Identity {
        /// The identity's name in valet.yaml.
        identity: Arc<str>,
        /// What is wrong with it.
        why: IdentityProblem,
    },
    /// It was not asked, because of how it answered before.
    #[error("{peer} is not asked for {} s, because it {trouble}", in_seconds(*retry_after))]
    HeldBack {
        /// Who was not asked.
        peer: Peer,
        /// What it said last, or did.
        trouble: Trouble,
        /// When it will be asked again.
        retry_after: Duration,
    },
    /// It was not asked, because it has been asked so often.
    #[error(
        "{peer} is not asked for {} s, because its budget of {} requests per {} s is spent; if the vault allows more, raise `budget` in valet.yaml",
        in_seconds(*retry_after), budget.requests, budget.per.as_secs_f64()
    )]
    BudgetSpent {
        /// Who was not asked.
        peer: Peer,
        /// How often it may be.
        budget: BudgetConfig,
        /// When it may be asked again.
        retry_after: Duration,
    },
    /// It was not asked, because nobody waits for the answer and others may soon.
    #[error("what is left of the budget of {peer} is kept for reads that somebody waits for")]
    Yielded {
        /// Who was not asked.
        peer: Peer,
    },
    /// The configuration cannot be taken into use.
    #[error(transparent)]
    Setup(#[from] Setup),
}

/// What keeps a service from being asked for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// 429.
    #[error("says that it is asked too often")]
    Throttled,
    /// 408 or 5xx.
    #[error("fails with HTTP status {0}")]
    Failing(u16),
    /// No answer in time.
    #[error("did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// No way to it.
    #[error("cannot be reached: {0}")]
    Unreachable(Unreachable),
}

/// Rounded up, so that who comes back then does not come too early.
fn in_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl Error {
    /// When it makes sense to ask again, where somebody said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failing { retry_after, .. } | Self::Throttled { retry_after, .. } => *retry_after,
            Self::HeldBack { retry_after, .. } | Self::BudgetSpent { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A vault.
    Vault {
        /// Its host, and its port where that is not the usual one.
        host: HostName,
    },
    /// A service of a storage account.
    Storage {
        /// Its host, likewise.
        host: HostName,
    },
    /// Entra, which gives tokens.
    Entra {
        /// Its host, likewise.
        host: HostName,
        /// The identity that a token was asked for, by its name in valet.yaml.
        identity: Arc<str>,
    },
    /// The endpoint of the machine, pod or app that gives tokens of managed identities.
    ManagedIdentity {
        /// Its host, likewise.
        host: HostName,
        /// The identity that a token was asked for, by its name in valet.yaml.
        identity: Arc<str>,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault { host } => write!(f, "vault {host}"),
            Self::Storage { host } => write!(f, "storage endpoint {host}"),
            Self::Entra { host, identity } => write!(f, "Entra at {host} (identity {identity:?})"),
            Self::ManagedIdentity { host, identity } => {
                write!(f, "the managed identity endpoint {host} (identity {identity:?})")
            }
        }
    }
}

/// What is in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// No address for the name.
    #[error(
        "its name has no address; check the URL and the DNS (a vault or storage account that does not exist has no name)"
    )]
    Dns,
    /// Nobody listens there.
    #[error("the connection was refused; check the port and the firewalls on the way")]
    ConnectionRefused,
    /// No connection in time.
    #[error("no connection within {} s; check the firewalls and the route to it", .0.as_secs())]
    ConnectTimedOut(Duration),
    /// The network says that there is no way.
    #[error("there is no route to it; check the network of this machine")]
    NoRoute,
    /// It ended in the middle.
    #[error("the connection broke off before the answer was complete; try again")]
    BrokenOff,
    /// A connection, and then no trust.
    #[error("{0}")]
    Tls(TlsProblem),
}

/// Why a TLS connection did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// The certificate names other hosts.
    #[error("its TLS certificate is for another host name; check the URL, and who answers for that name")]
    WrongName,
    /// Signed by nobody we trust.
    #[error(
        "its TLS certificate is signed by an authority that is not trusted here; name that authority's PEM file as network.ca_file"
    )]
    UnknownIssuer,
    /// Over.
    #[error("its TLS certificate has expired; renew it, or set this machine's clock")]
    Expired,
    /// Not begun.
    #[error("its TLS certificate is not valid yet; set this machine's clock")]
    NotYetValid,
    /// A certificate authority's own certificate, as `openssl req -x509` makes it.
    #[error(
        "its TLS certificate is that of a certificate authority (CA:TRUE), which a server must not use; make one with CA:FALSE and a subjectAltName"
    )]
    CaUsedAsEndEntity,
    /// Anything else about the certificate.
    #[error("its TLS certificate is not acceptable; look at it with openssl s_client")]
    BadCertificate,
    /// No TLS at all, or no version or cipher in common.
    #[error("the TLS handshake failed; check that what answers there speaks TLS 1.2 or 1.3")]
    Handshake,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// 3xx. Following it would take the answer of a host that nobody configured.
    #[error("answered with a redirect (HTTP status {0}), which is not followed; check the URL, and proxies on the way")]
    Redirect(u16),
    /// A link to somewhere else.
    #[error("points to another host, which is not followed")]
    ForeignHost,
    /// No status that such a service answers here.
    #[error("answered with HTTP status {0}, which such a service does not; check the URL, and proxies on the way")]
    Status(u16),
    /// 404 of a storage account as a whole.
    #[error(
        "answered with HTTP status 404: there is no such storage account; check its name and endpoint, and proxies on the way"
    )]
    NoAccount,
    /// 400 to somebody who asks for a user delegation key, in the one form that there is.
    #[error(
        "answered with HTTP status 400: it gives no user delegation keys (emulators do so for blobs only); check the endpoint, or use a grant of kind service-sas"
    )]
    NoDelegationKeys,
    /// HTML, nothing, or something of another shape.
    #[error("answered something that cannot be read; check the URL, and proxies on the way")]
    Unreadable,
    /// A secret without a value.
    #[error("answered without a value")]
    NoValue,
    /// More than any such answer needs.
    #[error("answered with more than {} KiB, which no such answer needs; check the URL", .0 / 1024)]
    TooLarge(usize),
    /// More versions of one secret than are looked through.
    #[error("lists more than {0} versions of one secret; purge the old ones, or enable the latest")]
    TooManyVersions(usize),
    /// It answered a request without a token.
    #[error("did not ask for a token; check that the URL is a Key Vault's")]
    NoChallenge,
    /// It asks for a token that is not for it.
    #[error("asks for a token of another service or does not say of which; check the URL, and proxies on the way")]
    Challenge,
}

/// Why a vault refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 403 `SecretDisabled`.
    #[error("the secret is disabled; enable it or delete it")]
    Disabled,
    /// 403 `ForbiddenByRbac`.
    #[error(
        "it may not read secrets; give it the role \"Key Vault Secrets User\" on the vault (new rights take some minutes)"
    )]
    MissingRole,
    /// 403 `AccessDenied` or `ForbiddenByPolicy`.
    #[error(
        "it may not read secrets; give it the secret permission \"get\" in the vault's access policies (new rights take some minutes)"
    )]
    MissingPolicy,
    /// 403 to the list of secrets, for want of a right.
    #[error(
        "it may not list secrets; give it the role \"Key Vault Secrets User\" on the vault, or the secret permission \"list\" in its access policies"
    )]
    MayNotList,
    /// 403 to the list of a secret's versions, for want of a right.
    #[error(
        "the latest version of the secret is disabled or suspect, and the identity may not list the others; enable that one, store a new one, or give the identity the role \"Key Vault Secrets User\" on the vault or the secret permission \"list\" in its access policies"
    )]
    MayNotListVersions,
    /// 403 `ForbiddenByFirewall`.
    #[error("this address is not let in; add it to the vault's firewall, or use a private endpoint")]
    Firewall,
    /// 403 `ForbiddenByConnection`.
    #[error("the vault is closed to the public network; use its private endpoint, or open it")]
    PrivateOnly,
    /// Another 403.
    #[error("it is forbidden, for no reason that is known; look into the vault's log, and at proxies on the way")]
    Forbidden,
    /// 401 although it got a token, and a new one as well.
    #[error("it does not accept the token{}; check the identity's tenant, and this machine's clock", akv(*.code))]
    Unauthorized {
        /// Its number for the reason, e.g. 10032 for `AKV10032`.
        code: Option<u32>,
    },
}

fn akv(code: Option<u32>) -> String {
    code.map(|code| format!(" (AKV{code})")).unwrap_or_default()
}

/// Why a configuration cannot be taken into use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Setup {
    /// The file cannot be read.
    #[error("ca_file {} cannot be read: {why}", path.display())]
    UnreadableCaFile {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        why: std::io::ErrorKind,
    },
    /// Nothing in the file is a certificate.
    #[error("ca_file {} has no usable certificate; it must hold PEM blocks that begin with -----BEGIN CERTIFICATE-----", .0.display())]
    BadCaFile(PathBuf),
    /// No certificate authority is known at all.
    #[error(
        "no certificate authority is trusted here: install the system's (Debian: ca-certificates), point SSL_CERT_FILE at a PEM bundle, or name one as network.ca_file"
    )]
    NoRoots,
    /// The HTTP client refuses to be built.
    #[error("no HTTP client can be built; check HTTP_PROXY, HTTPS_PROXY and ca_file")]
    NoClient,
    /// The URL is no base URL of a service.
    #[error("{what} {why}")]
    BadUrl {
        /// What it is the URL of, e.g. `the vault's url`.
        what: &'static str,
        /// What is wrong with it.
        why: BadUrl,
    },
    /// A part of an identity is neither in valet.yaml nor in the environment.
    #[error("identity {identity:?} needs the environment variable {variable}{}", instead_of(*.setting))]
    MissingVariable {
        /// The identity's name in valet.yaml.
        identity: Arc<str>,
        /// The variable.
        variable: String,
        /// What to write in valet.yaml instead, if that is possible.
        setting: Option<&'static str>,
    },
    /// A variable that an identity needs is no text.
    #[error(transparent)]
    NotUtf8(crate::env::NotUtf8),
    /// A part of an identity is no such thing.
    #[error("identity {identity:?}: {what}")]
    BadIdentity {
        /// The identity's name in valet.yaml.
        identity: Arc<str>,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// A source names an identity that there is not.
    #[error("there is no identity {0:?}; define it under identities")]
    UnknownIdentity(Arc<str>),
}

fn instead_of(setting: Option<&'static str>) -> String {
    setting.map(|setting| format!(", or {setting} in valet.yaml")).unwrap_or_default()
}

/// What is wrong with a base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Neither https nor http, or no host.
    #[error("must be https://HOST or https://HOST:PORT")]
    NotHttps,
    /// http to another machine.
    #[error("must be https: http is for loopback hosts only (127.0.0.0/8, ::1, localhost, *.localhost)")]
    PlainText,
    /// More than scheme, host and port.
    #[error("must be scheme, host and port only: no user, path, query or fragment")]
    MoreThanOrigin,
    /// More than scheme, host, port and path.
    #[error("must be scheme, host, port and path only: no user, query or fragment")]
    MoreThanPath,
}
