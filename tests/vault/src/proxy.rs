//! The way to the server behind the fault proxy: one connection a request, the request as it came. It never spoils anything: that is
//! done to its answer, or instead of asking.

use std::{fmt, pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, Request, StatusCode, header, uri::Scheme};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem, pem::PemObject},
    },
};

use crate::{options::Behind, reply::Reply, visit::Visit};

/// What stands behind the proxy cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The URL.
    #[error("what is behind the proxy must be named as https://HOST:PORT or http://HOST:PORT")]
    BadUrl,
    /// The name in it.
    #[error("the name of what is behind the proxy cannot be in a certificate")]
    BadName(#[from] InvalidDnsNameError),
    /// The file of the authority.
    #[error("the certificate of the authority behind the proxy cannot be read")]
    BadCa(#[from] pem::Error),
    /// What is in it.
    #[error("the certificate of the authority behind the proxy cannot be used")]
    Tls(#[from] rustls::Error),
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A server to hand requests on to.
pub(crate) struct Proxy {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Proxy {
    pub(crate) fn new(behind: &Behind) -> Result<Self, ProxyError> {
        let (Some(host), Some(port)) = (behind.url.host(), behind.url.port_u16()) else {
            return Err(ProxyError::BadUrl);
        };
        let tls = match behind.url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => None,
            Some(scheme) if *scheme == Scheme::HTTPS => {
                let mut roots = RootCertStore::empty();
                if let Some(file) = &behind.ca_file {
                    roots.add(CertificateDer::from_pem_file(file)?)?;
                }
                let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                    .with_safe_default_protocol_versions()?
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                Some((TlsConnector::from(Arc::new(config)), ServerName::try_from(host.to_owned())?))
            }
            _ => return Err(ProxyError::BadUrl),
        };
        Ok(Self { host: host.to_owned(), port, tls })
    }

    /// The answer; 502 where there is none.
    pub(crate) async fn answer(&self, visit: &Visit) -> Reply {
        self.ask(visit).await.unwrap_or_else(|error| {
            tracing::warn!(error, "nothing answers behind the proxy");
            Reply::empty(StatusCode::BAD_GATEWAY)
        })
    }

    async fn ask(&self, visit: &Visit) -> Result<Reply, Failure> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        match &self.tls {
            None => send(stream, visit).await,
            Some((tls, name)) => send(tls.connect(name.clone(), stream).await?, visit).await,
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// The `Host` stays as the client wrote it: signatures and vaults' names depend on it.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(stream: S, visit: &Visit) -> Result<Reply, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let query = if visit.query_text.is_empty() { String::new() } else { format!("?{}", visit.query_text) };
    let mut request = Request::new(Full::new(visit.body.clone()));
    *request.method_mut() = visit.method.clone();
    *request.uri_mut() = format!("{}{query}", visit.path).parse()?;
    *request.headers_mut() = visit.headers.clone();
    for name in OF_ONE_CONNECTION {
        request.headers_mut().remove(name);
    }
    let answer = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body: Bytes = body.collect().await?.to_bytes();
        // The length is that of what is sent, which may be spoilt.
        let kept = |name: &HeaderName| *name != header::CONTENT_LENGTH && !OF_ONE_CONNECTION.contains(name);
        let headers =
            parts.headers.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone()));
        Ok(Reply { status: parts.status, headers: headers.collect(), body })
    };
    let (mut answer, mut connection, mut is_open) = (pin!(answer), pin!(connection), true);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            // What it has brought is still to be taken, be it why it ended.
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

const OF_ONE_CONNECTION: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];
