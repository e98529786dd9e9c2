use super::{
    cause::{links, tls_problem},
    clients::{CONNECT_TIMEOUT, Clients, read_authorities},
    resolver::{LOOPBACK, Resolver},
};
use crate::{
    azure::{
        ClientCertificate, NetworkConfig,
        error::{BadUrl, Error, Setup, Unreachable},
    },
    model::is_localhost,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use rustls_platform_verifier::Verifier;
use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, crypto::aws_lc_rs},
};
use url::{Host, Url};

/// A connection that has been opened.
pub type Dialed = TlsStream<TcpStream>;

/// Opens TLS connections to one host: the way out for what is no plain request with its answer. It speaks HTTP/2, and goes through no proxy.
pub struct Dialer {
    host: String,
    port: u16,
    name: ServerName<'static>,
    trust: Arc<Verifier>,
    client: Option<ClientCertificate>,
    resolver: Arc<dyn Resolver>,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// There is no way to it, or no trust in it.
    #[error(transparent)]
    Unreachable(Unreachable),
    /// It speaks TLS, and something else than HTTP/2 over it.
    #[error("what answers there does not speak HTTP/2; check the port, and proxies on the way")]
    NoHttp2,
    /// A file by which we would prove who we are cannot be used.
    #[error("{} {why}", path.display())]
    ClientCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Dialer {
    pub(in crate::azure) fn new(
        url: &Url,
        network: &NetworkConfig,
        client: Option<ClientCertificate>,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let bad = || Error::from(Setup::BadUrl { what: "the target", why: BadUrl::NotHttps });
        let (host, name) = match url.host().ok_or_else(bad)? {
            Host::Domain(name) => (name.to_owned(), ServerName::try_from(name.to_owned()).map_err(|_| bad())?),
            Host::Ipv4(address) => (address.to_string(), ServerName::IpAddress(address.into())),
            Host::Ipv6(address) => (address.to_string(), ServerName::IpAddress(address.into())),
        };
        let port = url.port_or_known_default().filter(|_| url.scheme() == "https").ok_or_else(bad)?;
        let trust = Arc::new(trust(network)?);
        Ok(Self { host, port, name, trust, client, resolver: Arc::clone(&clients.resolver) })
    }

    /// Opens a connection. The files of the client's certificate are read for each: they are renewed.
    ///
    /// # Errors
    /// [`DialError`], after 5 s at the latest.
    pub async fn dial(&self) -> Result<Dialed, DialError> {
        let config = Arc::new(self.config()?);
        let timed_out = DialError::Unreachable(Unreachable::ConnectTimedOut(CONNECT_TIMEOUT));
        let stream = timeout(CONNECT_TIMEOUT, self.connect(config)).await.map_err(|_| timed_out)??;
        // Without a word about it a server may still speak it: not each that ends TLS for another knows what that one speaks.
        match stream.get_ref().1.alpn_protocol() {
            None | Some(HTTP2) => Ok(stream),
            Some(_) => Err(DialError::NoHttp2),
        }
    }

    async fn connect(&self, config: Arc<ClientConfig>) -> Result<Dialed, DialError> {
        let stream = TcpStream::connect(&*self.addresses().await?).await.map_err(|error| explain(&error))?;
        // Requests are small, and somebody waits for each.
        stream.set_nodelay(true).map_err(|error| explain(&error))?;
        TlsConnector::from(config).connect(self.name.clone(), stream).await.map_err(|error| explain(&error))
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, DialError> {
        let at = |address| SocketAddr::new(address, self.port);
        if let ServerName::IpAddress(address) = self.name {
            return Ok(vec![at(address.into())]);
        }
        if is_localhost(&self.host) {
            return Ok(LOOPBACK.map(at).to_vec());
        }
        match self.resolver.resolve(&self.host).await {
            Ok(addresses) if !addresses.is_empty() => Ok(addresses.into_iter().map(|it| at(it.ip())).collect()),
            Ok(_) | Err(_) => Err(DialError::Unreachable(Unreachable::Dns)),
        }
    }

    fn config(&self) -> Result<ClientConfig, DialError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.trust) as _);
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(ClientCertificate { cert_file, key_file }) => {
                let bad = |path: &PathBuf, why| DialError::ClientCertificate { path: path.clone(), why };
                let chain = CertificateDer::pem_file_iter(cert_file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let chain = chain.ok().filter(|chain| !chain.is_empty());
                let chain = chain.ok_or_else(|| bad(cert_file, "cannot be read, or has no PEM certificate in it"))?;
                let key = PrivateKeyDer::from_pem_file(key_file);
                let key = key.map_err(|_| bad(key_file, "cannot be read, or has no PEM private key in it"))?;
                let config = builder.with_client_auth_cert(chain, key);
                config.map_err(|_| bad(key_file, "is not the key of the certificate beside it"))?
            }
        };
        config.alpn_protocols = vec![HTTP2.to_vec()];
        Ok(config)
    }
}

/// RFC 9113, section 3.2.
const HTTP2: &[u8] = b"h2";

/// The authorities of the system and those of `ca_file`, as for requests to Azure.
fn trust(network: &NetworkConfig) -> Result<Verifier, Error> {
    let mut extra = Vec::new();
    if let Some(path) = &network.ca_file {
        let pem = read_authorities(path)?;
        extra.extend(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
        if extra.is_empty() {
            return Err(Setup::BadCaFile(path.clone()).into());
        }
    }
    let trust = Verifier::new_with_extra_roots(extra, Arc::new(aws_lc_rs::default_provider()));
    trust.map_err(|_| match &network.ca_file {
        Some(path) => Setup::BadCaFile(path.clone()).into(),
        None => Setup::NoRoots.into(),
    })
}

fn explain(error: &io::Error) -> DialError {
    let tls = links(error).find_map(|link| link.downcast_ref::<rustls::Error>());
    DialError::Unreachable(match (tls, error.kind()) {
        (Some(tls), _) => Unreachable::Tls(tls_problem(tls)),
        (None, io::ErrorKind::ConnectionRefused) => Unreachable::ConnectionRefused,
        (None, io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown) => {
            Unreachable::NoRoute
        }
        _ => Unreachable::BrokenOff,
    })
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}
