//! `valet status`: the state of a running Valet.

use super::{args::AdminArgs, client, output};
use crate::proto::v1::{StatusRequest, StatusResponse, admin_client::AdminClient};
use clap::Args;
use std::{fmt::Write as _, process::ExitCode, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tonic::Response;

/// Arguments of `valet status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  valet status
  valet status --json | jq .sources")]
pub(super) struct StatusArgs {
    /// Print everything as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    admin: AdminArgs,
}

const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs `valet status`.
pub(super) fn run(args: &StatusArgs) -> ExitCode {
    let status = client::converse(&args.admin.admin_socket, TIMEOUT, |channel| async {
        AdminClient::new(channel).status(StatusRequest {}).await.map(Response::into_inner)
    });
    let text = status.and_then(|status| {
        if args.json { output::to_json("valet.v1.StatusResponse", &status) } else { Ok(for_people(&status)) }
    });
    text.map_or_else(ExitCode::from, |text| {
        output::result(&text);
        ExitCode::SUCCESS
    })
}

fn for_people(status: &StatusResponse) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:<10} {value}");
    };
    line("valet", &format!("{}, up since {}", status.version, when(status.started_at.as_ref())));
    if let Some(config) = &status.config {
        let path = if config.path.is_empty() { "built-in default" } else { &config.path };
        line("config", &format!("{path}, in use since {}", when(config.loaded_at.as_ref())));
        if !config.last_reload_error.is_empty() {
            line("", &format!("the newest reload was refused: {}", config.last_reload_error));
        }
    }
    for listener in &status.listeners {
        let allow = listener.allow.join(", ");
        line(
            "listener",
            &format!("{}: {} for {allow}; {} connections", listener.name, listener.address, listener.connections),
        );
    }
    for source in &status.sources {
        let health = if source.healthy {
            "well".to_owned()
        } else {
            format!("{} since {}", source.reason, when(source.unhealthy_since.as_ref()))
        };
        let mut said = format!("{} ({}): {health}; {} reads", source.name, source.kind, source.reads);
        if let Some(left) = source.budget_left {
            let _ = write!(said, "; {left} requests left of its budget; breaker {}", source.breaker);
        }
        line("source", &said);
    }
    for account in &status.accounts {
        let earlier = account.earlier_keys.iter().map(|key| (key, "before: "));
        for (key, before) in account.keys.iter().map(|key| (key, "")).chain(earlier) {
            let mut said = vec![format!("{before}{}", key.reference)];
            said.extend((!key.fingerprint.is_empty()).then(|| format!("key {}", key.fingerprint)));
            said.extend((key.signs).then(|| "signs".to_owned()));
            said.extend((!key.reason.is_empty()).then(|| key.reason.clone()));
            let suspect = key.suspect_until.as_ref();
            said.extend(suspect.map(|until| format!("suspect until {}", when(Some(until)))));
            let safe = key.safe_to_regenerate_after.as_ref();
            said.extend(safe.map(|safe| format!("safe to regenerate after {}", when(Some(safe)))));
            line("account", &format!("{} ({}): {}", account.name, account.kind, said.join("; ")));
        }
    }
    if let Some(cache) = &status.cache {
        let lookups = cache.hits + cache.misses;
        line(
            "cache",
            &format!(
                "{} values, {} not found, {} of {} KiB; {} of {lookups} lookups without a source; {} reads under way",
                cache.values,
                cache.not_found,
                cache.bytes >> 10,
                cache.max_bytes >> 10,
                cache.hits,
                cache.in_flight,
            ),
        );
    }
    for (name, count) in status.counters.iter().collect::<std::collections::BTreeMap<_, _>>() {
        if *count > 0 {
            line("counter", &format!("{name} {count}"));
        }
    }
    text
}

fn when(time: Option<&prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time.seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "?".to_owned())
}
