use super::{SignError, Timestamp};
use std::time::SystemTime;
use time::{OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// The one form of a date that HTTP writes (RFC 9110, 5.6.7): `Wed, 02 Jan 2030 03:04:05 GMT`.
const FIXED: &[BorrowedFormatItem] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// A moment as `x-ms-date`.
pub(super) fn format(time: SystemTime) -> Result<String, SignError> {
    let unix = i64::try_from(Timestamp::at("now", time)?.unix());
    let time = unix.ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
    let text = time.and_then(|time| time.format(FIXED).ok());
    Ok(text.expect("a timestamp is within the calendar"))
}

/// Refuses a date that the service would not read.
pub(super) fn check(field: &'static str, text: &str) -> Result<(), SignError> {
    let problem = "is no HTTP date: write it as Wed, 02 Jan 2030 03:04:05 GMT";
    PrimitiveDateTime::parse(text, FIXED).map(drop).map_err(|_| SignError::Invalid { field, problem })
}
