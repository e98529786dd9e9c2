use super::{Resource, Service};
use crate::sign::{SignError, Timestamp, Version, name, permission};

/// Containers that Azure itself names, and that break the rule for names.
const SYSTEM: [&str; 4] = ["$root", "$web", "$logs", "$blobchangefeed"];

impl Resource {
    /// A whole container or file system, with the blobs in it (`sr=c`).
    pub fn container(container: &str) -> Result<Self, SignError> {
        Ok(Self::plain(Service::Blob, "c", &permission::CONTAINER, container_name(container)?))
    }

    /// A blob, or a file of Data Lake Storage (`sr=b`).
    pub fn blob(container: &str, blob: &str) -> Result<Self, SignError> {
        let path = format!("{}/{}", container_name(container)?, name::path("blob", blob)?);
        Ok(Self::plain(Service::Blob, "b", &permission::BLOB, path))
    }

    /// A blob's snapshot, by its time as Azure wrote it (`sr=bs`).
    pub fn snapshot(container: &str, blob: &str, time: &str) -> Result<Self, SignError> {
        let time = moment("snapshot", time)?;
        let since = Some(("snapshot", Version::V2018_11_09));
        Ok(Self { kind: "bs", time, since, ..Self::blob(container, blob)? })
    }

    /// A blob's version, by its id as Azure wrote it (`sr=bv`).
    pub fn blob_version(container: &str, blob: &str, id: &str) -> Result<Self, SignError> {
        let time = moment("version_id", id)?;
        let since = Some(("version_id", Version::V2019_10_10));
        Ok(Self { kind: "bv", time, since, ..Self::blob(container, blob)? })
    }

    /// A directory of an account with a hierarchical namespace, and all below it (`sr=d`). `/` is the root.
    pub fn directory(container: &str, directory: &str) -> Result<Self, SignError> {
        let container = container_name(container)?;
        let directory = name::segments("directory", directory)?;
        let (path, depth) = match directory.as_str() {
            "" => (container, 0),
            below => (format!("{container}/{below}"), below.split('/').count()),
        };
        let since = Some(("directory", Version::V2020_02_10));
        Ok(Self { depth: depth.to_string(), since, ..Self::plain(Service::Blob, "d", &permission::DIRECTORY, path) })
    }
}

fn container_name(container: &str) -> Result<String, SignError> {
    if SYSTEM.contains(&container) { Ok(container.to_owned()) } else { name::dns("container", container) }
}

/// A time as Azure wrote it: to 100 nanoseconds, so the text is kept.
fn moment(field: &'static str, text: &str) -> Result<String, SignError> {
    Timestamp::parse(field, text)?;
    Ok(text.to_owned())
}
