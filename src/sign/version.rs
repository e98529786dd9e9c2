use super::SignError;
use std::fmt;

/// A version of the storage services' REST API, `YYYY-MM-DD`. As `sv` it decides the layout of what is signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; 10]);

impl Version {
    /// The oldest one offered: before it, canonical names had no service in them.
    pub const OLDEST: Self = Self(*b"2015-04-05");
    /// The newest one whose layouts are known here. A later one may sign other fields, so it is refused rather than guessed.
    pub const NEWEST: Self = Self(*b"2026-10-06");
    /// For service and account SAS: old enough to be deployed in every region and cloud; their layouts have not changed since.
    pub const DEFAULT: Self = Self(*b"2022-11-02");

    pub(super) const V2015_02_21: Self = Self(*b"2015-02-21");
    pub(super) const V2016_05_31: Self = Self(*b"2016-05-31");
    pub(super) const V2018_11_09: Self = Self(*b"2018-11-09");
    pub(super) const V2019_10_10: Self = Self(*b"2019-10-10");
    pub(super) const V2019_12_12: Self = Self(*b"2019-12-12");
    pub(super) const V2020_02_10: Self = Self(*b"2020-02-10");
    pub(super) const V2020_08_04: Self = Self(*b"2020-08-04");
    pub(super) const V2020_12_06: Self = Self(*b"2020-12-06");
    pub(super) const V2021_04_10: Self = Self(*b"2021-04-10");
    pub(super) const V2025_07_05: Self = Self(*b"2025-07-05");
    pub(super) const V2026_04_06: Self = Self(*b"2026-04-06");

    /// Parses a version that tokens may be signed for.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        let version = Self::parse_any("service_version", text)?;
        if version < Self::OLDEST {
            let problem = "is before 2015-04-05, the oldest one offered: choose a later one";
            return Err(SignError::Invalid { field: "service_version", problem });
        }
        if version > Self::NEWEST {
            let problem = "is after 2026-10-06, the newest one whose layouts are known here: choose an earlier one";
            return Err(SignError::Invalid { field: "service_version", problem });
        }
        Ok(version)
    }

    /// Parses a version that somebody else chose: a delegation key's, or the `x-ms-version` of a request.
    pub(super) fn parse_any(field: &'static str, text: &str) -> Result<Self, SignError> {
        let bytes: Option<[u8; 10]> = text.as_bytes().try_into().ok();
        bytes
            .filter(is_date)
            .map(Self)
            .ok_or(SignError::Invalid { field, problem: "is no date: write it as YYYY-MM-DD" })
    }

    /// The version as it is signed and sent.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("parsed as ASCII")
    }

    /// Refuses a field that came with a later version than this one.
    pub(super) fn require(self, field: &'static str, since: Self) -> Result<(), SignError> {
        if self < since { Err(SignError::NeedsVersion { field, since, chosen: self }) } else { Ok(()) }
    }
}

fn is_date(bytes: &[u8; 10]) -> bool {
    let number = |digits: &[u8]| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
        && (1..=12).contains(&number(&bytes[5..7]))
        && (1..=31).contains(&number(&bytes[8..]))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
