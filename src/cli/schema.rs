//! `valet schema`: the JSON Schema of valet.yaml.

use super::output;
use crate::config;
use clap::Args;
use std::process::ExitCode;

/// Arguments of `valet schema`.
#[derive(Debug, Args)]
#[command(after_help = "Draft 2020-12. What spans keys, such as references to names, only `valet check` sees.

Examples:
  valet schema > valet.schema.json
  # first line of valet.yaml, for the YAML language server:
  # yaml-language-server: $schema=valet.schema.json")]
pub(super) struct SchemaArgs {}

/// Runs `valet schema`.
pub(super) fn run(_: &SchemaArgs) -> ExitCode {
    output::result(&format!("{:#}", config::schema()));
    ExitCode::SUCCESS
}
