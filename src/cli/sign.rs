//! `valet sign`: tokens and `Authorization` values from specs, without a running Valet.

use super::{exit, output};
use crate::{
    model::document,
    sign::spec::{self, SignedSpec},
};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::PathBuf,
    process::ExitCode,
};
use zeroize::Zeroizing;

/// Arguments of `valet sign`.
#[derive(Debug, Args)]
#[command(
    after_help = r#"A spec is a JSON object on a line of its own, {"kind": KIND, "input": {...}}, that says everything: account, key, times,
service_version. KIND is one of
  service-sas-{blob,file,queue,table}  account-sas  udk-sas-{blob,file,queue,table}  servicebus-sas
  shared-key-{blob,queue,table,file,dfs}  shared-key-lite-{blob,queue,table,file,dfs}
  cosmos-master-key  batch-shared-key

Each spec gives one line: the token, or the value of the Authorization header. One that must not be signed gives none; its line number and
what to do go to stderr, the others are signed all the same, and the exit code is 64.

Example, a token that reads one container:
  echo '{"kind": "service-sas-blob", "input": {"account": "acme", "key": "...", "resource": {"container": "raw"},
    "permissions": "rl", "expiry": "2030-01-02T03:04:05Z", "protocol": "https"}}' | tr -d '\n' | valet sign --spec -

The tokens go to stdout. Mind your terminal's scroll-back: they are secrets."#
)]
pub(super) struct SignArgs {
    /// The file with the specs; - is standard input
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,

    /// Print a JSON object for each spec, with the parameters of a token and the string that was signed
    #[arg(long)]
    json: bool,
}

/// Runs `valet sign`.
pub(super) fn run(args: &SignArgs) -> ExitCode {
    let input: Result<Box<dyn BufRead>, _> = if args.spec.as_os_str() == "-" {
        Ok(Box::new(io::stdin().lock()))
    } else {
        File::open(&args.spec).map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead>)
    };
    match input.and_then(|input| sign_all(input, args.json)) {
        Ok(Tally { refused: 0, signed: 1.. }) => ExitCode::SUCCESS,
        Ok(Tally { refused: 1.., .. }) => exit::USAGE.into(),
        Ok(Tally { .. }) => output::fail(exit::USAGE, "there is no spec to sign: write one JSON object a line").into(),
        Err(error) => output::fail(exit::NOT_FOUND, format_args!("{}: {error}", args.spec.display())).into(),
    }
}

/// What became of the specs.
struct Tally {
    signed: usize,
    refused: usize,
}

fn sign_all(mut input: impl BufRead, json: bool) -> io::Result<Tally> {
    let mut tally = Tally { signed: 0, refused: 0 };
    let mut line = Zeroizing::new(Vec::with_capacity(spec::LIMITS.bytes + 1));
    for number in 1.. {
        line.clear();
        // One byte more than a spec may have tells one that is too long.
        if input.by_ref().take(spec::LIMITS.bytes as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() > spec::LIMITS.bytes && !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match sign(&line) {
            Ok(signed) => {
                output::result(&if json { to_json(&signed) } else { signed.signed.token.expose().to_owned() });
                tally.signed += 1;
            }
            Err(problem) => {
                output::complain(format_args!("line {number}: {problem}"));
                tally.refused += 1;
            }
        }
    }
    Ok(tally)
}

fn sign(line: &[u8]) -> Result<SignedSpec, String> {
    let text = document::decode(line).map_err(|problem| problem.message.to_owned())?;
    spec::sign(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Shown<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<&'a str>,
    string_to_sign: &'a str,
}

fn to_json(spec: &SignedSpec) -> String {
    let value = spec.signed.token.expose();
    let parameters = spec.signed.parameters();
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    let shown = Shown {
        kind: &spec.kind,
        token: (!spec.is_header).then_some(value),
        parameters: (!spec.is_header).then_some(parameters),
        authorization: spec.is_header.then_some(value),
        string_to_sign: &spec.signed.string_to_sign,
    };
    serde_json::to_string(&shown).expect("texts are JSON")
}
