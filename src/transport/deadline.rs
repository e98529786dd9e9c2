use super::Limits;
use crate::model::{Fault, FaultKind};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// How long the call may take, by what the client says, at most the cap.
///
/// # Errors
/// [`FaultKind::BadRequest`] where the client's words cannot be read.
pub(super) fn of(headers: &HeaderMap, limits: &Limits) -> Result<Duration, Fault> {
    let said = if let Some(value) = headers.get(HeaderName::from_static("grpc-timeout")) {
        grpc(value).ok_or("grpc-timeout: expected 1 to 8 digits and one of H, M, S, m, u, n")
    } else if let Some(value) = headers.get(HeaderName::from_static("connect-timeout-ms")) {
        connect(value).ok_or("connect-timeout-ms: expected 1 to 10 digits")
    } else {
        Ok(limits.deadline)
    };
    said.map(|said| said.min(limits.deadline_cap)).map_err(|message| Fault::new(FaultKind::BadRequest, message))
}

/// gRPC over HTTP/2, "Timeout".
fn grpc(value: &HeaderValue) -> Option<Duration> {
    let (number, unit) = value.to_str().ok()?.split_at_checked(value.len().checked_sub(1)?)?;
    let number = digits(number, 8)?;
    Some(match unit {
        "H" => Duration::from_hours(number),
        "M" => Duration::from_mins(number),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Connect protocol, "Connect-Timeout-Ms".
fn connect(value: &HeaderValue) -> Option<Duration> {
    digits(value.to_str().ok()?, 10).map(Duration::from_millis)
}

fn digits(text: &str, most: usize) -> Option<u64> {
    let is_number = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &'static str, value: &'static str) -> Result<Duration, FaultKind> {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())]);
        of(&headers, &Limits::default()).map_err(|fault| fault.kind())
    }

    #[test]
    fn a_client_may_ask_for_less_or_more_up_to_the_cap() {
        let limits = Limits::default();
        assert_eq!(of(&HeaderMap::new(), &limits), Ok(limits.deadline));
        for (value, wanted) in
            [("2S", 2000), ("1M", 60_000), ("1H", 60_000), ("15m", 15), ("99999999H", 60_000), ("0S", 0)]
        {
            assert_eq!(said("grpc-timeout", value), Ok(Duration::from_millis(wanted)), "{value}");
        }
        assert_eq!(said("grpc-timeout", "5u"), Ok(Duration::from_micros(5)));
        assert_eq!(said("grpc-timeout", "5n"), Ok(Duration::from_nanos(5)));
        assert_eq!(said("connect-timeout-ms", "1500"), Ok(Duration::from_millis(1500)));
        assert_eq!(said("connect-timeout-ms", "9999999999"), Ok(limits.deadline_cap));
    }

    #[test]
    fn nonsense_is_refused_rather_than_read_as_no_deadline() {
        for value in ["", "5", "S", "-5S", "5s", "123456789S", "5 S", "é"] {
            assert_eq!(said("grpc-timeout", value), Err(FaultKind::BadRequest), "{value}");
        }
        for value in ["", "1.5", "-1", "+1", "10000000000", "1s"] {
            assert_eq!(said("connect-timeout-ms", value), Err(FaultKind::BadRequest), "{value}");
        }
    }
}
