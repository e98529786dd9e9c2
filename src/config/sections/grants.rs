use crate::{
    config::{
        context::Names,
        place::Keys,
        record::{Record, Variant},
        shape::{NameOf, Words},
        text::Text,
        units::DurationOf,
    },
    mint::{GrantConfig, GrantKind, ScopeConfig, StorageService},
};
use std::time::Duration;

/// One entry of `grants`; its name is still empty.
pub(in crate::config) struct Grant {
    pub(in crate::config) config: GrantConfig,
    pub(in crate::config) places: Keys,
}

/// One entry of `grants`.
pub(super) fn grant(record: &mut Record<'_, '_>) -> Option<Grant> {
    let account = record.required("account", "The account that it opens.", &NameOf(Names::Account));
    let lifetime = record.defaulted("lifetime", "How long a token lives.", &LIFETIME, GrantConfig::LIFETIME);
    let min_remaining = record.defaulted(
        "min_remaining",
        "A token is handed out again until it has no more than this left: so long may a task run that got it. Where only `lifetime` is written, at most half of that.",
        &LIFETIME,
        GrantConfig::MIN_REMAINING,
    );
    let min_remaining = if record.has("min_remaining") { min_remaining } else { min_remaining.min(lifetime / 2) };
    let (kind, scope) = record.variant("kind", "What is handed out.", KINDS, &[])?;
    let config = GrantConfig { name: "".into(), account: account?, kind, scope, lifetime, min_remaining };
    Some(Grant { config, places: record.places()? })
}

/// Azure sets no end to what a key signs; a year is far beyond what is wise.
const LIFETIME: DurationOf = DurationOf { max: Duration::from_hours(366 * 24) };

type Kind = (GrantKind, ScopeConfig);

const KINDS: &[Variant<Kind>] = &[
    Variant {
        word: "service-sas",
        doc: "A SAS for one container, blob, directory, share, file, queue or table, signed with the account's key.",
        read: |record| {
            let scope = resource(record);
            let scope = sas(record, scope);
            let doc = "A stored access policy of the container, share, queue or table; revoking it revokes the tokens.";
            of_a_service(GrantKind::ServiceSas, ScopeConfig { identifier: text(record, "identifier", doc), ..scope })
        },
    },
    Variant {
        word: "account-sas",
        doc: "A SAS for whole services of a storage account, signed with its key.",
        read: |record| {
            let services = text(record, "services", "The services: letters of bfqt (blob, file, queue, table).");
            let types = "The levels: letters of sco (service, container, object).";
            let resource_types = text(record, "resource_types", types);
            let scope = sas(record, ScopeConfig::default());
            Some((GrantKind::AccountSas, ScopeConfig { services, resource_types, ..scope }))
        },
    },
    Variant {
        word: "user-delegation-sas",
        doc: "A SAS for one container, blob or directory, signed with a key that an identity gets: no account key is needed.",
        read: |record| {
            let scope = resource(record);
            let scope = sas(record, scope);
            let authorized = "The user for whom the identity vouches (`saoid`), by object id.";
            let unauthorized = "The user whose own rights are checked too (`suoid`), by object id.";
            let scope = ScopeConfig {
                authorized_object_id: text(record, "authorized_object_id", authorized),
                unauthorized_object_id: text(record, "unauthorized_object_id", unauthorized),
                correlation_id: text(record, "correlation_id", "A GUID for the storage logs (`scid`)."),
                ..scope
            };
            of_a_service(GrantKind::UserDelegationSas, scope)
        },
    },
    Variant {
        word: "service-bus-sas",
        doc: "A SAS for an entity of a Service Bus or Event Hubs namespace; it may do what its policy may.",
        read: |record| {
            let entity = text(record, "entity", "A queue, topic or event hub. Without it: the whole namespace.");
            Some((GrantKind::ServiceBusSas, ScopeConfig { entity, ..ScopeConfig::default() }))
        },
    },
    Variant {
        word: "shared-key",
        doc: "Signatures of single requests, within a scope like that of a service SAS.",
        read: |record| {
            let scope = resource(record);
            of_a_service(GrantKind::SharedKey, ScopeConfig { permissions: permissions(record), ..scope })
        },
    },
    Variant {
        word: "account-key",
        doc: "The account's key itself, for hooks that take nothing less. It opens everything, and never ends.",
        read: |_| Some((GrantKind::AccountKey, ScopeConfig::default())),
    },
];

/// Nothing where the service is missing or wrong: that has been said, and all else depends on it.
fn of_a_service(kind: GrantKind, scope: ScopeConfig) -> Option<Kind> {
    scope.service.is_some().then_some((kind, scope))
}

/// What a SAS or a signature opens.
fn resource(record: &mut Record<'_, '_>) -> ScopeConfig {
    ScopeConfig {
        service: record.required("service", "The service: blob, dfs, file, queue or table.", &SERVICES),
        container: text(record, "container", "A blob container or file system."),
        blob: text(record, "blob", "A blob in the container."),
        directory: text(record, "directory", "A directory in the container, with all below."),
        snapshot: text(record, "snapshot", "A snapshot of the blob: its time."),
        version_id: text(record, "version_id", "A version of the blob: its id."),
        share: text(record, "share", "A file share."),
        path: text(record, "path", "A file in the share."),
        queue: text(record, "queue", "A queue."),
        table: text(record, "table", "A table."),
        start_pk: text(record, "start_pk", "The first partition key of the table that is opened."),
        start_rk: text(record, "start_rk", "The first row key in it."),
        end_pk: text(record, "end_pk", "The last partition key of the table that is opened."),
        end_rk: text(record, "end_rk", "The last row key in it."),
        ..ScopeConfig::default()
    }
}

/// What every SAS of a storage account may say.
fn sas(record: &mut Record<'_, '_>, scope: ScopeConfig) -> ScopeConfig {
    ScopeConfig {
        permissions: permissions(record),
        ip: text(
            record,
            "ip",
            "The address or range (A-B) that may use it. It breaks clients in the account's own region.",
        ),
        encryption_scope: text(record, "encryption_scope", "The encryption scope of what is written with it."),
        service_version: text(
            record,
            "service_version",
            "The service version (`sv`). Without it: the oldest that carries the rest.",
        ),
        ..scope
    }
}

fn permissions(record: &mut Record<'_, '_>) -> Option<String> {
    text(record, "permissions", "What it may do: permission letters, such as rl for read and list.")
}

fn text(record: &mut Record<'_, '_>, key: &'static str, doc: &'static str) -> Option<String> {
    record.optional(key, doc, &ANY)
}

/// What only the signer can judge; [`crate::mint::check_grant`] asks it.
const ANY: Text = Text { noun: "text", rule: "", is_right: |_| true, pattern: "" };

const SERVICES: Words<StorageService> = Words {
    words: &[
        ("blob", StorageService::Blob),
        ("dfs", StorageService::Dfs),
        ("file", StorageService::File),
        ("queue", StorageService::Queue),
        ("table", StorageService::Table),
    ],
    later: &[],
};
