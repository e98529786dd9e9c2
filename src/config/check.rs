use super::{
    Config,
    context::{Context, Mention, Names},
    place::Placed,
    sections::Draft,
    suggest,
};
use crate::{
    azure::{IdentityConfig, IdentityKind, NetworkConfig},
    broker::RouteConfig,
    model::Kind,
    source::{SourceConfig, SourceKind},
    transport::default_listeners,
};
use std::{borrow::Cow, collections::HashSet};

/// The identity that exists without being declared.
const DEFAULT_IDENTITY: &str = "default";

/// What only shows when the parts are seen together. Notes the problems and puts the parts together.
pub(super) fn check(draft: Draft, cx: &mut Context<'_>) -> Config {
    mentions(cx);
    routes(&draft.routes, &draft.sources, cx);
    Config {
        listeners: draft.listeners.map_or_else(default_listeners, values),
        identities: with_default(values(draft.identities), &draft.sources),
        sources: values(draft.sources),
        source_times: draft.source_times,
        routes: values(draft.routes),
        cache: draft.cache,
        audit: draft.audit,
    }
}

fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// Every name that is mentioned has to be declared.
fn mentions(cx: &mut Context<'_>) {
    for mention in std::mem::take(&mut cx.mentions) {
        let Mention { what, name, place } = mention;
        let implied = (what == Names::Identity).then_some(DEFAULT_IDENTITY);
        if implied == Some(&name) || cx.declares(what, &name) {
            continue;
        }
        let hint = hint(what, &name, implied, cx);
        cx.problems.push(place.error(format!("no {} has this name", what.noun()), hint));
    }
}

fn hint(what: Names, name: &str, implied: Option<&str>, cx: &Context<'_>) -> Cow<'static, str> {
    let declared = cx.names(what).filter(|name| Some(*name) != implied).chain(implied);
    if declared.clone().next().is_none() {
        return format!("no {} is declared", what.noun()).into();
    }
    suggest::hint(name, declared, "declared")
}

fn with_default(mut identities: Vec<IdentityConfig>, sources: &[Placed<SourceConfig>]) -> Vec<IdentityConfig> {
    let uses_default = |source: &Placed<SourceConfig>| match &source.value.kind {
        SourceKind::KeyVault(vault) => &*vault.identity == DEFAULT_IDENTITY,
        SourceKind::Environment | SourceKind::File(_) => false,
    };
    let is_default = |identity: &IdentityConfig| &*identity.name == DEFAULT_IDENTITY;
    if sources.iter().any(uses_default) && !identities.iter().any(is_default) {
        identities.push(IdentityConfig {
            name: DEFAULT_IDENTITY.into(),
            kind: IdentityKind::Default,
            authority_host: None,
            network: NetworkConfig::default(),
        });
    }
    identities
}

/// Routes behind a route that takes everything, and sources that no lookup can reach.
fn routes(routes: &[Placed<RouteConfig>], sources: &[Placed<SourceConfig>], cx: &mut Context<'_>) {
    let mut taken: Vec<Kind> = Vec::new();
    for Placed { place, value: route } in routes {
        let kinds: &[Kind] = if route.kinds.is_empty() { &Kind::ALL } else { &route.kinds };
        if kinds.iter().all(|kind| taken.contains(kind)) {
            cx.problems.push(place.warning(
                "no lookup reaches this route",
                "a route before it matches every name of these kinds; the first match wins",
            ));
        }
        if route.pattern.bytes().all(|byte| byte == b'*') {
            taken.extend(kinds);
        }
    }
    // A name that no route matches goes to every source.
    if Kind::ALL.iter().any(|kind| !taken.contains(kind)) {
        return;
    }
    let used: HashSet<_> = routes.iter().flat_map(|route| &route.value.sources).collect();
    for Placed { place, value: source } in sources {
        if !used.contains(&source.name) {
            cx.problems.push(place.warning("no route leads to this source", "add it to a route, or remove it"));
        }
    }
}
