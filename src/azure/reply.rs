//! Reading what others answer: bounded, forgiving of form, and never kept.

use azure_core::time::parse_rfc7231;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::{Duration, SystemTime};

/// The longest wait that is believed; whoever wants more is asked again after this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The body as JSON of a shape, or nothing.
///
/// Control characters are white space to JSON outside strings and illegal inside; real messages have line breaks in them, and some services
/// forget to escape them. So each becomes a blank.
pub(super) fn lenient_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let body: Vec<u8> = body.iter().map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }).collect();
    serde_json::from_slice(&body).ok()
}

/// The number behind a prefix, e.g. 7000215 in `AADSTS7000215: Invalid client secret`.
pub(super) fn number_after(prefix: &str, text: &str) -> Option<u32> {
    let rest = &text[text.find(prefix)? + prefix.len()..];
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// When the service wants to be asked again: milliseconds of its own headers, or seconds or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let milliseconds = ["x-ms-retry-after-ms", "retry-after-ms"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok()?.trim().parse().ok());
    let wait = milliseconds.map(Duration::from_millis).or_else(|| {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        text.parse().ok().map(Duration::from_secs).or_else(|| {
            let date = SystemTime::from(parse_rfc7231(text).ok()?);
            Some(date.duration_since(now).unwrap_or_default())
        })
    });
    wait.map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_raw_or_escaped_line_breaks_is_read() {
        for body in ["{\"a\": \"x\\r\\ny\"}", "{\"a\":\r\n \"x\r\ny\"}", "\u{0}{\"a\": \"x\\\"y\"}\n"] {
            assert!(
                lenient_json::<serde_json::Value>(body.as_bytes()).is_some_and(|json| json["a"].is_string()),
                "{body:?}"
            );
        }
        for body in ["", "<html>", "{\"a\": ", "\u{fe}"] {
            assert_eq!(lenient_json::<serde_json::Value>(body.as_bytes()), None, "{body:?}");
        }
    }

    #[test]
    fn a_number_is_found_behind_its_prefix_only() {
        for (text, expected) in [
            ("AADSTS7000215: Invalid", Some(7_000_215)),
            ("see AADSTS90002", Some(90_002)),
            ("AADSTS", None),
            ("7", None),
            ("AADSTS99999999999", None),
        ] {
            assert_eq!(number_after("AADSTS", text), expected, "{text}");
        }
    }

    #[test]
    fn a_wish_to_be_asked_later_is_read_in_every_form_and_never_taken_too_far() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (name, value, expected) in [
            ("retry-after", "7", Some(7_000)),
            ("retry-after", " 0 ", Some(0)),
            ("retry-after", "86400", Some(300_000)),
            ("retry-after", "99999999999999999999", None),
            ("retry-after", "-3", None),
            ("retry-after", "soon", None),
            ("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT", Some(30_000)),
            ("retry-after", "Tue, 14 Nov 2023 22:13:10 GMT", Some(0)),
            ("retry-after", "Fri, 31 Dec 2999 23:59:59 GMT", Some(300_000)),
            ("retry-after-ms", "1500", Some(1_500)),
            ("x-ms-retry-after-ms", "250", Some(250)),
            ("x-other", "7", None),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_millis), "{name}: {value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
