use crate::model::{Fault, FaultKind, NOT_FOUND_REASON, REASON_HEADER};
use http::header::RETRY_AFTER;
use std::time::Duration;
use tonic::{Code, Status};

/// Most characters of another machine's message that are repeated.
const LONGEST_MESSAGE: usize = 1024;

/// What a call's failure is to us: `None` where the name is not there, which is none. A Valet gives a reason, which is kept; a code alone comes from
/// something else, or from the way there.
pub(super) fn of(status: &Status, target: &str) -> Option<Fault> {
    let text = |name: &str| status.metadata().get(name).and_then(|value| value.to_str().ok());
    let Some(reason) = text(REASON_HEADER) else {
        // Whose words these are nobody knows, so they are not repeated.
        let (kind, why) = without_reason(status.code());
        return Some(Fault::new(kind, format!("{target} {why} ({})", status.code().description())));
    };
    if reason == NOT_FOUND_REASON {
        return None;
    }
    let kind = FaultKind::from_reason(reason).unwrap_or(FaultKind::SourceDown);
    let seconds = text(RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok());
    Some(
        Fault::new(kind, format!("{target} says: {}", shown(status.message())))
            .retry_after(seconds.map(Duration::from_secs)),
    )
}

fn without_reason(code: Code) -> (FaultKind, &'static str) {
    match code {
        Code::DeadlineExceeded | Code::Cancelled => (FaultKind::TimedOut, "did not answer in time"),
        Code::Unauthenticated => (FaultKind::Unauthenticated, "does not accept who this Valet says that it is"),
        Code::PermissionDenied => (FaultKind::DeniedBySource, "refuses this Valet"),
        Code::ResourceExhausted => (FaultKind::Overloaded, "has too much to do"),
        // tonic says so of a message beyond the bound.
        Code::OutOfRange => (FaultKind::TooLarge, "answered more than fits"),
        Code::Unavailable => (FaultKind::SourceDown, "cannot be reached"),
        _ => (FaultKind::SourceDown, "answered what no Valet does; check `target`, and proxies on the way"),
    }
}

/// Another machine's words, on one line and not too many.
fn shown(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};
    use tonic::metadata::MetadataMap;

    fn status(code: Code, message: &str, headers: &[(&'static str, &str)]) -> Status {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        Status::with_metadata(code, message, MetadataMap::from_headers(headers))
    }

    #[test]
    fn a_reason_comes_back_as_what_it_was_whatever_the_code() {
        for kind in FaultKind::ALL {
            let fault = of(&status(Code::Unknown, "m", &[(REASON_HEADER, kind.reason()), ("retry-after", "7")]), "T");
            let expected = Fault::new(kind, "T says: m").retry_after(Some(Duration::from_secs(7)));
            assert_eq!(fault, Some(expected));
        }
        assert_eq!(of(&status(Code::NotFound, "m", &[(REASON_HEADER, "NOT_FOUND")]), "T"), None);
        let newer = of(&status(Code::Unknown, "m", &[(REASON_HEADER, "NEWER"), ("retry-after", "soon")]), "T");
        assert_eq!(newer, Some(Fault::new(FaultKind::SourceDown, "T says: m")), "one of a later version");
    }

    #[test]
    fn what_gives_no_reason_is_no_valet_and_never_says_that_a_name_is_not_here() {
        let kind = |code| of(&status(code, "a\nb", &[]), "T").unwrap();
        assert_eq!(kind(Code::NotFound).kind(), FaultKind::SourceDown);
        assert_eq!(kind(Code::Unimplemented).kind(), FaultKind::SourceDown);
        assert_eq!(kind(Code::Unauthenticated).kind(), FaultKind::Unauthenticated);
        assert_eq!(kind(Code::Unavailable).message(), "T cannot be reached (The service is currently unavailable)");
    }

    #[test]
    fn a_message_is_one_line_and_not_too_long() {
        let long = "é".repeat(5000);
        let fault = of(&status(Code::Internal, &long, &[(REASON_HEADER, "INTERNAL")]), "T").unwrap();
        assert_eq!(fault.message().chars().count(), "T says: ".len() + LONGEST_MESSAGE);
        let two_lines = of(&status(Code::Internal, "a\nb", &[(REASON_HEADER, "INTERNAL")]), "T").unwrap();
        assert_eq!(two_lines.message(), "T says: a\u{fffd}b");
    }
}
