//! The keys of valet.yaml, a file a section: what each key is called, what may stand there, what it is for. It never sees two parts together:
//! whether a name leads anywhere is for [`super::check`] to say. [`super::load`] reads a file by it, and [`super::schema`] describes it.

#![expect(clippy::unnecessary_wraps, reason = "what takes a mapping apart may fail, even where this one never does")]

mod identities;
mod listen;
mod network;
mod routes;
mod settings;
mod sources;

use super::{
    context::Names,
    place::Placed,
    record::Record,
    shape::{ListOf, Named, OfKeys},
};
use crate::{
    audit, azure::IdentityConfig, broker::RouteConfig, cache, model::SourceName, source::SourceConfig,
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
    if record.declares_no(Names::Source) && (sources.is_some() || !record.has("sources")) {
        record.note("sources", |place| {
            place.warning(
                "no source is declared, so every name is \"not here\"",
                "declare one, such as `sources: {env: {kind: environment}}`",
            )
        });
    }
    let routes = record.optional(
        "routes",
        "Which sources answer which names: the first route that matches. A name that no route matches goes to every source in turn.",
        &ListOf { shape: OfKeys(routes::route), if_empty: None },
    );
    let cache = record.optional("cache", "How long values are kept, and how many.", &OfKeys(settings::cache));
    let audit = record.optional("audit", "Where the line about each decision goes.", &OfKeys(settings::audit));
    record.later("accounts", "Storage accounts, Service Bus namespaces and the like, whose keys sign.");
    record.later("grants", "What a token may do.");
    record.later("connections", "Connections that are composed here.");
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
        cache: cache.unwrap_or_default(),
        audit: audit.unwrap_or_default(),
    })
}

fn named<T, U>(all: Vec<Placed<(Arc<str>, T)>>, make: impl Fn(Arc<str>, T) -> U) -> Vec<Placed<U>> {
    all.into_iter().map(|Placed { place, value: (name, value) }| Placed { place, value: make(name, value) }).collect()
}
