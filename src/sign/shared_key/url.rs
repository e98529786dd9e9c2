use crate::sign::{AccountName, SignError};
use percent_encoding::percent_decode_str;

/// The longest URL of a request.
const LONGEST_URL: usize = 8192;

/// A request's URL, its path byte for byte as it is sent: a URL library would normalise it, and the service signs what it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    scheme: &'static str,
    /// With its port, in lower case.
    host: String,
    path: String,
    /// Names in lower case, both decoded, in the order sent.
    query: Vec<(String, String)>,
}

impl Url {
    pub(super) fn parse(url: &str) -> Result<Self, SignError> {
        if url.len() > LONGEST_URL {
            return Err(SignError::TooLong { field: "url", most: LONGEST_URL });
        }
        if url.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return refuse("has a space, control or non-ASCII character: percent-encode it as it will be sent");
        }
        if url.contains(['#', '\\']) {
            return refuse("has a # or a backslash: percent-encode it, or leave the fragment out");
        }
        let Some((scheme, rest)) =
            ["https://", "http://"].into_iter().find_map(|scheme| Some((scheme, url.strip_prefix(scheme)?)))
        else {
            return refuse("is not absolute: begin it with https://");
        };
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = location.find('/').map_or((location, "/"), |slash| location.split_at(slash));
        if host.is_empty() || host.contains('@') {
            return refuse("has no plain host: write https://HOST/PATH");
        }
        decode(path)?;
        let dotted = path
            .split('/')
            .any(|segment| matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | ".."));
        if dotted {
            return refuse("has a segment . or ..: clients and servers resolve it to another path");
        }
        Ok(Self { scheme, host: host.to_ascii_lowercase(), path: path.to_owned(), query: parameters(query)? })
    }

    pub(super) fn origin(&self) -> String {
        [self.scheme, &self.host].concat()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The path as it is signed: as sent, but a secondary endpoint signs like the primary one, which in a path-style URL is a part of the path.
    pub(super) fn signed_path(&self, account: &AccountName) -> String {
        let label = self.host.split('.').next().unwrap_or_default();
        let own_host = label.strip_suffix("-secondary").unwrap_or(label) == account.as_str();
        let below = self.path.strip_prefix('/').and_then(|path| path.strip_prefix(account.as_str()));
        match below.and_then(|path| path.strip_prefix("-secondary")) {
            Some(below) if !own_host && (below.is_empty() || below.starts_with('/')) => format!("/{account}{below}"),
            _ => self.path.clone(),
        }
    }

    /// `\nname:value` of every parameter, sorted; the values of a name that is sent twice are sorted too, and joined by commas.
    pub(super) fn canonical_query(&self) -> String {
        let mut query: Vec<_> = self.query.iter().collect();
        query.sort();
        let mut text = String::new();
        let mut last = None;
        for (name, value) in query {
            if last == Some(name) {
                text.extend([",", value]);
            } else {
                text.extend(["\n", name, ":", value]);
            }
            last = Some(name);
        }
        text
    }

    /// `?comp=VALUE`, which is all that the table service and the Lite scheme sign of a query.
    pub(super) fn comp(&self) -> Result<String, SignError> {
        let mut values = self.query.iter().filter(|(name, _)| name == "comp");
        match (values.next(), values.next()) {
            (None, _) => Ok(String::new()),
            (Some((_, value)), None) => Ok(format!("?comp={value}")),
            _ => refuse("has comp twice: send it once"),
        }
    }
}

/// A query's parameters. What would make two queries read the same when they are signed is refused: control characters, a colon in a name, and `+`,
/// which some read as a space and others as itself.
fn parameters(query: &str) -> Result<Vec<(String, String)>, SignError> {
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains('+') {
            return refuse("has a + in its query: write %20 for a space, %2B for a plus");
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?.to_ascii_lowercase(), decode(value)?);
        if name.is_empty() || name.contains(':') {
            return refuse("has a query parameter whose name is empty or has a colon");
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

fn decode(text: &str) -> Result<String, SignError> {
    let escapes = text.split('%').skip(1);
    if escapes
        .into_iter()
        .any(|rest| !rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
    {
        return refuse("has a % that is no escape: write %25");
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if text.chars().any(char::is_control) => Err(SignError::ControlCharacter { field: "url" }),
        Ok(text) => Ok(text.into_owned()),
        Err(_) => refuse("has escapes that are not UTF-8"),
    }
}

fn refuse<T>(problem: &'static str) -> Result<T, SignError> {
    Err(SignError::Invalid { field: "url", problem })
}
