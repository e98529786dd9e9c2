//! The composition root: builds the rooms from a configuration, runs them, reloads, drains. It never parses and holds no request logic.
//! [`crate::cli`] calls it for `serve`; tests call it to run Valet in-process.

mod audit_sink;
mod generation;
mod issuing;
mod running;
mod tending;

pub use crate::{azure::SystemResolver, transport::Limits};
pub use generation::BuildError;

use crate::{
    azure::Resolver,
    clock::Clock,
    config::Loaded,
    env::Env,
    telemetry::Counters,
    transport::{self, Control, Ids, Lookups, Parts, Server},
};
use generation::Maker;
use running::Running;
use std::{fmt, path::PathBuf, pin::pin, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the process gets from outside: time, environment, names of hosts, randomness.
#[derive(Clone)]
pub struct Seams {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where environment variables come from.
    pub env: Arc<dyn Env>,
    /// How names of hosts become addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Where random numbers come from: ids of internal faults, jitter.
    pub ids: Ids,
}

/// A Valet that is built and bound, and not yet serving.
pub struct App {
    running: Arc<Running>,
    server: Server,
    audit_writer: Option<JoinHandle<()>>,
}

/// Why a Valet could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is sound, yet something that it names cannot be used.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A listener cannot be opened.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// The audit log cannot be opened.
    #[error("the audit log cannot be opened: {0}")]
    Audit(#[source] std::io::Error),
}

impl App {
    /// Builds every room and binds every listener; nothing is asked of the network. `path` is where a reload reads the configuration again;
    /// `None` is the built-in default, which a reload leaves as it is.
    ///
    /// # Errors
    /// [`Error`], with nothing left behind.
    pub async fn build(path: Option<PathBuf>, loaded: Loaded, limits: Limits, seams: Seams) -> Result<Self, Error> {
        let counters = Arc::new(Counters::new());
        let (audit, audit_writer) = audit_sink::start(&loaded.config.audit, &seams, &counters).map_err(Error::Audit)?;
        let listeners = loaded.config.listeners.clone();
        let ids = Arc::clone(&seams.ids);
        let maker = Maker::new(audit, seams, Arc::clone(&counters));
        let first = maker.first(loaded.config)?;
        let running = Arc::new(Running::new(path, first, maker));
        let (lookups, control) = (Arc::clone(&running) as Arc<dyn Lookups>, Arc::clone(&running) as Arc<dyn Control>);
        let server = Server::bind(&listeners, Parts { lookups, control, counters, ids, limits }).await?;
        Ok(Self { running, server, audit_writer })
    }

    /// Serves until `shutdown`, reloading whenever `reload` says so; then drains, and writes the last audit lines.
    pub async fn run(self, shutdown: CancellationToken, mut reload: mpsc::Receiver<()>) {
        let Self { running, server, audit_writer } = self;
        running.begin();
        let mut serving = pin!(server.run(shutdown));
        loop {
            tokio::select! {
                () = &mut serving => break,
                // The outcome is in the log and in the status: a signal has nobody to answer to.
                Some(()) = reload.recv() => drop(running.reload().await),
            }
        }
        running.end();
        drop(running);
        if let Some(writer) = audit_writer {
            // Its queue closes with the last broker; a read that outlives the drain may hold one, and must not hold up the exit.
            let joined = tokio::task::spawn_blocking(|| writer.join());
            if tokio::time::timeout(AUDIT_FLUSH, joined).await.is_err() {
                tracing::warn!("the audit log was not written to its end");
            }
        }
    }
}

/// How long the last audit lines may take.
const AUDIT_FLUSH: Duration = Duration::from_secs(2);

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
