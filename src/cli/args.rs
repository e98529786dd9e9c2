use super::{check, completions, get, health, init, invalidate, reload, schema, serve, sign, status};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Valet: a connection broker for Apache Airflow on Azure.
#[derive(Debug, Parser)]
#[command(name = "valet", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 good, 64 usage, 66 not found, 69 unavailable, 77 refused, 78 configuration.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve connections, variables and config options on Unix sockets
    Serve(serve::ServeArgs),
    /// Report every mistake in a configuration file, without touching the network
    Check(check::CheckArgs),
    /// Look one name up through a running Valet
    Get(get::GetArgs),
    /// Show the state of a running Valet
    Status(status::StatusArgs),
    /// Have a running Valet read its configuration file again
    Reload(reload::ReloadArgs),
    /// Have a running Valet forget what it has cached of a name
    Invalidate(invalidate::InvalidateArgs),
    /// Sign SAS tokens and Authorization values from specs, without a running Valet
    Sign(sign::SignArgs),
    /// Ask a running Valet whether it serves (the exec probe)
    Health(health::HealthArgs),
    /// Print the JSON Schema of valet.yaml
    Schema(schema::SchemaArgs),
    /// Write a first valet.yaml, or one that takes over from Airflow's Key Vault backend
    Init(init::InitArgs),
    /// Print shell completions
    Completions(completions::CompletionsArgs),
}

/// Where the tasks' socket is.
#[derive(Debug, Clone, Args)]
pub(super) struct SocketArgs {
    /// The socket that tasks use
    #[arg(long, env = "VALET_SOCKET", default_value = "/run/valet/valet.sock", value_name = "PATH")]
    pub(super) socket: PathBuf,

    /// Longest wait for an answer, in seconds
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(super) timeout: u64,
}

/// Where the operators' socket is.
#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// The socket that operators use
    #[arg(long, env = "VALET_ADMIN_SOCKET", default_value = "/run/valet/admin.sock", value_name = "PATH")]
    pub(super) admin_socket: PathBuf,
}
