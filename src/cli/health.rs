//! `valet health`: the exec probe.

use super::{args::SocketArgs, client, exit, output};
use clap::Args;
use std::{process::ExitCode, time::Duration};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Arguments of `valet health`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 0 while Valet serves, with 69 while it does not: it is not there yet, or it is draining. As a Kubernetes probe:
  exec: {command: [valet, health]}"
)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `valet health`.
pub(super) fn run(args: &HealthArgs) -> ExitCode {
    let timeout = Duration::from_secs(args.socket.timeout);
    let health = client::converse(&args.socket.socket, timeout, |channel| async {
        HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await
    });
    match health {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => {
            output::result("serving");
            ExitCode::SUCCESS
        }
        Ok(_) => output::fail(exit::UNAVAILABLE, "not serving").into(),
        Err(exit) => exit.into(),
    }
}
