use std::{io, path::PathBuf, sync::Arc, time::Duration};

/// Why an identity cannot prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityProblem {
    /// Entra's 4xx.
    #[error("is refused by Entra{}", aadsts(*.code))]
    Refused {
        /// Entra's number of the reason (`AADSTS…`), where it gave one.
        code: Option<u32>,
    },
    /// The managed identity endpoint's 400.
    #[error("is not assigned to this machine, pod or app; assign it, or check its id")]
    NotAssigned,
    /// A file that the identity consists of.
    #[error("cannot be used: {} cannot be read ({why})", path.display())]
    UnreadableFile {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        why: io::ErrorKind,
    },
    /// A file that the identity consists of has nothing in it.
    #[error("cannot be used: {} is empty", .0.display())]
    EmptyFile(PathBuf),
    /// The certificate or its key cannot be used.
    #[error("has no usable certificate: {0}")]
    Certificate(CertificateProblem),
    /// `az` does not give a token.
    #[error("gets no token from the Azure CLI: {0}")]
    Cli(CliProblem),
    /// The default chain found nothing that is there.
    #[error("has nothing to prove itself with: {0}")]
    NothingConfigured(Arc<str>),
    /// What came is no token.
    #[error("got an answer that is no token; check authority_host, and proxies on the way")]
    NoToken,
    /// The token came too late.
    #[error("got a token that has already ended; set this machine's clock")]
    TokenHasEnded,
    /// No token in time.
    #[error("got no token within {} s; try again", .0.as_secs())]
    TimedOut(Duration),
    /// Tokens of too many services are asked for.
    #[error("is asked for tokens of too many services; check the vaults and scopes that use it")]
    TooManyScopes,
}

/// What is wrong with a client certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// PKCS#12 (.pfx, .p12), or another binary form.
    #[error(
        "it is not PEM; if it is PKCS#12, convert it with `openssl pkcs12 -in {0} -out {0}.pem -nodes` and name that file"
    )]
    NotPem(String),
    /// No certificate in the PEM text.
    #[error("there is no -----BEGIN CERTIFICATE----- in it")]
    NoCertificate,
    /// No key in the PEM text.
    #[error("there is no -----BEGIN PRIVATE KEY----- in it; add the unencrypted key behind the certificate")]
    NoKey,
    /// An encrypted key.
    #[error(
        "its private key is encrypted; decrypt it with `openssl pkey -in ENCRYPTED -out PLAIN` and keep the file readable by Valet only"
    )]
    EncryptedKey,
    /// A key of another kind.
    #[error("its private key is not RSA of 2048 to 8192 bits, the only kind that Entra takes")]
    NotRsa,
}

/// Why the Azure CLI gives no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CliProblem {
    /// There is no `az`.
    #[error("az is not on PATH; install it, or use another kind of identity")]
    NotInstalled,
    /// It is there and fails.
    #[error("az failed; run `az login`, and try `az account get-access-token` by hand")]
    Failed,
}

/// Entra's number, and for the frequent ones what it means and what to do
/// (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).
fn aadsts(code: Option<u32>) -> String {
    let Some(code) = code else {
        return "; check its tenant, client id and credential".to_owned();
    };
    let hint = match code {
        7_000_215 => "the client secret is wrong; give its value, not its id",
        7_000_222 => "the client secret has expired; make a new one",
        700_016 => "there is no such application in this tenant; check client_id and tenant_id",
        90_002 | 900_023 => "there is no such tenant; check tenant_id",
        700_027 => "the certificate is not one of the application's, or has expired; upload it",
        70_021 | 700_211 | 700_212 | 700_213 => {
            "no federated credential matches the token's issuer, subject and audience; add one for this service account"
        }
        700_024 => "the assertion has ended or not begun; set this machine's clock",
        500_011 | 650_057 => {
            "the service that the token is for is not known in this tenant; check tenant_id, authority_host and scope"
        }
        70_011 | 1_002_012 => "the scope is not valid; write the service's URI with /.default behind it",
        50_034 | 53_003 | 7_000_112 => {
            "the application is disabled or a policy blocks it; look into Entra's sign-in log"
        }
        _ => "look the number up in Entra's list of error codes",
    };
    format!(" (AADSTS{code}): {hint}")
}
