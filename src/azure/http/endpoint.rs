use super::{
    cause,
    clients::{CONNECT_TIMEOUT, Clients, REQUEST_TIMEOUT, Reach},
};
use crate::{
    azure::{
        NetworkConfig,
        error::{BadUrl, Error, Nonsense, Peer, Setup, Trouble},
        guard::{BreakerState, Budget, Ended, Gate},
        reply::retry_after,
    },
    model::is_loopback,
};
use azure_core::http::{Body, Method, Request};
use bytes::Bytes;
use reqwest::{Client, StatusCode, header::HeaderMap};
use std::{fmt, sync::Arc, time::SystemTime};
use url::{Position, Url};

/// The largest answer that is taken, in bytes. A secret's value has at most 25 KB, a token some KB; JSON escapes may make six times as much.
const MAX_ANSWER: usize = 1024 * 1024;

/// A service's host, and its port where that is not the usual one of the scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName(Arc<str>);

impl HostName {
    pub(in crate::azure) fn of(url: &Url) -> Self {
        Self(url[Position::BeforeHost..Position::AfterPort].into())
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One service at one scheme, host and port. Nothing is ever sent elsewhere, so a token cannot go astray.
///
/// The Azure crates refuse `http` where a token is involved. Emulators on this machine speak nothing else, so the crates are always shown an
/// `https` URL, and `http` is put back here, for loopback hosts and nobody else.
#[derive(Debug)]
pub(in crate::azure) struct Endpoint {
    peer: Peer,
    actual: Url,
    /// What the Azure crates take it for; `None` where that does not matter.
    shown: Option<Url>,
    client: Arc<Client>,
    gate: Arc<Gate>,
    budget: Option<Arc<Budget>>,
}

/// A whole answer.
#[derive(Debug)]
pub(in crate::azure) struct Reply {
    /// The HTTP status.
    pub(in crate::azure) status: StatusCode,
    /// The headers.
    pub(in crate::azure) headers: HeaderMap,
    /// The body, at most [`MAX_ANSWER`] bytes.
    pub(in crate::azure) body: Bytes,
}

impl Endpoint {
    /// The service at an origin; `what` names the URL in messages.
    pub(in crate::azure) fn new(
        url: &Url,
        what: &'static str,
        peer: Peer,
        network: &NetworkConfig,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let endpoint = Self::build(url, what, peer, network, clients)?;
        let is_origin = !has_user(url) && &url[Position::AfterPort..] == "/";
        if is_origin { Ok(endpoint) } else { Err(Setup::BadUrl { what, why: BadUrl::MoreThanOrigin }.into()) }
    }

    /// The service at an origin and a path, below which its requests are.
    pub(in crate::azure) fn with_path(
        url: &Url,
        what: &'static str,
        peer: Peer,
        network: &NetworkConfig,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let endpoint = Self::build(url, what, peer, network, clients)?;
        let is_path = !has_user(url) && url[Position::AfterPath..].is_empty();
        if is_path { Ok(endpoint) } else { Err(Setup::BadUrl { what, why: BadUrl::MoreThanPath }.into()) }
    }

    fn build(
        url: &Url,
        what: &'static str,
        peer: Peer,
        network: &NetworkConfig,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let refuse = |why| Err(Setup::BadUrl { what, why }.into());
        let reach = match url.scheme() {
            _ if !url.has_host() => return refuse(BadUrl::NotHttps),
            "https" if is_loopback(url) => Reach::LocalTls,
            "https" => Reach::Network,
            "http" if is_loopback(url) => Reach::Local,
            "http" => return refuse(BadUrl::PlainText),
            _ => return refuse(BadUrl::NotHttps),
        };
        let (shown, client, gate) =
            (Some(over_tls(url)), clients.get(network, reach)?, clients.gate(&peer, url, network));
        Ok(Self { peer, actual: url.clone(), shown, client, gate, budget: None })
    }

    /// The same service, asked no more often than a budget allows.
    pub(in crate::azure) fn within(self, budget: Arc<Budget>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// One address that every request goes to, whatever the Azure crates believe it to be: the platform itself named it (`IDENTITY_ENDPOINT`,
    /// or the fixed one of virtual machines), so plain text to it is the platform's choice.
    pub(in crate::azure) fn fixed(url: &Url, peer: Peer, clients: &Clients) -> Result<Self, Error> {
        let reach = if url.scheme() == "https" { Reach::LocalTls } else { Reach::Local };
        let network = NetworkConfig::default();
        let (client, gate) = (clients.get(&network, reach)?, clients.gate(&peer, url, &network));
        Ok(Self { peer, actual: url.clone(), shown: None, client, gate, budget: None })
    }

    /// Who is spoken to.
    pub(in crate::azure) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The base URL as it is configured.
    pub(in crate::azure) fn actual(&self) -> &Url {
        &self.actual
    }

    /// The base URL to show to the Azure crates.
    pub(in crate::azure) fn shown(&self) -> &Url {
        self.shown.as_ref().unwrap_or(&self.actual)
    }

    /// A URL of the service, as the service spells it, to show to the Azure crates.
    pub(in crate::azure) fn as_shown(&self, url: &Url) -> Url {
        if self.shown.is_some() && url.origin() == self.actual.origin() { over_tls(url) } else { url.clone() }
    }

    /// Whether it is asked.
    pub(in crate::azure) fn breaker(&self) -> BreakerState {
        self.gate.state()
    }

    /// Sends one request, once, when the service may be asked, and takes the whole answer.
    pub(in crate::azure) async fn send(&self, request: &Request) -> Result<Reply, Error> {
        let url = self.target(request.url())?;
        let pass = self.gate.pass(&self.peer, self.budget.as_deref()).await?;
        let answer = self.send_to(url, request).await;
        pass.end(self.judge(&answer));
        answer
    }

    /// What an answer says of whether its service can be asked.
    fn judge(&self, answer: &Result<Reply, Error>) -> Ended {
        match answer {
            Err(Error::Unreachable { cause, .. }) => Ended::Failed(Trouble::Unreachable(*cause), None),
            Err(Error::TimedOut { after, .. }) => Ended::Failed(Trouble::TimedOut(*after), None),
            Err(_) => Ended::Answered,
            Ok(reply) => {
                let trouble = match reply.status.as_u16() {
                    429 => Trouble::Throttled,
                    status @ (408 | 500..=599) => Trouble::Failing(status),
                    _ => return Ended::Answered,
                };
                Ended::Failed(trouble, retry_after(&reply.headers, self.gate.wall()))
            }
        }
    }

    async fn send_to(&self, url: Url, request: &Request) -> Result<Reply, Error> {
        let mut outgoing = self.client.request(method(request.method()), url);
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        if let Body::Bytes(body) = request.body() {
            outgoing = outgoing.body(body.clone());
        }
        let explain = |error: reqwest::Error| cause::explain(&error, &self.peer, CONNECT_TIMEOUT, REQUEST_TIMEOUT);
        let mut response = outgoing.send().await.map_err(explain)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(explain)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.nonsense(Nonsense::TooLarge(MAX_ANSWER)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.into() })
    }

    /// Where a request really goes, or a refusal where it is for anyone else.
    fn target(&self, url: &Url) -> Result<Url, Error> {
        let mut target = self.actual.clone();
        if let Some(shown) = &self.shown {
            let alone = url.username().is_empty() && url.password().is_none();
            if url.origin() != shown.origin() || !alone {
                return Err(self.nonsense(Nonsense::ForeignHost));
            }
            target.set_path(url.path());
        }
        target.set_query(url.query());
        Ok(target)
    }

    /// What an answer says of who gave it, whether or not they knew who asked; `None` where it says nothing of that.
    pub(in crate::azure) fn unavailable(&self, reply: &Reply, now: SystemTime) -> Option<Error> {
        let (peer, retry_after) = (self.peer.clone(), retry_after(&reply.headers, now));
        match reply.status.as_u16() {
            status @ 300..=399 => Some(self.nonsense(Nonsense::Redirect(status))),
            429 => Some(Error::Throttled { peer, retry_after }),
            status @ (408 | 500..=599) => Some(Error::Failing { peer, status, retry_after }),
            _ => None,
        }
    }

    /// A fault of what it answered.
    pub(in crate::azure) fn nonsense(&self, why: Nonsense) -> Error {
        Error::Nonsense { peer: self.peer.clone(), why }
    }
}

fn has_user(url: &Url) -> bool {
    !url[Position::BeforeUsername..Position::BeforeHost].is_empty()
}

/// The same host and the same port, over TLS.
fn over_tls(url: &Url) -> Url {
    let mut shown = url.clone();
    let port = url.port_or_known_default();
    shown.set_scheme("https").and_then(|()| shown.set_port(port)).expect("an http or https URL with a host takes both");
    shown
}

fn method(method: Method) -> reqwest::Method {
    reqwest::Method::from_bytes(method.as_ref().as_bytes()).expect("the name of an HTTP method")
}
