use crate::sign::{AccountName, Request};
use std::fmt;

/// Where a service of the account answers: its host, and the account in the path where that is the style (`http://127.0.0.1:10000/acme`).
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    origin: Origin,
    /// `ACCOUNT-secondary.…`, where the host begins with the account.
    secondary: Option<Origin>,
    /// What comes before the container: nothing, or `/ACCOUNT`.
    path: String,
    text: String,
}

impl Endpoint {
    pub(super) fn parse(url: &str, account: &AccountName) -> Option<Self> {
        let text = url.trim_end_matches('/');
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if path.contains(['?', '#', '%']) {
            return None;
        }
        let origin = Origin::parse(&format!("{scheme}://{authority}"))?;
        let below = origin.host.strip_prefix(account.as_str()).filter(|rest| rest.starts_with('.'));
        let secondary = below.map(|rest| Origin { host: format!("{account}-secondary{rest}"), ..origin.clone() });
        Some(Self { origin, secondary, path: path.to_owned(), text: text.to_owned() })
    }

    /// The request's path below the endpoint, as it is signed; `None` where it goes elsewhere. The secondary endpoint takes reads only.
    pub(super) fn path(&self, request: &Request, account: &AccountName) -> Option<String> {
        let origin = Origin::parse(&request.origin())?;
        let by_host = self.secondary.as_ref() == Some(&origin);
        let signed = request.signed_path(account);
        let by_path = signed != request.path();
        if origin != self.origin && !by_host {
            return None;
        }
        if (by_host || by_path) && !matches!(request.method(), "GET" | "HEAD") {
            return None;
        }
        let below = signed.strip_prefix(&self.path)?;
        (below.is_empty() || below.starts_with('/')).then(|| below.to_owned())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A scheme, a host in lower case, and a port, which each scheme has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let (scheme, usual) = match scheme {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return None,
        };
        // The colons of an IPv6 address are in brackets.
        let host_end = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority[host_end..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(host_end + colon);
                (host, port_number(&port[1..])?)
            }
            None => (authority, usual),
        };
        if host.is_empty() || host.contains('@') {
            return None;
        }
        Some(Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

fn port_number(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Whether a `Host` header says what the URL says.
pub(super) fn same_host(origin: &str, host: &str) -> bool {
    let said = origin.split_once("://").and_then(|(scheme, _)| Origin::parse(&format!("{scheme}://{host}")));
    said.is_some() && said == Origin::parse(origin)
}
