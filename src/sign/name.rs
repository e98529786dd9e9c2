use super::{SignError, text};
use std::fmt;

/// The name of a storage or Batch account: 3 to 24 lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountName(String);

impl AccountName {
    /// Parses an account name. The name of a secondary endpoint (`acme-secondary`) is that of its account: Azure signs it without the suffix.
    pub fn parse(text: &str) -> Result<Self, SignError> {
        let name = text.strip_suffix("-secondary").unwrap_or(text);
        let good = (3..=24).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if good {
            Ok(Self(name.to_owned()))
        } else {
            let problem = "is no account name: it has 3 to 24 lower-case letters and digits";
            Err(SignError::Invalid { field: "account", problem })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A container, share or queue name ("Naming and referencing containers, blobs, and metadata").
pub(super) fn dns(field: &'static str, name: &str) -> Result<String, SignError> {
    let problem = "is no name that Azure takes: use 3 to 63 lower-case letters, digits and single hyphens, \
                   beginning and ending with a letter or digit";
    let good = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !(name.starts_with('-') || name.ends_with('-') || name.contains("--"));
    if good { Ok(name.to_owned()) } else { Err(SignError::Invalid { field, problem }) }
}

/// The longest path of a blob, directory or file, in characters.
const LONGEST_PATH: usize = 1024;

/// The most segments of a path (the same page: 254, or 63 with a hierarchical namespace).
const MOST_SEGMENTS: usize = 254;

/// A path in a container or share, not URL-encoded.
///
/// `.` and `..` are refused: HTTP clients resolve them, so what they name is not what was signed.
pub(super) fn path(field: &'static str, path: &str) -> Result<String, SignError> {
    text::check(field, path, LONGEST_PATH)?;
    // Azure reads a backslash as a slash before it checks the signature.
    let path = path.replace('\\', "/");
    let refuse = |problem| Err(SignError::Invalid { field, problem });
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return refuse("has a segment . or ..: clients would resolve it to another path");
    }
    if path.split('/').count() > MOST_SEGMENTS {
        return refuse("has more than 254 segments: shorten it");
    }
    Ok(path)
}

/// A path whose segments are directories: slashes around it say nothing, two in a row are a mistake.
pub(super) fn segments(field: &'static str, text: &str) -> Result<String, SignError> {
    let path = path(field, text)?;
    let path = path.trim_matches('/');
    if path.contains("//") {
        return Err(SignError::Invalid { field, problem: "has an empty segment: write single slashes" });
    }
    Ok(path.to_owned())
}
