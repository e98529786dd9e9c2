use crate::sign::Request;

/// What a request's body may be, as far as its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none.
    None,
    /// There is one, be it empty, and its length is signed.
    Sent,
    /// The bytes of the range that the request names.
    OfRange,
    /// There may be one.
    Any,
}

impl Body {
    /// Refuses a length that cannot be the body's: the service would read the request otherwise than it was described.
    pub(super) fn check(self, request: &Request) -> Result<(), &'static str> {
        let length = request.header("content-length");
        match self {
            Self::None if !matches!(length, "" | "0") => Err("has no body: send a Content-Length of 0, or none"),
            Self::Sent | Self::OfRange if length.is_empty() => {
                Err("has a body: say its Content-Length, 0 where it is empty")
            }
            Self::OfRange if range_length(request).map(|length| length.to_string()).as_deref() != Some(length) => {
                Err("has a Content-Length that is not that of its range: write the range as bytes=FIRST-LAST")
            }
            Self::None | Self::Sent | Self::OfRange | Self::Any => Ok(()),
        }
    }
}

/// The number of bytes in `bytes=FIRST-LAST`.
fn range_length(request: &Request) -> Option<u64> {
    let range = ["x-ms-range", "range"].map(|name| request.header(name)).into_iter().find(|range| !range.is_empty())?;
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    number(last)?.checked_sub(number(first)?)?.checked_add(1)
}
