//! `valet completions`: shell completions.

use super::output;
use clap::{Args, Command};
use clap_complete::Shell;
use std::process::ExitCode;

/// Arguments of `valet completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  valet completions bash > /etc/bash_completion.d/valet
  valet completions zsh > \"${fpath[1]}/_valet\"")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Runs `valet completions`.
pub(super) fn run(args: &CompletionsArgs, command: &mut Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "valet", &mut script);
    output::result(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
