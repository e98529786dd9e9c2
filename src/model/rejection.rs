use super::{Fault, FaultKind, Lookup, Name, Secret};
use sha2::{Digest as _, Sha256};
use std::{fmt, time::Duration};

/// A report that the service which a credential is for has refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Whose credential it is.
    pub of: Credential,
    /// Which value was refused; `None` where the one is meant that is handed out now.
    pub value: Option<ValueDigest>,
}

/// Where a credential came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A connection.
    Connection(Lookup),
    /// A grant.
    Grant(Name),
}

/// What became of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reported {
    /// Whether it was acted on.
    pub accepted: bool,
    /// When it would be, where it came too soon after another one.
    pub retry_after: Option<Duration>,
    /// Whether another value is handed out now than the one that was refused.
    pub superseded: bool,
}

/// Tells one value from another without telling the value: its SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct ValueDigest([u8; 32]);

impl ValueDigest {
    /// The digest of a value.
    pub fn of(value: &Secret) -> Self {
        Self(Sha256::digest(value.expose()).into())
    }

    /// Reads the 64 hexadecimal digits that a client sent; nothing at all is no digest.
    ///
    /// # Errors
    /// [`FaultKind::BadRequest`].
    pub fn parse(hex: &str) -> Result<Option<Self>, Fault> {
        if hex.is_empty() {
            return Ok(None);
        }
        let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
        let bytes = digits.filter(|digits| digits.len() == 64).map(|digits| {
            std::array::from_fn(|at| {
                u8::try_from(digits[2 * at] * 16 + digits[2 * at + 1]).expect("two digits make a byte")
            })
        });
        let message = "valueSha256: expected the SHA-256 of the value, as 64 hexadecimal digits";
        bytes.map(|bytes| Some(Self(bytes))).ok_or_else(|| Fault::new(FaultKind::BadRequest, message))
    }

    /// As [`Self::parse`] reads it.
    pub fn to_hex(&self) -> String {
        let digit = |value| char::from_digit(u32::from(value), 16).expect("four bits make a digit");
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

impl fmt::Debug for ValueDigest {
    /// Nothing: of a weak password it tells enough to find it out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_hexadecimal_digits_of_either_case_and_is_not_shown() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = ValueDigest::of(&Secret::new("abc"));
        assert_eq!(digest.to_hex(), hex);
        assert_eq!(ValueDigest::parse(hex), Ok(Some(digest.clone())));
        assert_eq!(ValueDigest::parse(&hex.to_uppercase()), Ok(Some(digest.clone())));
        assert_eq!(ValueDigest::parse(""), Ok(None));
        for bad in ["abc", &hex[1..], &format!("{hex}0"), &hex.replace('b', "g"), &"é".repeat(32)] {
            assert_eq!(ValueDigest::parse(bad).unwrap_err().kind(), FaultKind::BadRequest, "{bad}");
        }
        assert_eq!(format!("{digest:?}"), "ValueDigest(..)");
    }
}
