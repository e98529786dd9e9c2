//! The command line: one file a subcommand, results to stdout, everything else to stderr, exit codes as sysexits has them.
//! It holds no business rules. `main` calls it.

mod args;
mod check;
mod client;
mod completions;
mod exit;
mod get;
mod health;
mod init;
mod invalidate;
mod output;
mod reload;
mod schema;
mod serve;
mod sign;
mod status;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _, error::ErrorKind};
use std::process::ExitCode;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no mistake; the rest is, and clap's own code for it (2) is not sysexits'.
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _ = error.print();
            return if asked_for { ExitCode::SUCCESS } else { exit::USAGE.into() };
        }
    };
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Get(args) => get::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Invalidate(args) => invalidate::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
    }
}
