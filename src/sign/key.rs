use super::{
    SignError,
    hmac::{self, Signature},
};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};
use std::fmt;
use zeroize::Zeroizing;

/// The fewest bytes of a key: the output of SHA-256, below which HMAC loses strength (RFC 2104, section 3). Azure's own account keys have 64.
const LEAST_KEY_BYTES: usize = 32;

/// The fewest characters of a Service Bus key. Azure's have 44; the emulator's documented placeholder has 13; less is an accident.
const LEAST_SHARED_ACCESS_CHARACTERS: usize = 8;

/// The most characters of any key, so that a wrong file in its place is noticed.
const MOST_CHARACTERS: usize = 1024;

/// As lenient as the SDKs, which ignore the unused bits of the last digit.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A key of a storage, Cosmos or Batch account. It is wiped when dropped, and no part of it can be printed.
#[derive(Clone)]
pub struct AccountKey(Zeroizing<Vec<u8>>);

impl AccountKey {
    /// Parses the base64 text that Azure shows. White space around it is ignored: vaults and files often add a line break.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        Self::parse_field("key", text)
    }

    pub(super) fn parse_field(field: &'static str, text: &str) -> Result<Self, SignError> {
        let text = text.trim_ascii();
        let refuse = |problem| Err(SignError::Invalid { field, problem });
        if text.is_empty() {
            return refuse("is empty: give the account's key");
        }
        if text.len() > MOST_CHARACTERS {
            return Err(SignError::TooLong { field, most: MOST_CHARACTERS });
        }
        match BASE64.decode(text).map(Zeroizing::new) {
            Ok(key) if key.len() < LEAST_KEY_BYTES => refuse("is too short: was it cut when it was copied?"),
            Ok(key) => Ok(Self(key)),
            Err(_) => refuse("is not base64: give the key as Azure shows it"),
        }
    }

    pub(super) fn sign(&self, string_to_sign: &str) -> Signature {
        hmac::signature(&self.0, string_to_sign)
    }
}

/// A key of a Service Bus or Event Hubs policy. Its text itself is the key: it looks like base64 but is never decoded.
#[derive(Clone)]
pub struct SharedAccessKey(Zeroizing<String>);

impl SharedAccessKey {
    /// Takes the key's text. White space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        let text = text.trim_ascii();
        super::text::check("key", text, MOST_CHARACTERS)?;
        if text.chars().count() < LEAST_SHARED_ACCESS_CHARACTERS {
            return Err(SignError::Invalid { field: "key", problem: "is too short: was it cut when it was copied?" });
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    pub(super) fn sign(&self, string_to_sign: &str) -> Signature {
        hmac::signature(self.0.as_bytes(), string_to_sign)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(..)")
    }
}

impl fmt::Debug for SharedAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAccessKey(..)")
    }
}
