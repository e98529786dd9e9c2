//! `valet invalidate`: a running Valet forgets what it has cached of a name.

use super::{
    args::AdminArgs,
    client,
    exit::{self, Exit},
    output,
};
use crate::proto::v1::{
    InvalidateRequest, InvalidateResponse, Lookup, admin_client::AdminClient, lookup::Name as Named,
};
use clap::Args;
use std::{process::ExitCode, time::Duration};

/// Arguments of `valet invalidate`.
#[derive(Debug, Args)]
#[command(
    override_usage = "valet invalidate [OPTIONS] [connection|variable|config] <NAME>",
    after_help = "Examples:
  valet invalidate wasb_landing
  valet invalidate variable run_date --team finance

The next lookup asks the sources again; nothing stands in for one that is down. Of a brokered connection the keys and tokens of its
account go too, and the values that it refers to. Tokens that tasks hold already stay good."
)]
pub(super) struct InvalidateArgs {
    /// The name; before it its kind (connection, variable, config), or else it is forgotten of every kind
    #[arg(num_args = 1..=2, required = true, value_name = "NAME")]
    words: Vec<String>,

    /// Only what is cached for this Airflow team; without it, for all of them
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEAM")]
    team: String,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    admin: AdminArgs,
}

const TIMEOUT: Duration = Duration::from_secs(10);

/// A kind of name on the command line, and in a lookup.
type Kind = (&'static str, fn(String) -> Named);

const KINDS: [Kind; 3] = [("connection", Named::Connection), ("variable", Named::Variable), ("config", Named::Config)];

/// Runs `valet invalidate`.
pub(super) fn run(args: &InvalidateArgs) -> ExitCode {
    let text = dropped(args).and_then(|answer| {
        if args.json {
            return output::to_json("valet.v1.InvalidateResponse", &answer);
        }
        let entries = if answer.dropped == 1 { "entry" } else { "entries" };
        Ok(format!("{} cached {entries} dropped", answer.dropped))
    });
    text.map_or_else(ExitCode::from, |text| {
        output::result(&text);
        ExitCode::SUCCESS
    })
}

fn dropped(args: &InvalidateArgs) -> Result<InvalidateResponse, Exit> {
    let (kinds, name) = meant(&args.words).map_err(|problem| output::fail(exit::USAGE, problem))?;
    client::converse(&args.admin.admin_socket, TIMEOUT, |channel| async {
        let mut admin = AdminClient::new(channel);
        let mut dropped = 0;
        for (_, named) in kinds {
            let lookup = Some(Lookup { name: Some(named(name.clone())), team: args.team.clone() });
            dropped += admin.invalidate(InvalidateRequest { lookup }).await?.into_inner().dropped;
        }
        Ok(InvalidateResponse { dropped })
    })
}

/// The kinds and the name that the words mean.
fn meant(words: &[String]) -> Result<(Vec<&'static Kind>, &String), String> {
    let kind = |word: &str| KINDS.iter().find(|(known, _)| *known == word);
    match words {
        // Else somebody who left out the name would believe that it worked.
        [word] if kind(word).is_some() => Err(format!("what is the {word}'s name? `valet invalidate {word} NAME`")),
        [name] => Ok((KINDS.iter().collect(), name)),
        [word, name] => kind(word)
            .map(|kind| (vec![kind], name))
            .ok_or_else(|| "the kind is connection, variable or config".to_owned()),
        _ => Err("one name at a time".to_owned()),
    }
}
