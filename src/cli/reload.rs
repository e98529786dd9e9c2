//! `valet reload`: a running Valet reads its configuration file again.

use super::{args::AdminArgs, client, output};
use crate::proto::v1::{ReloadRequest, admin_client::AdminClient};
use clap::Args;
use std::{process::ExitCode, time::Duration};

/// Arguments of `valet reload`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file with mistakes changes nothing: the running configuration stays, the mistakes are printed, the exit code is 78.
SIGHUP does the same, and says so in the log."
)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs `valet reload`.
pub(super) fn run(args: &ReloadArgs) -> ExitCode {
    let reloaded = client::converse(&args.admin.admin_socket, TIMEOUT, |channel| async {
        AdminClient::new(channel).reload(ReloadRequest {}).await
    });
    reloaded.map_or_else(ExitCode::from, |reloaded| {
        for warning in &reloaded.get_ref().warnings {
            output::complain(warning);
        }
        output::complain("the configuration was read again and is in use");
        ExitCode::SUCCESS
    })
}
