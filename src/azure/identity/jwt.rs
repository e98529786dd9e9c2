//! Client assertions as Entra wants them from a certificate's holder
//! (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).

use super::CertificateProblem;
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{RSA_PSS_SHA256, RsaEncoding},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::json;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long an assertion is good for; Entra wants 5 to 10 minutes.
const LIFETIME: Duration = Duration::from_mins(10);

/// A certificate, those that vouch for it, and its private key.
pub(super) struct SigningCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningCertificate").finish_non_exhaustive()
    }
}

impl SigningCertificate {
    /// Parses PEM text: the certificate first, then others of its chain, and its RSA key (PKCS#8 or PKCS#1), not encrypted, anywhere.
    /// `place` is where it came from.
    pub(super) fn from_pem(pem: &[u8], place: &str) -> Result<Self, CertificateProblem> {
        // ASN.1: a SEQUENCE whose length takes more than a byte. Text never begins so.
        if matches!(pem, [0x30, 0x80..=0x84, ..]) {
            return Err(CertificateProblem::NotPem(place.to_owned()));
        }
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| CertificateProblem::NoCertificate)?;
        if chain.is_empty() {
            return Err(CertificateProblem::NoCertificate);
        }
        if pem.windows(9).any(|window| window == b"ENCRYPTED") {
            return Err(CertificateProblem::EncryptedKey);
        }
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| CertificateProblem::NoKey)? {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(CertificateProblem::NotRsa),
        };
        let key = key.map_err(|_| CertificateProblem::NotRsa)?;
        if key.public_modulus_len() < KeySize::Rsa2048.len() {
            return Err(CertificateProblem::NotRsa);
        }
        Ok(Self { chain, key })
    }

    /// An assertion that `client_id` sends to `audience`, once. The certificate is named by both thumbprints and sent along with its chain, so
    /// that applications that trust its subject and issuer accept it too.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: SystemTime,
        random: &SystemRandom,
    ) -> Option<String> {
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.chain[0]));
        let header = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t": thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            "x5t#S256": thumbprint(&digest::SHA256),
            "x5c": self.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>(),
        });
        let mut id = [0; 16];
        aws_lc_rs::rand::SecureRandom::fill(random, &mut id).ok()?;
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "iat": seconds(now),
            "nbf": seconds(now),
            "exp": seconds(now + LIFETIME),
        });
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let padding: &'static dyn RsaEncoding = &RSA_PSS_SHA256;
        self.key.sign(padding, random, signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
