//! `valet get`: one lookup through a running Valet.

use super::{args::SocketArgs, client, output};
use crate::proto::v1::{
    Answer, GetConfigRequest, GetConnectionRequest, GetVariableRequest, broker_client::BrokerClient,
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, time::Duration};
use tonic::{Response, Status, transport::Channel};

/// Arguments of `valet get`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  valet get connection wasb_landing
  valet get variable run_date --json
  valet get connection reports --team finance --socket /run/valet/valet.sock

The value goes to stdout, as it is stored. Mind your terminal's scroll-back: it is a secret.")]
pub(super) struct GetArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// An Airflow connection, in the form that Airflow reads
    Connection(NameArgs),
    /// An Airflow variable
    Variable(NameArgs),
    /// An Airflow configuration option, by the name that its `*_secret` setting holds
    Config(NameArgs),
}

#[derive(Debug, Clone, Args)]
struct NameArgs {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,

    /// Airflow team name
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEAM")]
    team: String,

    /// Print the whole answer as JSON: value, source, version, age and so on
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    socket: SocketArgs,
}

/// Runs `valet get`.
pub(super) fn run(args: &GetArgs) -> ExitCode {
    let (What::Connection(name) | What::Variable(name) | What::Config(name)) = &args.what;
    let timeout = Duration::from_secs(name.socket.timeout);
    let answer = client::converse(&name.socket.socket, timeout, |channel| ask(channel, &args.what));
    let text = answer
        .and_then(|answer| if name.json { output::to_json("valet.v1.Answer", &answer) } else { Ok(answer.value) });
    text.map_or_else(ExitCode::from, |text| {
        output::result(&text);
        ExitCode::SUCCESS
    })
}

async fn ask(channel: Channel, what: &What) -> Result<Answer, Status> {
    let mut broker = BrokerClient::new(channel);
    let answer = match what.clone() {
        What::Connection(NameArgs { name, team, .. }) => {
            broker.get_connection(GetConnectionRequest { conn_id: name, team }).await
        }
        What::Variable(NameArgs { name, team, .. }) => {
            broker.get_variable(GetVariableRequest { key: name, team }).await
        }
        What::Config(NameArgs { name, team, .. }) => broker.get_config(GetConfigRequest { key: name, team }).await,
    };
    answer.map(Response::into_inner)
}
