use crate::model::{Claims, Via};
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode;

/// The longest claim, in bytes; what is longer is cut, because it is only shown.
const MAX_BYTES: usize = 1024;

/// What the client says of itself. Nothing that it says can make the call fail: bytes that are no UTF-8 and control characters become U+FFFD,
/// so that a claim cannot forge a log line.
pub(super) fn claims(headers: &HeaderMap) -> Claims {
    let claim = |name: HeaderName| {
        let text = percent_decode(headers.get(name)?.as_bytes()).decode_utf8_lossy();
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let text = text.replace(char::is_control, "\u{fffd}");
        (!text.is_empty()).then_some(text)
    };
    Claims {
        dag_id: claim(HeaderName::from_static("valet-dag-id")),
        task_id: claim(HeaderName::from_static("valet-task-id")),
        run_id: claim(HeaderName::from_static("valet-run-id")),
        map_index: claim(HeaderName::from_static("valet-map-index")),
        try_number: claim(HeaderName::from_static("valet-try-number")),
        via: headers.get(Via::HEADER).and_then(|via| via.to_str().ok()).map(Via::parse).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn dag_id(value: &[u8]) -> Option<String> {
        let value = HeaderValue::from_bytes(value).unwrap();
        claims(&HeaderMap::from_iter([(HeaderName::from_static("valet-dag-id"), value)])).dag_id
    }

    #[test]
    fn claims_are_percent_decoded_utf8() {
        assert_eq!(dag_id(b"caf%C3%A9%20%F0%9F%98%80"), Some("café 😀".to_owned()));
        assert_eq!(dag_id(b"100%"), Some("100%".to_owned()));
        assert_eq!(dag_id(b""), None);
        assert_eq!(claims(&HeaderMap::new()), Claims::default());
    }

    #[test]
    fn a_claim_cannot_forge_a_log_line_or_fill_it() {
        assert_eq!(dag_id(b"a%0A%00%1Bb%FFc"), Some("a\u{fffd}\u{fffd}\u{fffd}b\u{fffd}c".to_owned()));
        assert_eq!(dag_id("%C3%A9".repeat(600).as_bytes()), Some("é".repeat(512)));
        assert_eq!(dag_id(format!("x{}", "%C3%A9".repeat(600)).as_bytes()), Some(format!("x{}", "é".repeat(511))));
    }
}
