//! What a SAS for one service opens: a container, blob, directory, share, file, queue or table, as the fields that are signed for it.
//! It never knows an account or a version's layout. Service SAS and user delegation SAS are made of it.

mod blob;
mod file;
mod queue;
mod table;

pub use table::KeyRange;

use super::{AccountName, SignError, Version, fields::Fields, permission::Letters};

/// A storage service that has SAS of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Blobs, and the directories of Data Lake Storage.
    Blob,
    /// File shares.
    File,
    /// Queues.
    Queue,
    /// Tables.
    Table,
}

impl Service {
    /// The word that canonical names begin with.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::File => "file",
            Self::Queue => "queue",
            Self::Table => "table",
        }
    }

    /// The letter that a user delegation key has for it (`sks`).
    pub(super) fn letter(self) -> &'static str {
        match self {
            Self::Blob => "b",
            Self::File => "f",
            Self::Queue => "q",
            Self::Table => "t",
        }
    }
}

/// What a token opens. Its names are known to be such that Azure takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    service: Service,
    /// Its name below the account, not URL-encoded; a table's in lower case.
    path: String,
    /// `sr`; nothing for queues and tables.
    kind: &'static str,
    /// The snapshot's or version's time, signed but sent with the request, not in the token.
    time: String,
    /// `sdd`, of directories only.
    depth: String,
    /// `tn`, of tables only, in the case in which it is written.
    table: String,
    range: KeyRange,
    letters: &'static Letters,
    /// What of it came with a version.
    since: Option<(&'static str, Version)>,
}

impl Resource {
    fn plain(service: Service, kind: &'static str, letters: &'static Letters, path: String) -> Self {
        let (time, depth, table, range) = Default::default();
        Self { service, path, kind, time, depth, table, range, letters, since: None }
    }

    /// The service that has it.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The canonical name: `/blob/ACCOUNT/container/blob`.
    pub(super) fn canonical(&self, account: &AccountName) -> String {
        ["/", self.service.word(), "/", account.as_str(), "/", &self.path].concat()
    }

    pub(super) fn letters(&self) -> &'static Letters {
        self.letters
    }

    pub(super) fn depth(&self) -> &str {
        &self.depth
    }

    /// All but the canonical name, which needs an account.
    pub(super) fn set_fields<'a>(&'a self, fields: &mut Fields<'a>) {
        let end = |key: &'a Option<String>| key.as_deref().unwrap_or_default();
        fields.kind = self.kind;
        fields.time = &self.time;
        fields.depth = &self.depth;
        fields.table = &self.table;
        (fields.start_pk, fields.start_rk) = (end(&self.range.start_pk), end(&self.range.start_rk));
        (fields.end_pk, fields.end_rk) = (end(&self.range.end_pk), end(&self.range.end_rk));
    }

    /// Refuses a version that cannot name this kind of resource.
    pub(super) fn check(&self, version: Version) -> Result<(), SignError> {
        self.since.map_or(Ok(()), |(field, since)| version.require(field, since))
    }
}
