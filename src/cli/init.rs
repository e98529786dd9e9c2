//! `valet init`: a first valet.yaml, or one that takes over from Airflow's `AzureKeyVaultBackend`.

use super::{
    exit::{self, Exit},
    output,
};
use crate::{
    config::{
        self,
        airflow::{self, NoConversion},
    },
    env::OsEnv,
};
use clap::Args;
use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Arguments of `valet init`.
#[derive(Debug, Args)]
#[command(after_help = "Airflow's settings may also come as lines of variables (AIRFLOW__SECRETS__BACKEND=…). As in \
Airflow, variables of this environment outrank the file. A secret among them is never copied.

Examples:
  valet init -o valet.yaml
  valet init --from-airflow-cfg airflow.cfg -o valet.yaml
  env | grep ^AIRFLOW__ | valet init --from-airflow-cfg -")]
pub(super) struct InitArgs {
    /// Where to write; by default to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Take over from Airflow's Key Vault backend, set up in this airflow.cfg or in lines of variables (- is stdin)
    #[arg(long, value_name = "FILE")]
    from_airflow_cfg: Option<PathBuf>,

    /// Write over a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

/// The longest airflow.cfg that is read. A full one with all comments has a fifth of it.
const MAX_CFG_BYTES: u64 = 1 << 20;

/// Runs `valet init`.
pub(super) fn run(args: &InitArgs) -> ExitCode {
    match write(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.into(),
    }
}

fn write(args: &InitArgs) -> Result<(), Exit> {
    let (yaml, airflow) = match &args.from_airflow_cfg {
        None => (config::FIRST.to_owned(), None),
        Some(cfg) => convert(cfg).map(|converted| (converted.yaml, Some(converted.airflow)))?,
    };
    let Some(path) = &args.output else {
        output::result(&yaml);
        return Ok(());
    };
    save(path, &yaml, args.force).map_err(|error| {
        let advice = if error.kind() == io::ErrorKind::AlreadyExists { "; --force writes over it" } else { "" };
        output::fail(exit::USAGE, format_args!("cannot write {}: {error}{advice}", path.display()))
    })?;
    output::complain(format_args!("{} is written", path.display()));
    if let Some(airflow) = airflow {
        output::say(&format!("In Airflow, instead of AzureKeyVaultBackend and its arguments:\n{airflow}"));
    }
    Ok(())
}

fn convert(cfg: &Path) -> Result<airflow::Converted, Exit> {
    let text = read(cfg).map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { exit::NOT_FOUND } else { exit::CONFIG };
        output::fail(exit, format_args!("cannot read {}: {error}", cfg.display()))
    })?;
    airflow::convert(&text, &OsEnv).map_err(|error| {
        output::complain(format_args!("{}: {error}", cfg.display()));
        if let NoConversion::Invalid(problems) = &error {
            output::say(&problems.render(Path::new("valet.yaml")));
        }
        exit::CONFIG
    })
}

fn read(cfg: &Path) -> io::Result<String> {
    let input: Box<dyn Read> =
        if cfg == Path::new("-") { Box::new(io::stdin().lock()) } else { Box::new(File::open(cfg)?) };
    let mut text = String::new();
    input.take(MAX_CFG_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_CFG_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// An empty file counts as none: `mktemp` makes such.
fn save(path: &Path, yaml: &str, force: bool) -> io::Result<()> {
    if force || fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        return fs::write(path, yaml);
    }
    File::create_new(path)?.write_all(yaml.as_bytes())
}
