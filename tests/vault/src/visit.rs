//! One request, taken apart once: which vault, which path, whose token. It decides nothing.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;

use crate::{
    faults::Target,
    jwt::{Claims, Refusal},
    log::{Entry, Face, Operation, TokenSeen},
};

/// The token of a request to a vault.
#[derive(Debug)]
pub(crate) enum Token {
    Absent,
    Refused(Refusal),
    Accepted(Claims),
}

/// A request.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) face: Face,
    pub(crate) method: Method,
    /// Host and port as the client named them, without `:443`.
    pub(crate) host: String,
    /// As sent, escapes and all.
    pub(crate) path: String,
    pub(crate) query_text: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The vault that the host name stands for.
    pub(crate) vault: String,
    /// The path without its first slash, split, then unescaped: an escaped slash does not split.
    pub(crate) segments: Vec<String>,
    pub(crate) token: Token,
}

impl Visit {
    /// Takes the request apart; the token is judged by the caller, who has the key.
    pub(crate) fn new(face: Face, parts: http::request::Parts, body: Bytes) -> Self {
        let named = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        let header = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let host = named.or_else(header).unwrap_or_default();
        let host = host.strip_suffix(":443").unwrap_or(&host).to_owned();
        let path = parts.uri.path().to_owned();
        let unescape = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        Self {
            face,
            method: parts.method,
            vault: vault_of(&host),
            host,
            segments: path.trim_start_matches('/').split('/').map(unescape).collect(),
            path,
            query_text: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
            token: Token::Absent,
        }
    }

    /// The bearer token, where there is one.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then_some(token)
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query_text.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The secret that the path names.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self.segments().as_slice() {
            ["secrets" | "deletedsecrets", name, ..] if !name.is_empty() => Some(name),
            _ => None,
        }
    }

    pub(crate) fn claims(&self) -> Option<&Claims> {
        match &self.token {
            Token::Accepted(claims) => Some(claims),
            Token::Absent | Token::Refused(_) => None,
        }
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target { face: self.face, vault: &self.vault, secret: self.secret(), token: self.token_seen() }
    }

    pub(crate) fn entry(&self, time: i64) -> Entry {
        Entry {
            seq: 0,
            time,
            face: self.face,
            method: self.method.to_string(),
            host: self.host.clone(),
            path: self.path.clone(),
            query: self.query_text.clone(),
            token: self.token_seen(),
            operation: self.operation(),
            appid: self.claims().map(|claims| claims.appid.clone()),
            status: None,
            gone: false,
            fault: None,
        }
    }

    fn token_seen(&self) -> TokenSeen {
        match self.token {
            Token::Absent => TokenSeen::No,
            Token::Refused(_) => TokenSeen::Bad,
            Token::Accepted(_) => TokenSeen::Yes,
        }
    }

    fn operation(&self) -> Operation {
        match (self.face, self.segments().as_slice()) {
            (Face::Entra, [_, "oauth2", "v2.0", "token"]) | (Face::ManagedIdentity, [.., "token"]) => Operation::Token,
            (Face::Vault, ["secrets" | "deletedsecrets", rest @ ..]) => match (&self.token, &self.method, rest) {
                (Token::Absent, ..) => Operation::Probe,
                (Token::Refused(_), ..) => Operation::Other,
                (_, &Method::GET, [] | [""] | [_, "versions"]) => Operation::List,
                (_, &Method::GET, _) => Operation::Read,
                _ => Operation::Write,
            },
            _ => Operation::Other,
        }
    }
}

/// `X.vault.azure.net` and `X.vault.localhost` name the vault `X`; any other host is the default vault's.
fn vault_of(host: &str) -> String {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    let vault = VAULT_DOMAINS.iter().find_map(|domain| name.strip_suffix(domain)?.strip_suffix('.'));
    vault.filter(|label| !label.is_empty()).unwrap_or(DEFAULT_VAULT).to_owned()
}

/// The vault of every host name that names none.
pub const DEFAULT_VAULT: &str = "default";

/// The domains below which each name is a vault.
pub(crate) const VAULT_DOMAINS: [&str; 2] = ["vault.azure.net", "vault.localhost"];
