use super::collation;
use crate::sign::{SignError, Version, http_date};

/// The most headers of a request: SDKs send a dozen, and metadata has 8 KiB at most.
const MOST_HEADERS: usize = 64;

/// The most bytes of a header, its name and its value together: what Azure takes of all metadata of a blob.
const LONGEST_HEADER: usize = 8192;

/// The headers of a request: each name once, in lower case, its value without white space around it (RFC 9110, 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Takes the headers that will be sent.
    ///
    /// Folded lines and repeated names are refused: servers, proxies and SDKs join or drop them in different ways, so a signature of one reading
    /// is none of another. So is a `Content-Length` that is not plainly a number, or that stands beside a `Transfer-Encoding`.
    pub(super) fn parse(headers: &[(String, String)]) -> Result<Self, SignError> {
        if headers.len() > MOST_HEADERS {
            return refuse("has more than 64 entries: send fewer");
        }
        let mut all: Vec<(String, String)> = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            if name.len() + value.len() > LONGEST_HEADER {
                return Err(SignError::TooLong { field: "headers", most: LONGEST_HEADER });
            }
            let name = name.to_ascii_lowercase();
            let value = value.trim_matches([' ', '\t']);
            if !is_token(&name) {
                return refuse("has a name that HTTP does not allow: use letters, digits and hyphens");
            }
            if value.chars().any(char::is_control) {
                return refuse("has a value with a control character: remove it, and do not fold lines");
            }
            if all.iter().any(|(other, _)| *other == name) {
                return refuse("has the same name twice: send each header once");
            }
            all.push((name, value.to_owned()));
        }
        let headers = Self(all);
        headers.check_length()?;
        headers.check_dates()?;
        Ok(headers)
    }

    /// A header's value; nothing where it is not sent or empty.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// Whether it is sent, be it without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other == name)
    }

    /// The names of all, in lower case.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// `name:value\n` of every header with the prefix, in the service's order.
    pub(super) fn canonical(&self, prefix: &str, with_empty: bool) -> String {
        let mut own: Vec<_> = self.0.iter().filter(|(name, _)| name.starts_with(prefix)).collect();
        own.sort_by(|(left, _), (right, _)| collation::compare(left, right));
        let lines = own.into_iter().filter(|(_, value)| with_empty || !value.is_empty());
        lines.flat_map(|(name, value)| [name, ":", value, "\n"]).collect()
    }

    /// The version that the request asks for, where it does.
    pub(super) fn version(&self) -> Result<Option<Version>, SignError> {
        match self.get("x-ms-version") {
            "" => Ok(None),
            version => Version::parse_any("x-ms-version", version).map(Some),
        }
    }

    fn check_length(&self) -> Result<(), SignError> {
        let Some((_, length)) = self.0.iter().find(|(name, _)| name == "content-length") else { return Ok(()) };
        let digits = length.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || length.is_empty() || (length.starts_with('0') && length != "0") || length.parse::<u64>().is_err()
        {
            let problem = "is no length: write the number of bytes of the body in decimal digits";
            return Err(SignError::Invalid { field: "Content-Length", problem });
        }
        if self.get("transfer-encoding").is_empty() {
            Ok(())
        } else {
            Err(SignError::Conflict { field: "Content-Length", other: "Transfer-Encoding" })
        }
    }

    fn check_dates(&self) -> Result<(), SignError> {
        for (name, field) in [("x-ms-date", "x-ms-date"), ("ocp-date", "ocp-date"), ("date", "Date")] {
            match self.get(name) {
                "" => (),
                date => http_date::check(field, date)?,
            }
        }
        Ok(())
    }
}

/// Whether it is a token, as names of headers are (RFC 9110, 5.6.2).
pub(in crate::sign) fn is_token(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

fn refuse<T>(problem: &'static str) -> Result<T, SignError> {
    Err(SignError::Invalid { field: "headers", problem })
}
