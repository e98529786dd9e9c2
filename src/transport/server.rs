use super::{
    Control, Error, Ids, Limits, ListenerConfig, Lookups,
    door::Door,
    link::Link,
    listener::{Listener, Place},
    methods::Methods,
    socket::Socket,
    wire::Wire,
};
use crate::{
    proto::v1::{admin_server, broker_server},
    telemetry::{Counter, Counters},
};
use hyper::{rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use std::{convert::Infallible, pin::pin, sync::Arc};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic_health::{ServingStatus, server::HealthReporter};

/// The health service's names: the whole, and each service.
const HEALTH: [&str; 3] = ["", broker_server::SERVICE_NAME, admin_server::SERVICE_NAME];

/// What the transport needs of the other rooms.
pub struct Parts {
    /// Who answers lookups.
    pub lookups: Arc<dyn Lookups>,
    /// Who answers operators.
    pub control: Arc<dyn Control>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Numbers for internal faults.
    pub ids: Ids,
    /// The bounds.
    pub limits: Limits,
}

/// The listeners, open and not yet served.
pub struct Server {
    listeners: Vec<(UnixListener, Socket, Arc<Listener>)>,
    shared: Arc<Shared>,
    health: HealthReporter,
}

/// What all connections share.
struct Shared {
    door: Door,
    limits: Limits,
    counters: Arc<Counters>,
    tasks: TaskTracker,
    http: auto::Builder<Tasks>,
    /// Ends what waits, finishes what runs.
    closing: CancellationToken,
    /// Ends what runs.
    cutting: CancellationToken,
}

impl Server {
    /// Opens every listener, so that what is wrong with one shows before anything is served. Clients can connect from now on; they are answered
    /// once the server runs.
    ///
    /// # Errors
    /// [`Error`] of the first listener that cannot be opened; those opened before are closed again.
    pub async fn bind(configs: &[ListenerConfig], parts: Parts) -> Result<Self, Error> {
        let Parts { lookups, control, counters, ids, limits } = parts;
        let mut listeners = Vec::with_capacity(configs.len());
        for config in configs {
            let (accept, socket) = Socket::bind(&config.unix).await?;
            listeners.push((accept, socket, Arc::new(Listener::new(config, &limits))));
        }
        let known = listeners.iter().map(|(_, _, listener)| Arc::clone(listener)).collect();
        let closing = CancellationToken::new();
        let methods =
            Arc::new(Methods { lookups, control, counters, ids, limits, listeners: known, closing: closing.clone() });
        let (door, health) = Door::new(&methods);
        for name in HEALTH {
            health.set_service_status(name, ServingStatus::Serving).await;
        }
        Ok(Self {
            listeners,
            shared: Arc::new(Shared::new(door, &methods.limits, Arc::clone(&methods.counters), closing)),
            health,
        })
    }

    /// Serves until `shutdown`, then finishes what is being answered, within [`Limits::drain`].
    pub async fn run(mut self, shutdown: CancellationToken) {
        let shared = self.shared;
        for (accept, socket, listener) in self.listeners {
            shared.tasks.spawn(Arc::clone(&shared).listen(accept, socket, listener));
        }
        shutdown.cancelled().await;
        for name in HEALTH {
            self.health.set_service_status(name, ServingStatus::NotServing).await;
        }
        shared.closing.cancel();
        for name in HEALTH {
            // Ends the calls that watch it; they have been told.
            self.health.clear_service_status(name).await;
        }
        shared.tasks.close();
        if tokio::time::timeout(shared.limits.drain, shared.tasks.wait()).await.is_err() {
            tracing::warn!(
                tasks = shared.tasks.len(),
                "the drain's time is over; cutting what is still being answered"
            );
            shared.cutting.cancel();
            shared.tasks.wait().await;
        }
    }
}

impl Shared {
    fn new(door: Door, limits: &Limits, counters: Arc<Counters>, closing: CancellationToken) -> Self {
        let (tasks, cutting) = (TaskTracker::new(), CancellationToken::new());
        let mut http = auto::Builder::new(Tasks { tasks: tasks.clone(), cutting: cutting.clone() });
        // The wire has the time limits.
        http.http1().header_read_timeout(None).max_headers(limits.headers).max_buf_size(limits.head_bytes as usize);
        http.http2().max_concurrent_streams(limits.streams).max_header_list_size(limits.head_bytes);
        Self { door, limits: limits.clone(), counters, tasks, http, closing, cutting }
    }

    /// Accepts connections until closing. The socket's file goes first, so that a client which comes too late finds nothing rather than a
    /// listener that does not answer.
    async fn listen(self: Arc<Self>, accept: UnixListener, socket: Socket, listener: Arc<Listener>) {
        while let Some(accepted) = self.closing.run_until_cancelled(accept.accept()).await {
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(listener = &*listener.name, %error, "cannot accept connections");
                    tokio::time::sleep(self.limits.accept_pause).await;
                    continue;
                }
            };
            let Some(place) = listener.connection() else {
                self.counters.count(Counter::ConnectionsRefused);
                continue;
            };
            self.counters.count(Counter::ConnectionsAccepted);
            self.tasks.spawn(Arc::clone(&self).serve(stream, Arc::clone(&listener), place));
        }
        drop(socket);
    }

    async fn serve(self: Arc<Self>, stream: UnixStream, listener: Arc<Listener>, place: Place) {
        let link = Arc::new(Link::new(listener, &stream));
        let wire = Wire::new(stream, Arc::clone(&link), Arc::clone(&self.counters), &self.limits);
        let service = service_fn(|request| {
            let (this, link) = (Arc::clone(&self), Arc::clone(&link));
            async move { Ok::<_, Infallible>(this.door.answer(&link, request).await) }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(wire), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.closing.cancelled() => None,
            () = link.rested() => None,
        };
        let ended = if let Some(ended) = ended {
            Some(ended)
        } else {
            connection.as_mut().graceful_shutdown();
            self.cutting.run_until_cancelled(connection).await
        };
        if let Some(Err(error)) = ended {
            tracing::debug!(listener = &*link.listener.name, %error, "a connection ended badly");
        }
        drop(place);
    }
}

/// Runs HTTP/2's streams where the drain waits for them.
#[derive(Clone)]
struct Tasks {
    tasks: TaskTracker,
    cutting: CancellationToken,
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, stream: F) {
        let cutting = self.cutting.clone();
        self.tasks.spawn(async move { cutting.run_until_cancelled(stream).await });
    }
}
