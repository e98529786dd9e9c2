use super::SignError;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment in whole seconds UTC, with its text `YYYY-MM-DDTHH:MM:SSZ`: what is signed is what is sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    unix: u64,
    text: [u8; 20],
}

impl Timestamp {
    /// The moment of a clock, its fraction of a second cut.
    pub fn at(field: &'static str, time: SystemTime) -> Result<Self, SignError> {
        Self::from_unix(field, seconds(field, time)?)
    }

    /// Parses RFC 3339 with any offset; the result is UTC, its fraction of a second cut.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, SignError> {
        let problem = "is no time: write it as YYYY-MM-DDTHH:MM:SSZ";
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| SignError::Invalid { field, problem })?;
        Self::from_unix(field, u64::try_from(time.unix_timestamp()).map_err(|_| out_of_range(field))?)
    }

    /// From seconds since 1970.
    pub(super) fn from_unix(field: &'static str, unix: u64) -> Result<Self, SignError> {
        let time = i64::try_from(unix).ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
        let time = time.ok_or(out_of_range(field))?;
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second) = time.to_hms();
        let mut text = *b"0000-00-00T00:00:00Z";
        let year = u16::try_from(year).map_err(|_| out_of_range(field))?;
        for (at, byte) in [(0, year / 1000), (1, year / 100), (2, year / 10), (3, year)] {
            text[at] = digit((byte % 10).to_le_bytes()[0]);
        }
        for (at, part) in [(5, month.into()), (8, day), (11, hour), (14, minute), (17, second)] {
            text[at] = digit(part / 10);
            text[at + 1] = digit(part % 10);
        }
        Ok(Self { unix, text })
    }

    /// The text that is signed and sent.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("built from ASCII")
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> u64 {
        self.unix
    }

    /// The moment as a clock has it.
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.unix)
    }

    /// How long after an earlier moment it is; nothing where it is not after it.
    pub(super) fn since(&self, earlier: Self) -> Duration {
        Duration::from_secs(self.unix.saturating_sub(earlier.unix))
    }
}

/// Whole seconds since 1970.
pub(super) fn seconds(field: &'static str, time: SystemTime) -> Result<u64, SignError> {
    Ok(time.duration_since(UNIX_EPOCH).map_err(|_| out_of_range(field))?.as_secs())
}

fn digit(value: u8) -> u8 {
    b'0' + value
}

fn out_of_range(field: &'static str) -> SignError {
    SignError::Invalid { field, problem: "is out of range: choose a year from 1970 to 9999" }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
