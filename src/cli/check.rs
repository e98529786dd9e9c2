//! `valet check`: every mistake of a configuration at once, without touching the network.

use super::{exit, output};
use crate::{config, env::OsEnv};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `valet check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Files that the configuration names (certificates, values, secrets) are read as well; the file's \
own text is never printed. Exits with 0 where Valet would start (warnings are printed all the \
same), with 78 where it would not.

Examples:
  valet check --config valet.yaml
  valet check --config valet.yaml --json | jq '.problems[]'"
)]
pub(super) struct CheckArgs {
    /// The configuration file
    #[arg(long, env = "VALET_CONFIG", value_name = "FILE", default_value = "/etc/valet/valet.yaml")]
    config: PathBuf,

    /// Print the problems as JSON: {"problems": [{path, line, message, hint, severity}]}
    #[arg(long)]
    json: bool,
}

/// Runs `valet check`.
pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let (problems, code) = match config::load(&args.config, &OsEnv) {
        Ok(loaded) => (loaded.warnings, ExitCode::SUCCESS),
        Err(problems) => (problems, exit::CONFIG.into()),
    };
    if args.json {
        output::result(&serde_json::to_string_pretty(&problems).expect("problems are texts and numbers"));
    } else if problems.is_empty() {
        output::result(&format!("{}: no problems", args.config.display()));
    } else {
        output::say(&problems.render(&args.config));
    }
    code
}
