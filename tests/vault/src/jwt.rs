//! Access tokens: signed here with ES256, checked on each request to a vault (signature, issuer, audience, times). Clients treat
//! them as opaque; only the vault face and the tests look inside.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The claims of an Entra v1 access token, as Key Vault gets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The resource, without a final slash unless one was asked for.
    pub(crate) aud: String,
    /// `https://sts.windows.net/TENANT/`.
    pub(crate) iss: String,
    /// Issued at, Unix seconds.
    pub(crate) iat: i64,
    /// Valid from, Unix seconds.
    pub(crate) nbf: i64,
    /// Valid until, Unix seconds.
    pub(crate) exp: i64,
    /// The client id.
    pub(crate) appid: String,
    /// The object id of the service principal.
    pub(crate) oid: String,
    /// The subject, here the same as `oid`.
    pub(crate) sub: String,
    /// The tenant.
    pub(crate) tid: String,
    /// `1.0`.
    pub(crate) ver: String,
}

/// Why a token is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    Signature { header: String },
    Issuer { found: String },
    Audience { found: String },
    NotYetValid,
    Expired,
}

/// The key that signs access tokens, new in each test vault: a token of another one is refused.
pub(crate) struct TokenKey {
    pair: EcdsaKeyPair,
    id: String,
    random: SystemRandom,
}

impl TokenKey {
    pub(crate) fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let id = hex(&digest::digest(&digest::SHA256, pair.public_key().as_ref()).as_ref()[..10]);
        Ok(Self { pair, id, random: SystemRandom::new() })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let header = encode(&json!({"typ": "JWT", "alg": ALGORITHM, "kid": self.id}));
        let signed = format!("{header}.{}", encode(&json!(claims)));
        let signature = self.pair.sign(&self.random, signed.as_bytes()).expect("a generated key signs any message");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Checks everything a vault checks, in its order.
    pub(crate) fn verify(&self, token: &str, issuer: &str, audience: &str, now: i64) -> Result<Claims, Refusal> {
        let jwt = Jwt::parse(token).ok_or(Refusal::Malformed)?;
        let known = jwt.header["alg"] == ALGORITHM && jwt.header["kid"] == self.id;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        if !known || key.verify(jwt.signed.as_bytes(), &jwt.signature).is_err() {
            return Err(Refusal::Signature { header: jwt.header.to_string() });
        }
        let claims: Claims = serde_json::from_value(jwt.payload).map_err(|_| Refusal::Malformed)?;
        if claims.iss != issuer {
            return Err(Refusal::Issuer { found: claims.iss });
        }
        if claims.aud != audience {
            return Err(Refusal::Audience { found: claims.aud });
        }
        if now < claims.nbf {
            return Err(Refusal::NotYetValid);
        }
        if now >= claims.exp {
            return Err(Refusal::Expired);
        }
        Ok(claims)
    }

    /// The public half as a JSON Web Key Set.
    pub(crate) fn key_set(&self) -> Value {
        // An uncompressed point: 0x04, then x and y of 32 bytes each.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"keys": [{"kty": "EC", "use": "sig", "crv": "P-256", "kid": self.id, "x5t": self.id, "x": x, "y": y}]})
    }
}

/// A JSON Web Token, taken apart but not checked.
pub(crate) struct Jwt<'a> {
    pub(crate) header: Value,
    pub(crate) payload: Value,
    /// What the signature covers.
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// `None` unless it is three parts of unpadded base64url, the first two JSON objects.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let object = |part: &str| -> Option<Value> {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        Some(Self {
            header: object(header)?,
            payload: object(payload)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}

/// A GUID that depends on `seed` alone: object ids, trace ids.
pub(crate) fn guid(seed: &str) -> String {
    let digits = hex(&digest::digest(&digest::SHA256, seed.as_bytes()).as_ref()[..16]);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

const ALGORITHM: &str = "ES256";
