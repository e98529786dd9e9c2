use super::network::network;
use crate::{
    azure::NetworkConfig,
    config::{
        address::{EndpointUrl, HostUrl},
        context::Names,
        place::{Keys, Placed},
        record::{Record, Variant},
        reference::KeyOrigin,
        shape::{ListOf, NameOf, OfKeys},
        text::{Text, opaque},
    },
    mint::{AccountConfig, AccountKind, MAX_KEYS, StorageConfig, StorageService},
    model::Origin,
};
use std::sync::Arc;
use url::Url;

/// One entry of `accounts`; its name is still empty.
pub(in crate::config) struct Account {
    pub(in crate::config) config: AccountConfig,
    /// Its keys, and where each is written.
    pub(in crate::config) keys: Vec<Placed<Origin>>,
}

/// What an account has beside its name and keys.
struct Parts {
    kind: AccountKind,
    identity: Arc<str>,
    network: NetworkConfig,
}

/// One entry of `accounts`.
pub(super) fn account(record: &mut Record<'_, '_>) -> Option<Account> {
    let keys = record.optional(
        "keys",
        "Where its keys are, at most 4: the bare key or a whole connection string. The newest enabled one signs. Without it: an identity signs.",
        &ListOf {
            shape: KeyOrigin,
            if_empty: Some(("this list is empty, so nothing can be signed with a key", "leave it out, or name a key")),
        },
    );
    let kind = record.variant("kind", "What the account is.", KINDS, &[]);
    let keys = keys.unwrap_or_default();
    if keys.len() > MAX_KEYS {
        record.note("keys", |place| place.error("these are more keys than an account has", "keep at most 4"));
    }
    let distinct = record.distinct(keys.clone());
    let Parts { kind, identity, network } = kind?;
    Some(Account { config: AccountConfig { name: "".into(), kind, keys: distinct, identity, network }, keys })
}

const KINDS: &[Variant<Parts>] = &[
    Variant { word: "storage", doc: "A storage account.", read: storage },
    Variant { word: "service-bus", doc: "A Service Bus or Event Hubs namespace.", read: service_bus },
    Variant { word: "cosmos", doc: "A Cosmos DB account.", read: cosmos },
    Variant { word: "batch", doc: "A Batch account.", read: batch },
];

const DEFAULT_IDENTITY: &str = "default";

fn signed_with_keys(kind: AccountKind) -> Parts {
    Parts { kind, identity: DEFAULT_IDENTITY.into(), network: NetworkConfig::default() }
}

fn storage(record: &mut Record<'_, '_>) -> Option<Parts> {
    let account = record.required("name", "The account's name.", &ACCOUNT);
    let identity = record.defaulted(
        "identity",
        "Who asks the account for user delegation keys.",
        &NameOf(Names::Identity),
        DEFAULT_IDENTITY.into(),
    );
    let suffix = record.defaulted(
        "endpoint_suffix",
        "What follows the service in host names; another one in sovereign clouds, such as core.chinacloudapi.cn.",
        &SUFFIX,
        StorageConfig::SUFFIX.to_owned(),
    );
    let endpoints = record.optional(
        "endpoints",
        "Endpoints that differ from https://ACCOUNT.SERVICE.SUFFIX: of emulators, private names, custom domains.",
        &OfKeys(endpoints),
    );
    let network = record.optional("network", "How the account is reached.", &OfKeys(network)).unwrap_or_default();
    let (endpoints, places) = endpoints.map_or_else(Default::default, |(urls, places)| (urls, Some(places)));
    let account = account?;
    for (service, url) in &endpoints {
        let path = url.path().trim_end_matches('/');
        let is_of_account = path.is_empty() || path.rsplit('/').next() == Some(&account);
        if let (false, Some(places)) = (is_of_account, &places) {
            let problem = places.of(service.as_str()).warning(
                "this URL's path does not end with the account's name",
                "an endpoint is that of the account, without a container; an emulator's ends with the account",
            );
            record.note("endpoints", |_| problem);
        }
    }
    Some(Parts { kind: AccountKind::Storage(StorageConfig { account, suffix, endpoints }), identity, network })
}

fn endpoints(record: &mut Record<'_, '_>) -> Option<(Vec<(StorageService, Url)>, Keys)> {
    let services = [
        ("blob", "Blob Storage.", StorageService::Blob, "https://acmelanding.blob.core.windows.net"),
        ("dfs", "Data Lake Storage.", StorageService::Dfs, "https://acmelanding.dfs.core.windows.net"),
        ("file", "Azure Files.", StorageService::File, "https://acmelanding.file.core.windows.net"),
        ("queue", "Queue Storage.", StorageService::Queue, "https://acmelanding.queue.core.windows.net"),
        ("table", "Table Storage.", StorageService::Table, "https://acmelanding.table.core.windows.net"),
    ];
    let read = services.map(|(key, doc, service, example)| {
        record.optional(key, doc, &EndpointUrl { example }).map(|url| (service, url))
    });
    Some((read.into_iter().flatten().collect(), record.places()?))
}

fn service_bus(record: &mut Record<'_, '_>) -> Option<Parts> {
    let namespace = record.required(
        "namespace",
        "The namespace, or its whole host, such as acme.servicebus.windows.net.",
        &NAMESPACE,
    );
    let policy = record.optional(
        "policy",
        "The shared access policy whose key signs. Without it: the one that a stored connection string names.",
        &opaque("a policy"),
    );
    let namespace = namespace?;
    let host = if namespace.contains('.') { namespace } else { format!("{namespace}.servicebus.windows.net") };
    Some(signed_with_keys(AccountKind::ServiceBus { host, policy }))
}

fn cosmos(record: &mut Record<'_, '_>) -> Option<Parts> {
    let endpoint = record.required("endpoint", "Its URL.", &HostUrl { example: "https://acme.documents.azure.com" });
    Some(signed_with_keys(AccountKind::Cosmos { endpoint: endpoint? }))
}

fn batch(record: &mut Record<'_, '_>) -> Option<Parts> {
    let account = record.required("name", "The account's name.", &ACCOUNT);
    let endpoint =
        record.required("endpoint", "Its URL.", &HostUrl { example: "https://acme.westeurope.batch.azure.com" });
    Some(signed_with_keys(AccountKind::Batch { account: account?, endpoint: endpoint? }))
}

const ACCOUNT: Text = Text {
    noun: "an account's name",
    rule: "it is 3 to 24 lower-case letters and digits",
    is_right: |text| {
        (3..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    },
    pattern: "^[0-9a-z]{3,24}$",
};

const SUFFIX: Text = Text {
    noun: "an endpoint suffix",
    rule: "it is what follows the service in host names, such as core.windows.net, without a dot in front",
    is_right: |text| text.contains('.') && is_host(text),
    pattern: "^[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)+$",
};

const NAMESPACE: Text = Text {
    noun: "a namespace or its host",
    rule: "write it as acme or acme.servicebus.windows.net, without `sb://` and `/`",
    is_right: is_host,
    pattern: "^[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*$",
};

/// Labels of letters, digits and `-` (RFC 1123, section 2.1).
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
