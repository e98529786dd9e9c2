use crate::model::is_localhost;
use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    fmt::Debug,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// What a name of this machine stands for, whatever the DNS says: plain text never leaves it.
pub(super) const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// How host names become addresses.
#[async_trait]
pub trait Resolver: Debug + Send + Sync {
    /// The addresses of a host. Port 0 stands for the port of the URL; a URL's explicit port outranks any other.
    async fn resolve(&self, host: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver (`getaddrinfo`).
#[derive(Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// A [`Resolver`] as reqwest wants it. Names of this machine never reach it; a failure is [`NoAddress`], which reqwest hands back to us.
#[derive(Debug)]
pub(super) struct Names(pub(super) Arc<dyn Resolver>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            if is_localhost(name.as_str()) {
                return Ok(Box::new(LOOPBACK.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs);
            }
            match resolver.resolve(name.as_str()).await {
                Ok(addresses) if !addresses.is_empty() => Ok(Box::new(addresses.into_iter()) as Addrs),
                Ok(_) | Err(_) => Err(NoAddress.into()),
            }
        })
    }
}

/// The name has no address, for whatever reason.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct NoAddress;
