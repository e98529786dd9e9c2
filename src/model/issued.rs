use super::Secret;
use std::{fmt, sync::Arc, time::SystemTime};

/// A token of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub token: Secret,
    /// When it ends; `None` where it does not: an account's key that is handed out.
    pub expires_at: Option<SystemTime>,
    /// Until when who asks for as much life as the grant says gets this token, unless its key changes; `None` where it does not end.
    pub renewed_at: Option<SystemTime>,
    /// Which key signed it, without telling the key; `None` for a user delegation key, which is Azure's.
    pub fingerprint: Option<Arc<str>>,
    /// The account's name in valet.yaml.
    pub account: Arc<str>,
}

/// An HTTP request as a client describes it to have it signed. Its body is never needed.
#[derive(Clone, PartialEq, Eq)]
pub struct SignableRequest {
    /// The method.
    pub method: String,
    /// The absolute URL, encoded as it will be sent.
    pub url: String,
    /// The headers as they will be sent.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for SignableRequest {
    /// The method alone: a URL's query and headers may be secrets of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignableRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What a client adds to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The value of `Authorization`.
    pub authorization: Secret,
    /// The value of `x-ms-date`.
    pub x_ms_date: String,
    /// Which key signed it, without telling the key.
    pub fingerprint: Arc<str>,
    /// The account's name in valet.yaml.
    pub account: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::SignableRequest;

    #[test]
    fn debug_shows_nothing_of_a_requests_url_and_headers() {
        let request = SignableRequest {
            method: "GET".to_owned(),
            url: "https://h/?sig=canary".to_owned(),
            headers: vec![("x-ms-encryption-key".to_owned(), "canary".to_owned())],
        };
        assert_eq!(format!("{request:?}"), "SignableRequest { method: \"GET\", .. }");
    }
}
