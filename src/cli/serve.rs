//! `valet serve`: run until told to stop.

use super::{exit, output};
use crate::{
    app::{App, Error, Limits, Seams, SystemResolver},
    clock::SystemClock,
    config,
    env::{Env as _, OsEnv},
    telemetry::{Format, init_logs},
};
use clap::{Args, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// Arguments of `valet serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Signals: TERM and INT drain what is in flight, then exit with 0; HUP reads the configuration again.
The log goes to stderr: JSON, or plain text on a terminal. VALET_LOG (then RUST_LOG) sets its filter, e.g. VALET_LOG=valet=debug.

Examples:
  valet serve --config /etc/valet/valet.yaml
  VALET_CONFIG=/etc/valet/valet.yaml valet serve"
)]
pub(super) struct ServeArgs {
    /// The configuration file
    #[arg(long, env = "VALET_CONFIG", value_name = "FILE", default_value = "/etc/valet/valet.yaml")]
    config: PathBuf,

    /// How log lines look; by default text on a terminal, else JSON
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Threads for the few calls that block: name resolution, small files.
const MAX_BLOCKING: usize = 16;

/// Runs `valet serve`.
pub(super) fn run(args: &ServeArgs) -> ExitCode {
    match start(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.into(),
    }
}

fn start(args: &ServeArgs) -> Result<(), exit::Exit> {
    let env = OsEnv;
    let colour = output::stderr_in_colour(&env);
    let human = match args.log_format {
        Some(format) => matches!(format, LogFormat::Text),
        None => std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    let filter = ["VALET_LOG", "RUST_LOG"].iter().find_map(|name| env.var(name).ok().flatten());
    let format = if human { Format::Human { colour } } else { Format::Json };
    init_logs(filter.as_deref(), format).map_err(|error| output::fail(exit::USAGE, error))?;

    let loaded = config::load(&args.config, &env)
        .map_err(|problems| output::fail(exit::CONFIG, problems.render(&args.config)))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    raise_descriptor_limit();
    // One thread: a lookup is a few microseconds of work, and with a second thread each would cost two system calls to wake it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(MAX_BLOCKING)
        .enable_all()
        .build()
        .map_err(|error| output::fail(exit::UNAVAILABLE, format_args!("cannot start: {error}")))?;
    runtime.block_on(serve(args.config.clone(), loaded))
}

async fn serve(path: PathBuf, loaded: config::Loaded) -> Result<(), exit::Exit> {
    let unavailable = |error: &dyn std::fmt::Display| output::fail(exit::UNAVAILABLE, error);
    let ids = std::hash::RandomState::new();
    let counter = std::sync::atomic::AtomicU64::new(0);
    let next_id =
        move || std::hash::BuildHasher::hash_one(&ids, counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let seams = Seams {
        clock: Arc::new(SystemClock::new()),
        env: Arc::new(OsEnv),
        resolver: Arc::new(SystemResolver),
        ids: Arc::new(next_id),
    };
    // Signals are caught before the sockets appear: whoever sees a socket may already send one.
    let shutdown = CancellationToken::new();
    let reload = catch_signals(&shutdown).map_err(|error| unavailable(&error))?;
    let app = App::build(Some(path), loaded, Limits::default(), seams).await.map_err(|error| match error {
        Error::Build(_) | Error::Audit(_) => output::fail(exit::CONFIG, error),
        Error::Transport(_) => unavailable(&error),
    })?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "valet is serving");
    app.run(shutdown, reload).await;
    tracing::info!("valet has drained and stops");
    Ok(())
}

/// Lets the process have as many descriptors as it may: many images start with room for fewer connections than the listeners take.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised stays as it is; connections that do not fit are refused one by one.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// TERM and INT cancel; HUP sends. One reload may wait while one is under way.
fn catch_signals(shutdown: &CancellationToken) -> std::io::Result<mpsc::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (sender, receiver) = mpsc::channel(1);
    let shutdown = shutdown.clone();
    tokio_util::task::TaskTracker::new().spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                // A full channel means that a reload is still to come: it will read the newest file.
                _ = hangup.recv() => drop(sender.try_send(())),
            }
        }
        tracing::info!("told to stop; finishing what is in flight");
        shutdown.cancel();
    });
    Ok(receiver)
}
