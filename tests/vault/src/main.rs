//! `valet-testvault`: the test vault as a process of its own, for tests in other languages.

use std::{
    error::Error,
    fs,
    io::{self, IsTerminal},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use tokio::{
    io::{AsyncReadExt, stdin},
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;
use valet_testvault::{Behind, Leaf, Options, RESOURCE, Seed, TENANT_ID, TestVault};

/// Key Vaults, Entra and managed identity for tests. Writes DIR/ca.pem and DIR/endpoints.json when it is ready; ends on SIGTERM.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Vaults and Entra (TLS).
    #[arg(long, default_value_t = ANY_PORT)]
    listen: SocketAddr,
    /// Managed identity (plain HTTP).
    #[arg(long, default_value_t = ANY_PORT)]
    imds: SocketAddr,
    /// The control API (plain HTTP, loopback only).
    #[arg(long, default_value_t = ANY_PORT)]
    control: SocketAddr,
    /// The foreign host (TLS).
    #[arg(long, default_value_t = ANY_PORT)]
    foreign: SocketAddr,
    /// The fault proxy (TLS).
    #[arg(long, default_value_t = ANY_PORT)]
    proxy: SocketAddr,
    /// What the fault proxy stands in front of: https://HOST:PORT or http://HOST:PORT.
    #[arg(long)]
    behind: Option<http::Uri>,
    /// The authority that vouches for what is behind the fault proxy, PEM.
    #[arg(long)]
    behind_ca: Option<PathBuf>,
    /// Where ca.pem and endpoints.json are written.
    #[arg(long)]
    dir: PathBuf,
    /// What the vaults hold: {"vaults": {"default": {"name": {"value": "…"}}}}.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// The certificate of the vaults' listener.
    #[arg(long, value_enum, default_value_t = Leaf::Trusted)]
    leaf: Leaf,
    /// The only tenant, a GUID.
    #[arg(long, default_value = TENANT_ID)]
    tenant: String,
    /// The audience that vaults ask for.
    #[arg(long, default_value = RESOURCE)]
    resource: String,
    /// Seconds that tokens live.
    #[arg(long, default_value_t = 3600)]
    token_lifetime: u64,
    /// End when standard input ends, so that no test leaves a process behind.
    #[arg(long)]
    exit_with_stdin: bool,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
    let args = Args::parse();
    let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(run(args));
    // Not dropped: a read of standard input cannot be interrupted, and a drop would wait for it.
    runtime.shutdown_background();
    ended.map_or_else(|error| fail(error.as_ref()), |()| ExitCode::SUCCESS)
}

fn fail(error: &(dyn Error + 'static)) -> ExitCode {
    tracing::error!(error, "the test vault cannot go on");
    ExitCode::FAILURE
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let seed = match &args.seed {
        None => Seed::default(),
        Some(path) => serde_json::from_slice(&fs::read(path)?)?,
    };
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let vault = TestVault::start(Options {
        listen: args.listen,
        imds: args.imds,
        control: args.control,
        foreign: args.foreign,
        proxy: args.proxy,
        behind: args.behind.map(|url| Behind { url, ca_file: args.behind_ca }),
        dir: Some(args.dir),
        leaf: args.leaf,
        tenant_id: args.tenant,
        resource: args.resource,
        token_lifetime: Duration::from_secs(args.token_lifetime),
        seed,
        ..Options::default()
    })
    .await?;
    tracing::info!(dir = %vault.dir().display(), vault = vault.endpoints().vault_url, "ready");
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = end_of_input(), if args.exit_with_stdin => {}
    }
    Ok(())
}

async fn end_of_input() {
    let (mut input, mut ignored) = (stdin(), [0; 1024]);
    while input.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
