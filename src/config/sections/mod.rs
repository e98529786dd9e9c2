//! The keys of valet.yaml, a file a section: what each key is called, what may stand there, what it is for. It never sees two parts together:
//! whether a name leads anywhere is for [`super::check`] to say. [`super::load`] reads a file by it, and [`super::schema`] describes it.

#![expect(clippy::unnecessary_wraps, reason = "what takes a mapping apart may fail, even where this one never does")]

mod accounts;
mod connections;
mod extra;
mod grants;
mod identities;
mod listen;
mod network;
mod routes;
mod settings;
mod sources;

pub(super) use accounts::Account;
pub(super) use connections::{Connection, Places};
pub(super) use grants::Grant;

use super::{
    context::Names,
    place::Placed,
    record::Record,
    shape::{ListOf, Named, OfKeys},
};
use crate::{
    audit,
    azure::IdentityConfig,
    broker::RouteConfig,
    cache,
    mint::{AccountConfig, GrantConfig},
    model::{Name, SourceName},
    source::SourceConfig,
    transport::ListenerConfig,
};
use std::{collections::HashMap, sync::Arc};

/// What the file says, each part right by itself, and where.
pub(super) struct Draft {
    pub(super) listeners: Option<Vec<Placed<ListenerConfig>>>,
    pub(super) identities: Vec<Placed<IdentityConfig>>,
    pub(super) sources: Vec<Placed<SourceConfig>>,
    pub(super) source_times: HashMap<SourceName, cache::Overrides>,
    pub(super) routes: Vec<Placed<RouteConfig>>,
    pub(super) accounts: Vec<Placed<Account>>,
    pub(super) grants: Vec<Placed<Grant>>,
    pub(super) connections: Vec<Placed<Connection>>,
    pub(super) cache: cache::Config,
    pub(super) audit: audit::Config,
}

/// The whole file.
pub(super) fn root(record: &mut Record<'_, '_>) -> Option<Draft> {
    let listeners = record.optional(
        "listen",
        "Where clients connect: named listeners. Without it: `tasks` on /run/valet/valet.sock and `admin` on /run/valet/admin.sock.",
        &Named { what: Names::Listener, shape: OfKeys(listen::listener) },
    );
    let identities = record.optional(
        "identities",
        "Named Entra credentials. `default`, of kind `default`, exists without being declared.",
        &Named { what: Names::Identity, shape: OfKeys(identities::identity) },
    );
    let sources = record.optional(
        "sources",
        "Where values come from, by name. Without routes they are asked in the order written.",
        &Named { what: Names::Source, shape: OfKeys(sources::source) },
    );
    if listeners.as_ref().is_some_and(Vec::is_empty) && record.declares_no(Names::Listener) {
        record.note("listen", |place| {
            place.error("there is no listener here", "leave `listen` out for the default ones")
        });
    }
    let routes = record.optional(
        "routes",
        "Which sources answer which names: the first route that matches. A name that no route matches goes to every source in turn.",
        &ListOf { shape: OfKeys(routes::route), if_empty: None },
    );
    let accounts = record.optional(
        "accounts",
        "Storage accounts, Service Bus namespaces and the like, by name, whose keys sign.",
        &Named { what: Names::Account, shape: OfKeys(accounts::account) },
    );
    let grants = record.optional(
        "grants",
        "What a token may do, by name.",
        &Named { what: Names::Grant, shape: OfKeys(grants::grant) },
    );
    let connections = record.optional(
        "connections",
        "Connections that are composed here, by connection id, and stored whole nowhere. They outrank routes.",
        &Named { what: Names::Connection, shape: OfKeys(connections::connection) },
    );
    let cache = record.optional("cache", "How long values are kept, and how many.", &OfKeys(settings::cache));
    let audit = record.optional("audit", "Where the line about each decision goes.", &OfKeys(settings::audit));
    let has_none = record.declares_no(Names::Source) && record.declares_no(Names::Connection);
    if has_none && (sources.is_some() || !record.has("sources")) {
        record.note("sources", |place| {
            place.warning(
                "no source is declared, so every name is \"not here\"",
                "declare one, such as `sources: {env: {kind: environment}}`",
            )
        });
    }
    record.later("policy", "Who may read what.");
    record.later("metrics", "Where metrics and probes are served.");
    record.later("status", "Where the status page is served.");
    let sources = sources.unwrap_or_default();
    let times = sources.iter().filter_map(|Placed { value: (name, (_, times)), .. }| Some((name, (*times)?)));
    let source_times = times.map(|(name, times)| (SourceName::new(name), times)).collect();
    Some(Draft {
        listeners: listeners.map(|all| named(all, |name, (unix, allow)| ListenerConfig { name, unix, allow })),
        identities: named(identities.unwrap_or_default(), |name, identity| IdentityConfig { name, ..identity }),
        sources: named(sources, |name, (kind, _)| SourceConfig { name: SourceName::new(&name), kind }),
        source_times,
        routes: routes.unwrap_or_default(),
        accounts: named(accounts.unwrap_or_default(), |name, Account { config, keys }| Account {
            config: AccountConfig { name, ..config },
            keys,
        }),
        grants: named(grants.unwrap_or_default(), |name, Grant { config, places }| Grant {
            config: GrantConfig { name, ..config },
            places,
        }),
        connections: named(connections.unwrap_or_default(), |id, connection| {
            connection.named(Name::parse(&id).expect("only ids that are names get here"))
        }),
        cache: cache.unwrap_or_default(),
        audit: audit.unwrap_or_default(),
    })
}

fn named<T, U>(all: Vec<Placed<(Arc<str>, T)>>, make: impl Fn(Arc<str>, T) -> U) -> Vec<Placed<U>> {
    all.into_iter().map(|Placed { place, value: (name, value) }| Placed { place, value: make(name, value) }).collect()
}
