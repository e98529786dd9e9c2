use super::Timestamp;
use crate::model::Secret;
use percent_encoding::percent_decode_str;
use std::fmt;

/// A token or header value, and how it came about.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The query string of a SAS (without `?`), or the value of an `Authorization` header.
    pub token: Secret,
    /// What was signed. It holds no key, but may quote headers that are secrets of their own.
    pub string_to_sign: String,
    /// When the token ends, where it says so itself.
    pub expires_at: Option<Timestamp>,
}

impl Signed {
    /// The parameters of a SAS, decoded, in the order in which they are sent. Meaningless for a header value.
    pub fn parameters(&self) -> Vec<(String, Secret)> {
        let token = self.token.expose();
        let query = token.strip_prefix(super::service_bus::SCHEME).unwrap_or(token);
        let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), Secret::new(decode(value)))).collect()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
