//! A bare HTTPS client: one connection a request, nothing retried, nothing followed.

use std::{io, net::Ipv4Addr, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use valet_testvault::{TestVault, TokenSpec};

pub(crate) struct Client<'a> {
    /// The `Host` header and the name in TLS.
    host: String,
    token: Option<String>,
    port: u16,
    /// The authority that is trusted, PEM.
    ca_pem: &'a str,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the answer is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }
}

/// A connection that lives as long as this does.
pub(crate) struct Open {
    pub(crate) response: Response<Incoming>,
    _driver: JoinSet<()>,
}

impl<'a> Client<'a> {
    /// A caller with every right.
    pub(crate) fn new(vault: &'a TestVault) -> Self {
        let url = &vault.endpoints().vault_url;
        let token = Some(vault.sign_token(TokenSpec::default()));
        Self { host: host(url), port: port(url), ca_pem: vault.ca_pem(), token }
    }

    /// The same caller, over a fault proxy.
    pub(crate) fn over(mut self, proxy: &'a TestVault) -> Self {
        let url = proxy.endpoints().proxy_url.as_deref().expect("there is something behind it");
        (self.host, self.port, self.ca_pem) = (host(url), port(url), proxy.ca_pem());
        self
    }

    pub(crate) fn token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, hyper::Error> {
        self.send("GET", path, "").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer, hyper::Error> {
        let Open { response, _driver } = self.open(method, path, body).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// The head of an answer; its body is still to come.
    pub(crate) async fn open(&self, method: &str, path: &str, body: &str) -> Result<Open, hyper::Error> {
        let stream = self.connect().await.expect("TLS to the test vault");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            let _ = connection.await;
        });
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
        Ok(Open { response: sender.send_request(request).await?, _driver: driver })
    }

    pub(crate) async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).expect("PEM")).expect("a CA");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = self.host.split(':').next().expect("a host").to_owned();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).expect("a name"), stream).await
    }
}

fn host(url: &str) -> String {
    url.trim_start_matches("https://").to_owned()
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// A path with a version of the API that every vault knows.
pub(crate) fn v(path: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}api-version=7.4")
}
