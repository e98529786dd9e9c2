use super::{Resource, Service};
use crate::sign::{SignError, name, permission};

/// The longest name of a directory or file ("Naming and referencing shares, directories, files, and metadata").
const LONGEST_SEGMENT: usize = 255;

impl Resource {
    /// A whole share (`sr=s`).
    pub fn share(share: &str) -> Result<Self, SignError> {
        Ok(Self::plain(Service::File, "s", &permission::SHARE, name::dns("share", share)?))
    }

    /// A file in a share (`sr=f`).
    pub fn file(share: &str, path: &str) -> Result<Self, SignError> {
        let share = name::dns("share", share)?;
        let refuse = |problem| Err(SignError::Invalid { field: "path", problem });
        if path.contains(['"', '\\', ':', '|', '<', '>', '*', '?']) {
            return refuse("has a character that Azure Files does not take: avoid \" \\ : | < > * ?");
        }
        let path = name::segments("path", path)?;
        if path.is_empty() {
            return refuse("names no file: give the file's path, or leave it out for the whole share");
        }
        if path.split('/').any(|segment| segment.chars().nth(LONGEST_SEGMENT).is_some()) {
            return refuse("has a name of more than 255 characters: shorten it");
        }
        Ok(Self::plain(Service::File, "f", &permission::FILE, format!("{share}/{path}")))
    }
}
