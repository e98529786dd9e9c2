use super::{
    grant, hook,
    key::{BadKey, StoredKey},
};
use crate::{
    azure::NetworkConfig,
    model::{Origin, Secret},
};
use std::{sync::Arc, time::Duration};
use url::Url;

/// One entry of `accounts` in valet.yaml: something whose key signs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountConfig {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// What it is.
    pub kind: AccountKind,
    /// Where its keys are, at most [`MAX_KEYS`]; the newest enabled one signs. None where only an identity is used.
    pub keys: Vec<Origin>,
    /// The identity that asks for user delegation keys.
    pub identity: Arc<str>,
    /// How the account is reached where Valet itself asks it for something.
    pub network: NetworkConfig,
}

/// Most keys of an account: Azure gives two, and a third leaves room for a move.
pub const MAX_KEYS: usize = 4;

/// What an account is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A storage account.
    Storage(StorageConfig),
    /// A Service Bus or Event Hubs namespace.
    ServiceBus {
        /// Its host, e.g. `acme.servicebus.windows.net`.
        host: String,
        /// The shared access policy whose key signs; where a key is a whole connection string, that one's counts.
        policy: Option<String>,
    },
    /// A Cosmos DB account.
    Cosmos {
        /// Its endpoint, e.g. `https://acme.documents.azure.com`.
        endpoint: Url,
    },
    /// A Batch account.
    Batch {
        /// The account's name.
        account: String,
        /// Its endpoint, e.g. `https://acme.westeurope.batch.azure.com`.
        endpoint: Url,
    },
}

/// A storage account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StorageConfig {
    /// The account's name: 3 to 24 lower-case letters and digits.
    pub account: String,
    /// What follows the service in the default endpoints, e.g. `core.windows.net`; other in sovereign clouds.
    pub suffix: String,
    /// Endpoints that differ from `https://ACCOUNT.SERVICE.SUFFIX`; a path-style one ends with the account.
    pub endpoints: Vec<(StorageService, Url)>,
}

impl StorageConfig {
    /// The usual suffix: that of the public cloud.
    pub const SUFFIX: &str = "core.windows.net";

    /// The endpoint of a service, without a slash at its end.
    pub fn endpoint(&self, service: StorageService) -> String {
        match self.endpoints.iter().find(|(of, _)| *of == service) {
            Some((_, url)) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("https://{}.{}.{}", self.account, service.as_str(), self.suffix),
        }
    }
}

/// A service of a storage account that has an endpoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StorageService {
    /// Blob Storage.
    Blob,
    /// Data Lake Storage: the same data as Blob Storage, by paths.
    Dfs,
    /// Azure Files.
    File,
    /// Queue Storage.
    Queue,
    /// Table Storage.
    Table,
}

impl StorageService {
    /// Every service, in the order that listings show them.
    pub const ALL: [Self; 5] = [Self::Blob, Self::Dfs, Self::File, Self::Queue, Self::Table];

    /// The service that gives its user delegation keys.
    #[must_use]
    pub fn of_delegation_key(self) -> Self {
        if self == Self::Dfs { Self::Blob } else { self }
    }

    /// Its word in valet.yaml and in host names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Dfs => "dfs",
            Self::File => "file",
            Self::Queue => "queue",
            Self::Table => "table",
        }
    }
}

/// One entry of `grants` in valet.yaml: what a token may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantConfig {
    /// Its name in valet.yaml.
    pub name: Arc<str>,
    /// The account whose key signs.
    pub account: Arc<str>,
    /// What is handed out.
    pub kind: GrantKind,
    /// What it opens, and how, each field as written.
    pub scope: ScopeConfig,
    /// How long a token lives from when it is signed.
    pub lifetime: Duration,
    /// A token is handed out again until it has no more than this left: so long may a task that got it run.
    pub min_remaining: Duration,
}

impl GrantConfig {
    /// The usual lifetime.
    pub const LIFETIME: Duration = Duration::from_hours(12);
    /// The usual least remaining life.
    pub const MIN_REMAINING: Duration = Duration::from_hours(6);
}

/// What a grant hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantKind {
    /// A SAS for one resource, signed with the account's key.
    ServiceSas,
    /// A SAS for whole services of a storage account, signed with its key.
    AccountSas,
    /// A SAS for one resource, signed with a user delegation key.
    UserDelegationSas,
    /// A SAS for an entity of a Service Bus or Event Hubs namespace.
    ServiceBusSas,
    /// Signatures of single requests.
    SharedKey,
    /// The account's key itself.
    AccountKey,
}

impl GrantKind {
    /// Its word in valet.yaml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceSas => "service-sas",
            Self::AccountSas => "account-sas",
            Self::UserDelegationSas => "user-delegation-sas",
            Self::ServiceBusSas => "service-bus-sas",
            Self::SharedKey => "shared-key",
            Self::AccountKey => "account-key",
        }
    }
}

/// What a grant opens, and how; each field as written, and absent where its kind does not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeConfig {
    /// The service of a service SAS, a user delegation SAS or a shared key.
    pub service: Option<StorageService>,
    /// A blob container or file system.
    pub container: Option<String>,
    /// A blob in it.
    pub blob: Option<String>,
    /// A directory in it, with all below.
    pub directory: Option<String>,
    /// A blob's snapshot.
    pub snapshot: Option<String>,
    /// A blob's version.
    pub version_id: Option<String>,
    /// A file share.
    pub share: Option<String>,
    /// A file in it.
    pub path: Option<String>,
    /// A queue.
    pub queue: Option<String>,
    /// A table.
    pub table: Option<String>,
    /// The first partition key of a table that is opened.
    pub start_pk: Option<String>,
    /// The first row key in it.
    pub start_rk: Option<String>,
    /// The last partition key of a table that is opened.
    pub end_pk: Option<String>,
    /// The last row key in it.
    pub end_rk: Option<String>,
    /// An entity of a namespace: a queue, topic or event hub; absent for all of it.
    pub entity: Option<String>,
    /// Letters of the services of an account SAS.
    pub services: Option<String>,
    /// Letters of the resource types of an account SAS.
    pub resource_types: Option<String>,
    /// Permission letters.
    pub permissions: Option<String>,
    /// A stored access policy of the container, share, queue or table.
    pub identifier: Option<String>,
    /// The addresses that may use the token.
    pub ip: Option<String>,
    /// The encryption scope of what is written with it.
    pub encryption_scope: Option<String>,
    /// `sv`.
    pub service_version: Option<String>,
    /// The user for whom a user delegation key's owner vouches.
    pub authorized_object_id: Option<String>,
    /// The user whose own rights are checked too.
    pub unauthorized_object_id: Option<String>,
    /// A GUID for the storage logs.
    pub correlation_id: Option<String>,
}

/// Why a grant cannot be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadGrant {
    /// The key of the grant that is wrong, as valet.yaml spells it; nothing for the grant as a whole.
    pub field: &'static str,
    /// What is wrong with it, and what to do; it repeats no text of the grant.
    pub problem: String,
}

/// Whether a stored text is a key of this account.
///
/// # Errors
/// What is wrong with the text, of which it repeats nothing.
pub fn check_key(account: &AccountConfig, stored: &Secret) -> Result<(), String> {
    StoredKey::parse(account, stored, None, None).map(drop).map_err(|BadKey(problem)| problem)
}

/// Whether tokens of this grant can be made, as far as that can be known without its key.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_grant(grant: &GrantConfig, account: &AccountConfig) -> Result<(), BadGrant> {
    grant::Grant::new(grant, account).map(drop)
}

/// Whether a connection of this type can carry what the grant hands out; answers the fields that Valet then sets, as `password` or `extra.sas_token`.
///
/// # Errors
/// What to do instead, for people.
pub fn check_hook(
    conn_type: &str,
    grant: &GrantConfig,
    account: &AccountConfig,
) -> Result<&'static [&'static str], String> {
    hook::Hook::of(conn_type, grant, account).map(|hook| hook.fields())
}
