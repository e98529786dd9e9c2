use super::{SignError, Timestamp};
use std::time::{Duration, SystemTime};
use time::{OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// The one form of a date that HTTP writes (RFC 9110, 5.6.7): `Wed, 02 Jan 2030 03:04:05 GMT`.
const FIXED: &[BorrowedFormatItem] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// How far a request's date may be from now.
const MOST_APART: Duration = Duration::from_mins(15);

/// A moment as `x-ms-date`.
pub(super) fn format(time: SystemTime) -> Result<String, SignError> {
    let unix = i64::try_from(Timestamp::at("now", time)?.unix());
    let time = unix.ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
    let text = time.and_then(|time| time.format(FIXED).ok());
    Ok(text.expect("a timestamp is within the calendar"))
}

/// Refuses a date that the service would not read.
pub(super) fn check(field: &'static str, text: &str) -> Result<(), SignError> {
    parse(field, text).map(drop)
}

/// Refuses a date that the service would not take now ("Authorize with Shared Key": a request is at most 15 minutes old).
pub(super) fn check_near(field: &'static str, text: &str, now: SystemTime) -> Result<(), SignError> {
    let date = SystemTime::from(parse(field, text)?);
    let apart = now.duration_since(date).unwrap_or_else(|later| later.duration());
    if apart <= MOST_APART {
        return Ok(());
    }
    let problem = "is more than 15 minutes from now: send the request with a new date, or leave it to the signer";
    Err(SignError::Invalid { field, problem })
}

fn parse(field: &'static str, text: &str) -> Result<OffsetDateTime, SignError> {
    let problem = "is no HTTP date: write it as Wed, 02 Jan 2030 03:04:05 GMT";
    let date = PrimitiveDateTime::parse(text, FIXED).map_err(|_| SignError::Invalid { field, problem })?;
    Ok(date.assume_utc())
}
