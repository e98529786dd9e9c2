//! Client certificates as Entra checks them: an assertion (a JWT) signed by a registered certificate's RSA key. Parsing and signature
//! checks are rustls-webpki's, the code that also checks certificates in TLS.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use webpki::{
    EndEntityCert,
    aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

use crate::jwt::Jwt;

/// A registered certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    /// Base64url of its SHA-1, as `x5t` has it.
    sha1: String,
    /// Base64url of its SHA-256, as `x5t#S256` has it.
    sha256: String,
}

impl Certificate {
    /// The first certificate of a PEM text (a private key beside it is skipped).
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        EndEntityCert::try_from(&der).ok()?;
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &der));
        let (sha1, sha256) = (thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY), thumbprint(&digest::SHA256));
        Some(Self { der, sha1, sha256 })
    }

    fn is_named_in(&self, header: &Value) -> bool {
        let named = |field: &str, thumbprint: &str| header[field].as_str().map(|text| same(text, thumbprint));
        named("x5t#S256", &self.sha256).or_else(|| named("x5t", &self.sha1)).unwrap_or(false)
    }

    fn signed(&self, jwt: &Jwt<'_>) -> bool {
        let algorithm = match jwt.header["alg"].as_str() {
            Some("RS256") => RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        EndEntityCert::try_from(&self.der).is_ok_and(|certificate| {
            certificate.verify_signature(algorithm, jwt.signed.as_bytes(), &jwt.signature).is_ok()
        })
    }
}

/// Why an assertion is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAssertion {
    /// No registered certificate has this thumbprint, or its key did not sign this.
    NotSigned,
    /// `aud` is not the token endpoint.
    Audience,
    /// `iss` or `sub` is not the client id.
    Client,
    /// `exp` or `nbf` is missing or out of range.
    Times,
    /// `jti` is missing.
    Incomplete,
}

/// Whether the assertion names its certificate; otherwise it is a federated token.
pub(crate) fn names_certificate(jwt: &Jwt<'_>) -> bool {
    ["x5t", "x5t#S256"].iter().any(|field| jwt.header.get(field).is_some())
}

/// Checks an assertion against the certificates of the application `client_id`.
pub(crate) fn check(
    jwt: &Jwt<'_>,
    certificates: &[Certificate],
    client_id: &str,
    token_url: &str,
    now: i64,
) -> Result<(), BadAssertion> {
    if !certificates.iter().any(|certificate| certificate.is_named_in(&jwt.header) && certificate.signed(jwt)) {
        return Err(BadAssertion::NotSigned);
    }
    let claim = |name: &str| jwt.payload[name].as_str();
    if claim("aud") != Some(token_url) {
        return Err(BadAssertion::Audience);
    }
    if [claim("iss"), claim("sub")].iter().any(|id| !id.is_some_and(|id| id.eq_ignore_ascii_case(client_id))) {
        return Err(BadAssertion::Client);
    }
    // Numbers may have fractions: MSAL's do.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in an f64")]
    let now = now as f64;
    let expired = jwt.payload["exp"].as_f64().is_none_or(|exp| exp <= now);
    let early = jwt.payload.get("nbf").is_some_and(|nbf| nbf.as_f64().is_none_or(|nbf| nbf.floor() > now));
    if expired || early {
        return Err(BadAssertion::Times);
    }
    if claim("jti").is_none_or(str::is_empty) { Err(BadAssertion::Incomplete) } else { Ok(()) }
}

/// Some clients pad their base64url.
fn same(text: &str, thumbprint: &str) -> bool {
    text.trim_end_matches('=') == thumbprint
}
