use super::Seams;
use crate::{
    audit::{Audit, Config},
    telemetry::Counters,
};
use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, sync::Arc, thread::JoinHandle};

/// Opens what the configuration names and starts the writer.
pub(super) fn start(
    config: &Config,
    seams: &Seams,
    counters: &Arc<Counters>,
) -> io::Result<(Audit, Option<JoinHandle<()>>)> {
    let (clock, counters) = (Arc::clone(&seams.clock), Arc::clone(counters));
    let (audit, writer) = match config {
        Config::Off => return Ok((Audit::off(clock, counters), None)),
        Config::Stderr => Audit::start(io::stderr(), clock, counters)?,
        Config::File(path) => {
            // Names of secrets are nobody's business but the operator's.
            let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
            Audit::start(file, clock, counters)?
        }
    };
    Ok((audit, Some(writer)))
}
