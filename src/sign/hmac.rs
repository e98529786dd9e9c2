use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// An HMAC-SHA256 in base64.
pub(super) struct Signature([u8; 44]);

/// The one cryptographic call: HMAC-SHA256 (RFC 2104).
pub(super) fn signature(key: &[u8], string_to_sign: &str) -> Signature {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    let mut text = [0; 44];
    STANDARD.encode_slice(mac.finalize().into_bytes(), &mut text).expect("32 bytes are 44 digits");
    Signature(text)
}

impl Signature {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }

    /// Its length as a component of a URI, where `+`, `/` and `=` become three characters.
    pub(super) fn escaped_len(&self) -> usize {
        self.0.len() + 2 * self.0.iter().filter(|digit| !digit.is_ascii_alphanumeric()).count()
    }
}
