//! Follows the heads of HTTP/1 requests on the wire, because hyper hides one thing that matters: it drops `Content-Length` where there is
//! `Transfer-Encoding` too, which RFC 9112 (section 6.1) calls a sign of request smuggling. It only watches; hyper parses and judges.
//!
//! It knows where each request ends (its `Content-Length`) as long as none is chunked, and Valet closes a connection after a chunked one;
//! so the number of a head here is the number of the request that hyper hands over.

/// A line's first bytes, as many as are looked at. A `Content-Length` does not need more.
const LINE_BYTES: usize = 256;

/// Where the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Between requests: nothing of the next has come.
    Rest,
    /// Within a head.
    Head,
    /// Within a body of which this many bytes are to come.
    Body(u64),
    /// Nothing more to see: HTTP/2, a chunked request (the last on its connection), or something that is refused.
    Off,
}

/// What the bytes so far have shown.
#[derive(Debug)]
pub(super) struct Heads {
    at: At,
    line: Vec<u8>,
    head: Head,
    ended: u64,
    ambiguous: Option<u64>,
    is_http2: bool,
}

/// What the head that is being read has shown.
#[derive(Debug, Default)]
struct Head {
    has_request_line: bool,
    has_encoding: bool,
    length: Length,
}

/// What a head says of its body's length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Length {
    #[default]
    Unsaid,
    Nonsense,
    Bytes(u64),
}

impl Heads {
    pub(super) fn new() -> Self {
        Self { at: At::Rest, line: Vec::new(), head: Head::default(), ended: 0, ambiguous: None, is_http2: false }
    }

    pub(super) fn at(&self) -> At {
        self.at
    }

    /// How many heads have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// The number, from 0, of the head whose body has no certain end: it has both `Transfer-Encoding` and `Content-Length`, or a length that
    /// is nonsense. No later one is looked at.
    pub(super) fn ambiguous(&self) -> Option<u64> {
        self.ambiguous
    }

    /// Whether the connection opened with HTTP/2's preface (RFC 9113, section 3.4).
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2
    }

    /// Takes what came next.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.at {
                At::Off => return,
                At::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[here..];
                    self.at = body(left - here as u64);
                }
                At::Rest | At::Head => {
                    self.at = At::Head;
                    let end = bytes.iter().position(|&byte| byte == b'\n');
                    let line = &bytes[..end.unwrap_or(bytes.len())];
                    let room = LINE_BYTES - self.line.len();
                    self.line.extend_from_slice(&line[..line.len().min(room)]);
                    bytes = end.map_or(&[], |end| &bytes[end + 1..]);
                    if end.is_some() {
                        self.end_line();
                        self.line.clear();
                    }
                }
            }
        }
    }

    fn end_line(&mut self) {
        // A bare LF ends a line too, as it does for hyper.
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        match (self.head.has_request_line, line) {
            // Blank lines before a request are skipped, as hyper does.
            (false, []) => self.at = At::Rest,
            (false, b"PRI * HTTP/2.0") if self.ended == 0 => {
                self.is_http2 = true;
                self.at = At::Off;
            }
            (false, _) => self.head.has_request_line = true,
            (true, []) => self.end_head(),
            (true, field) => self.head.field(field),
        }
    }

    fn end_head(&mut self) {
        self.at = match std::mem::take(&mut self.head) {
            Head { has_encoding: false, length: Length::Unsaid, .. } => At::Rest,
            Head { has_encoding: false, length: Length::Bytes(length), .. } => body(length),
            Head { has_encoding: true, length: Length::Unsaid, .. } => At::Off,
            Head { length: Length::Bytes(_) | Length::Nonsense, .. } => {
                self.ambiguous = Some(self.ended);
                At::Off
            }
        };
        self.ended += 1;
    }
}

fn body(left: u64) -> At {
    if left == 0 { At::Rest } else { At::Body(left) }
}

impl Head {
    fn field(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.has_encoding = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = str::from_utf8(value).unwrap_or_default();
            self.length = digits.parse().map_or(Length::Nonsense, Length::Bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the heads show after these bytes, in pieces of this size.
    fn seen(wire: &str, piece: usize) -> (At, u64, Option<u64>) {
        let mut heads = Heads::new();
        for piece in wire.as_bytes().chunks(piece) {
            heads.feed(piece);
        }
        (heads.at(), heads.ended(), heads.ambiguous())
    }

    const PLAIN: &str = "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nTE: x";
    const BARE: &str = "\r\nGET / HTTP/1.1\nHost: a\n\n";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    const BOTH: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\nCONTENT-LENGTH: 5\r\n\r\n";

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(piece in 1..200_usize) {
            prop_assert_eq!(seen(&[PLAIN, BARE, PLAIN].concat(), piece), (At::Rest, 3, None));
            prop_assert_eq!(seen(&[PLAIN, CHUNKED, "5\r\n", BOTH].concat(), piece), (At::Off, 2, None));
            prop_assert_eq!(seen(&[PLAIN, BARE, BOTH, BOTH].concat(), piece), (At::Off, 3, Some(2)));
        }
    }

    #[test]
    fn a_length_and_an_encoding_are_ambiguous_in_either_order_and_whatever_they_say() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "transfer-encoding:\tchunked\r\ncontent-length:",
            "Content-Length: five",
            &format!("Content-Length:{}5", " ".repeat(300)),
        ] {
            let wire = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            assert_eq!(seen(&wire, 1000), (At::Off, 1, Some(0)), "{fields}");
        }
    }

    #[test]
    fn a_long_line_before_them_hides_nothing() {
        let wire = BOTH.replace("Host: a", &format!("Cookie: {}", "Content-Length: 0 ".repeat(1000)));
        assert_eq!(seen(&wire, 100), (At::Off, 1, Some(0)));
    }

    #[test]
    fn it_tells_a_head_that_has_begun_from_one_that_has_not() {
        assert_eq!(seen("\r\n\r\n", 9).0, At::Rest);
        assert_eq!(seen("P", 9).0, At::Head);
        assert_eq!(seen("POST / HTTP/1.1\r\n", 9).0, At::Head);
        assert_eq!(seen(&PLAIN[..PLAIN.len() - 2], 9).0, At::Body(2));
    }

    #[test]
    fn it_leaves_http2_alone() {
        let mut heads = Heads::new();
        heads.feed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        assert!(heads.is_http2());
        assert_eq!(heads.at(), At::Off);
    }
}
