use super::{SignError, Version};

/// The letters that a field of a token is made of: permissions of a resource, services, resource types.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letters {
    /// The field, for messages.
    field: &'static str,
    /// What has them, for messages.
    of: &'static str,
    /// The letters in the order that the service wants, whatever order they are written in.
    all: &'static str,
    /// Letters that came with a version.
    since: &'static [(&'static str, Version)],
    /// Whether the service takes any order, so that what is written is signed.
    any_order: bool,
}

impl Letters {
    const fn permissions(of: &'static str, all: &'static str, since: &'static [(&'static str, Version)]) -> Self {
        Self { field: "permissions", of, all, since, any_order: false }
    }

    pub(super) const fn unordered(field: &'static str, of: &'static str, all: &'static str) -> Self {
        Self { field, of, all, since: &[], any_order: true }
    }

    /// The letters as they are signed. Exactly those that are written: none more, none less.
    pub(super) fn read(&self, text: &str, version: Version) -> Result<String, SignError> {
        let Self { field, of, all, since, any_order } = *self;
        if text.is_empty() {
            return Err(SignError::Missing { field, hint: "name at least one letter" });
        }
        for (at, letter) in text.char_indices() {
            if !all.contains(letter) {
                return Err(SignError::UnknownLetter { field, letter, of, letters: all });
            }
            if text[..at].contains(letter) {
                return Err(SignError::RepeatedLetter { field, letter });
            }
            if let Some((_, since)) = since.iter().find(|(letters, _)| letters.contains(letter)) {
                version.require(field, *since)?;
            }
        }
        if any_order {
            return Ok(text.to_owned());
        }
        Ok(all.chars().filter(|letter| text.contains(*letter)).collect())
    }
}

pub(super) static CONTAINER: Letters = Letters::permissions("a container", "racwdxyltfmeopi", BLOB_SINCE);
pub(super) static BLOB: Letters = Letters::permissions("a blob", "racwdxytmeopi", BLOB_SINCE);
pub(super) static DIRECTORY: Letters = Letters::permissions("a directory", "racwdlmeop", BLOB_SINCE);
pub(super) static SHARE: Letters = Letters::permissions("a share", "rcwdl", &[]);
pub(super) static FILE: Letters = Letters::permissions("a file", "rcwd", &[]);
pub(super) static QUEUE: Letters = Letters::permissions("a queue", "raup", &[]);
pub(super) static TABLE: Letters = Letters::permissions("a table", "raud", &[]);
/// No two SDKs agree on an order here, nor does the portal with any of them: the service takes all.
pub(super) static ACCOUNT: Letters =
    Letters { since: ACCOUNT_SINCE, ..Letters::unordered("permissions", "an account SAS", "rwdxylacuptfi") };

// As the JavaScript SDK refuses them.
const BLOB_SINCE: &[(&str, Version)] = &[
    ("xy", Version::V2019_10_10),
    ("t", Version::V2019_12_12),
    ("meop", Version::V2020_02_10),
    ("i", Version::V2020_08_04),
    ("f", Version::V2021_04_10),
];
const ACCOUNT_SINCE: &[(&str, Version)] =
    &[("xy", Version::V2019_10_10), ("tf", Version::V2019_12_12), ("i", Version::V2020_08_04)];
