use super::{
    Config,
    context::{Context, Names},
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
        let implied = (mention.what == Names::Identity).then_some(DEFAULT_IDENTITY);
        let declared: Vec<&str> = cx.names(mention.what).filter(|name| Some(*name) != implied).chain(implied).collect();
        if declared.contains(&mention.name.as_str()) {
            continue;
        }
        let noun = mention.what.noun();
        let hint = if declared.is_empty() {
            format!("no {noun} is declared").into()
        } else {
            suggest::hint(&mention.name, declared, "declared")
        };
        cx.problems.push(mention.place.error(format!("no {noun} has this name"), hint));
    }
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
    for Placed { place, value: source } in sources {
        if !routes.iter().any(|route| route.value.sources.contains(&source.name)) {
            cx.problems.push(place.warning("no route leads to this source", "add it to a route, or remove it"));
        }
    }
}
