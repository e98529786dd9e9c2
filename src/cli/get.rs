//! `valet get`: one lookup, or one token, through a running Valet.

use super::{args::SocketArgs, client, exit::Exit, output};
use crate::proto::v1::{
    Answer, GetConfigRequest, GetConnectionRequest, GetVariableRequest, IssueTokenRequest, IssueTokenResponse,
    broker_client::BrokerClient,
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
  valet get token landing_read --min-remaining 2h

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
    /// A token of a grant, on a socket that allows `tokens`
    Token(TokenArgs),
}

#[derive(Debug, Clone, Args)]
struct TokenArgs {
    /// The grant
    #[arg(value_name = "GRANT")]
    grant: String,

    /// The least life that the token must still have, such as 90s, 30m or 2h; without it what the grant says
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    min_remaining: Option<Duration>,

    /// Print the whole answer as JSON: the token, when it ends, which key signed it
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    socket: SocketArgs,
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
    let text = match &args.what {
        What::Token(args) => token(args),
        What::Connection(name) | What::Variable(name) | What::Config(name) => value(name, &args.what),
    };
    text.map_or_else(ExitCode::from, |text| {
        output::result(&text);
        ExitCode::SUCCESS
    })
}

fn value(name: &NameArgs, what: &What) -> Result<String, Exit> {
    let timeout = Duration::from_secs(name.socket.timeout);
    let answer = client::converse(&name.socket.socket, timeout, |channel| ask(channel, what))?;
    if name.json { output::to_json("valet.v1.Answer", &answer) } else { Ok(answer.value) }
}

fn token(args: &TokenArgs) -> Result<String, Exit> {
    let request = IssueTokenRequest {
        grant: args.grant.clone(),
        min_remaining: args.min_remaining.and_then(|duration| duration.try_into().ok()),
    };
    let timeout = Duration::from_secs(args.socket.timeout);
    let answer: IssueTokenResponse = client::converse(&args.socket.socket, timeout, |channel| async {
        BrokerClient::new(channel).issue_token(request).await.map(Response::into_inner)
    })?;
    if args.json { output::to_json("valet.v1.IssueTokenResponse", &answer) } else { Ok(answer.token) }
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
        What::Token(_) => return Err(Status::internal("a token is no value")),
    };
    answer.map(Response::into_inner)
}

/// A duration as valet.yaml has it, of one unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write it as 90s, 30m, 2h or 1d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write it as 90s, 30m, 2h or 1d".to_owned())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "that is too long".to_owned())
}
