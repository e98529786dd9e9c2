use super::{Limits, ListenerConfig};
use crate::proto::v1;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all connections of one listener share: its bounds, and what `Admin.Status` says of it.
pub(super) struct Listener {
    pub(super) name: Arc<str>,
    address: String,
    allow: Vec<String>,
    connections: Places,
    requests: Places,
    watchers: Places,
}

/// A bound, and what is taken of it.
struct Places {
    all: usize,
    free: Arc<Semaphore>,
}

/// A place that is taken until this is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Listener {
    pub(super) fn new(config: &ListenerConfig, limits: &Limits) -> Self {
        Self {
            name: Arc::clone(&config.name),
            address: format!("unix:{}", config.unix.path.display()),
            allow: config.allow.iter().map(ToString::to_string).collect(),
            connections: Places::new(limits.connections),
            requests: Places::new(limits.requests),
            watchers: Places::new(limits.watchers),
        }
    }

    /// A place for one more connection, if there is one.
    pub(super) fn connection(&self) -> Option<Place> {
        self.connections.take()
    }

    /// A place for one more request, if there is one.
    pub(super) fn request(&self) -> Option<Place> {
        self.requests.take()
    }

    /// A place for one more stream of changes, if there is one.
    pub(super) fn watcher(&self) -> Option<Place> {
        self.watchers.take()
    }

    pub(super) fn status(&self) -> v1::ListenerStatus {
        v1::ListenerStatus {
            name: self.name.to_string(),
            address: self.address.clone(),
            allow: self.allow.clone(),
            connections: self.connections.taken() as u64,
        }
    }
}

impl Places {
    fn new(all: usize) -> Self {
        Self { all, free: Arc::new(Semaphore::new(all)) }
    }

    fn take(&self) -> Option<Place> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    fn taken(&self) -> usize {
        self.all - self.free.available_permits()
    }
}
