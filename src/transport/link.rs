use super::listener::Listener;
use crate::model::{Caller, Claims, Peer};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{net::UnixStream, sync::Notify};

/// No request's number.
const NONE: u64 = u64::MAX;

/// One open connection: what its bytes ([`super::wire`]) and its requests ([`super::door`]) must know of each other.
pub(super) struct Link {
    pub(super) listener: Arc<Listener>,
    peer: Option<Peer>,
    requests: AtomicU64,
    refused: AtomicU64,
    rest: Notify,
}

impl Link {
    /// Asks the kernel who is at the other end, once.
    pub(super) fn new(listener: Arc<Listener>, stream: &UnixStream) -> Self {
        let peer = stream.peer_cred().ok().map(|peer| {
            // The kernel says 0 of a process that this PID namespace does not know.
            Peer { uid: peer.uid(), gid: peer.gid(), pid: peer.pid().filter(|&pid| pid != 0) }
        });
        Self { listener, peer, requests: AtomicU64::new(0), refused: AtomicU64::new(NONE), rest: Notify::new() }
    }

    pub(super) fn caller(&self, claims: Claims) -> Caller {
        Caller { listener: Arc::clone(&self.listener.name), peer: self.peer, claims }
    }

    /// Says that the HTTP/1 request of this number, from 0, must not be answered.
    pub(super) fn refuse(&self, number: u64) {
        self.refused.store(number, Ordering::Relaxed);
    }

    /// Counts an HTTP/1 request that hyper hands over, and says whether it is the one to refuse.
    pub(super) fn is_refused(&self) -> bool {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        number == self.refused.load(Ordering::Relaxed)
    }

    /// Says that the connection has been idle for too long.
    pub(super) fn rest(&self) {
        self.rest.notify_one();
    }

    pub(super) async fn rested(&self) {
        self.rest.notified().await;
    }
}
