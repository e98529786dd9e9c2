use crate::{
    broker::RouteConfig,
    config::{context::Context, place::Placed},
    model::Kind,
    source::{SourceConfig, SourceKind},
};
use std::collections::HashSet;

/// Routes behind a route that takes everything, and sources that no lookup can reach. An upstream is of use without, for its grants.
pub(super) fn check(
    routes: &[Placed<RouteConfig>],
    sources: &[Placed<SourceConfig>],
    allows_tokens: bool,
    cx: &mut Context<'_>,
) {
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
    let referred = cx.secrets.iter().map(|secret| &secret.value.0);
    let used: HashSet<_> = routes.iter().flat_map(|route| &route.value.sources).chain(referred).collect();
    let gives_tokens = |source: &SourceConfig| allows_tokens && matches!(source.kind, SourceKind::Upstream(_));
    let unused = sources.iter().filter(|it| !used.contains(&it.value.name) && !gives_tokens(&it.value));
    let warn =
        |source: &Placed<_>| source.place.warning("no route leads to this source", "add it to a route, or remove it");
    let warnings: Vec<_> = unused.map(warn).collect();
    cx.problems.extend(warnings);
}
