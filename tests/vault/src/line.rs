//! The lines to the listeners that speak TLS: which certificate they show, or that they are cut. Requests know nothing of it.

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::{
    options::Leaf,
    tls::{Authority, TlsError},
};

/// A listener whose line a test may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Vaults and Entra.
    #[default]
    Azure,
    /// The fault proxy.
    Proxy,
}

/// What each line shows; `None` is a line that is cut: connections are reset before a byte.
#[derive(Debug)]
pub(crate) struct Lines {
    azure: watch::Sender<Option<Leaf>>,
    proxy: watch::Sender<Option<Leaf>>,
}

impl Lines {
    pub(crate) fn new(leaf: Leaf) -> Self {
        Self { azure: watch::Sender::new(Some(leaf)), proxy: watch::Sender::new(Some(Leaf::Trusted)) }
    }

    pub(crate) fn of(&self, site: Site) -> &watch::Sender<Option<Leaf>> {
        match site {
            Site::Azure => &self.azure,
            Site::Proxy => &self.proxy,
        }
    }
}

/// One acceptor for each certificate, made before anybody connects.
pub(crate) struct Acceptors([TlsAcceptor; LEAVES.len()]);

impl Acceptors {
    pub(crate) fn new(authority: &Authority) -> Result<Self, TlsError> {
        let [a, b, c, d] = LEAVES.map(|leaf| authority.acceptor(leaf));
        Ok(Self([a?, b?, c?, d?]))
    }

    pub(crate) fn of(&self, leaf: Leaf) -> &TlsAcceptor {
        &self.0[LEAVES.iter().position(|known| *known == leaf).expect("each leaf is in the list")]
    }
}

const LEAVES: [Leaf; 4] = [Leaf::Trusted, Leaf::SelfSigned, Leaf::WrongName, Leaf::Expired];
