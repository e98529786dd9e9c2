//! Values in files, in the formats of Airflow's `LocalFilesystemBackend` (`airflow/secrets/local_filesystem.py`): JSON, YAML and .env by their
//! ending. It never writes, and watches nothing: a file is read again when its stamp has changed. The broker reads it like any other source.

mod connection;
mod entries;
mod scalar;
#[cfg(test)]
mod tests;
mod watched;

pub use watched::{BadFile, check};

use super::{FileConfig, Source};
use crate::model::{Fault, Found, Kind, Lookup, Name, SourceName, Urgency};
use async_trait::async_trait;
use watched::Watched;

/// A `file` source: one file of connections, one of variables, either optional.
#[derive(Debug)]
pub struct FileSource {
    name: SourceName,
    connections: Option<Watched>,
    variables: Option<Watched>,
}

impl FileSource {
    /// The source called `name` in valet.yaml. Nothing is read yet.
    pub fn new(name: SourceName, config: &FileConfig) -> Self {
        let watch = |path: &Option<_>, kind| path.clone().map(|path| Watched::new(path, kind));
        Self {
            name,
            connections: watch(&config.connections, Kind::Connection),
            variables: watch(&config.variables, Kind::Variable),
        }
    }

    fn file(&self, kind: Kind) -> Option<&Watched> {
        match kind {
            Kind::Connection => self.connections.as_ref(),
            Kind::Variable => self.variables.as_ref(),
            Kind::Config => None,
        }
    }
}

#[async_trait]
impl Source for FileSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "file"
    }

    fn is_local(&self) -> bool {
        true
    }

    fn location(&self, lookup: &Lookup) -> String {
        match self.file(lookup.kind) {
            Some(file) => format!("entry {:?} of {}", lookup.name.as_str(), file.path().display()),
            None => lookup.to_string(),
        }
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        // Airflow's backend knows no teams: what is in the file is everybody's.
        let Some(file) = self.file(lookup.kind) else { return Ok(None) };
        file.entry(lookup.name.as_str())
    }

    /// A variable, else a connection of that name.
    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        for file in [&self.variables, &self.connections].into_iter().flatten() {
            if let Some(found) = file.entry(name.as_str())? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
