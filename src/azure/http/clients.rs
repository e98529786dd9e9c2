use super::{
    cause::links,
    resolver::{Names, Resolver},
};
use crate::azure::{
    NetworkConfig,
    error::{Error, Peer, Setup},
    guard::{Gate, Seams},
    shared::Shared,
};
use reqwest::{Certificate, Client, redirect::Policy};
use std::{
    fs::File,
    io::{self, Read},
    mem::{Discriminant, discriminant},
    path::Path,
    sync::Arc,
    time::Duration,
};
use url::Url;

/// How long a TCP and TLS connection may take to come about.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take, from its first byte to the last of its answer: below a lookup's default deadline (10 s), so that the fault
/// that names who is slow arrives before the caller has gone.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// How long one call may take in all, with the challenge and a token that may come before it.
pub(in crate::azure) const CALL_TIMEOUT: Duration = Duration::from_secs(9);
/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The largest `ca_file`, in bytes: four times the bundle of all public authorities.
const LARGEST_CA_FILE: u64 = 1024 * 1024;
/// How many idle connections are kept for one host.
const IDLE_CONNECTIONS: usize = 4;

/// The HTTP clients of this process: one for each network definition, shared by all who use it. Each holds its trusted authorities and its
/// connections, so two equal ones would be memory wasted. And the gates: one for each service and network path.
#[derive(Debug)]
pub(in crate::azure) struct Clients {
    pub(super) resolver: Arc<dyn Resolver>,
    built: Shared<(NetworkConfig, Reach), Client>,
    gates: Shared<(Discriminant<Peer>, Url, NetworkConfig), Gate>,
    seams: Seams,
}

/// How far away it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::azure) enum Reach {
    /// Somewhere on the network: https, through the proxy of `HTTPS_PROXY` where there is one.
    Network,
    /// This machine, over TLS: no proxy can reach it.
    LocalTls,
    /// This machine or its host, in plain text: no certificate authority is needed either.
    Local,
}

impl Clients {
    /// No client yet.
    pub(in crate::azure) fn new(resolver: Arc<dyn Resolver>, seams: Seams) -> Self {
        Self { resolver, built: Shared::default(), gates: Shared::default(), seams }
    }

    /// The gate before a service, which is the same for everybody who asks it: they learn from each other that it fails. Emulators are several
    /// services at one address.
    pub(super) fn gate(&self, peer: &Peer, url: &Url, network: &NetworkConfig) -> Arc<Gate> {
        let key = (discriminant(peer), url.clone(), network.clone());
        self.gates.get_or_make(&key, || Gate::new(self.seams.clone()))
    }

    /// The client of a network definition. Reads `ca_file` and the system's authorities; does no network I/O.
    pub(in crate::azure) fn get(&self, network: &NetworkConfig, reach: Reach) -> Result<Arc<Client>, Error> {
        self.built.get_or_build(&(network.clone(), reach), || self.build(network, reach))
    }

    fn build(&self, network: &NetworkConfig, reach: Reach) -> Result<Client, Error> {
        let extra = network.ca_file.as_deref().map(authorities).transpose()?;
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            // A redirect would take the answer of a host that nobody configured.
            .redirect(Policy::none())
            // Azure's answers are small; a bound on their size should be one on what was sent.
            .no_gzip()
            .no_deflate()
            .dns_resolver(Arc::new(Names(Arc::clone(&self.resolver))));
        let builder = match reach {
            Reach::Network => builder.tls_certs_merge(extra.unwrap_or_default()),
            Reach::LocalTls => builder.no_proxy().tls_certs_merge(extra.unwrap_or_default()),
            Reach::Local => builder.no_proxy().tls_certs_only(extra.unwrap_or_default()),
        };
        // What it says is not shown: with HTTPS_PROXY it may have a password in it.
        builder.build().map_err(|error| match &network.ca_file {
            Some(path) => Setup::BadCaFile(path.clone()).into(),
            None if links(&error).any(<dyn std::error::Error>::is::<rustls::Error>) => Setup::NoRoots.into(),
            None => Setup::NoClient.into(),
        })
    }
}

/// The text of a `ca_file`.
pub(super) fn read_authorities(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |why| Error::from(Setup::UnreadableCaFile { path: path.to_owned(), why });
    let mut pem = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_CA_FILE + 1).read_to_end(&mut pem));
    match read {
        Ok(read) if read as u64 > LARGEST_CA_FILE => Err(unreadable(io::ErrorKind::FileTooLarge)),
        Ok(_) => Ok(pem),
        Err(error) => Err(unreadable(error.kind())),
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Error> {
    let found = Certificate::from_pem_bundle(&read_authorities(path)?).unwrap_or_default();
    // reqwest takes a file without any certificate in silence; the result would be UnknownIssuer much later.
    if found.is_empty() { Err(Setup::BadCaFile(path.to_owned()).into()) } else { Ok(found) }
}
