use super::DEFAULT_IDENTITY;
use crate::{
    config::{
        context::{Context, Mention, Names},
        place::Placed,
        suggest,
    },
    source::{SourceConfig, SourceKind},
};
use std::borrow::Cow;

/// Every name that is mentioned has to be declared, and every secret has to have a name that its source can hold.
pub(super) fn check(sources: &[Placed<SourceConfig>], cx: &mut Context<'_>) {
    let unknown = cx.mentions.iter().filter_map(|Mention { what, name, place }| {
        let implied = (*what == Names::Identity).then_some(DEFAULT_IDENTITY);
        let is_known = implied == Some(name) || cx.declares(*what, name);
        let problem = || place.error(format!("no {} has this name", what.noun()), hint(*what, name, implied, cx));
        (!is_known).then(problem)
    });
    let impossible = cx.secrets.iter().filter_map(|Placed { place, value: (source, name) }| {
        let source = sources.iter().find(|declared| declared.value.name == *source)?;
        let (message, hint) = refusal(&source.value.kind, name.as_str())?;
        Some(place.error(message, hint))
    });
    let problems: Vec<_> = unknown.chain(impossible).collect();
    cx.problems.extend(problems);
}

fn hint(what: Names, name: &str, implied: Option<&str>, cx: &Context<'_>) -> Cow<'static, str> {
    let declared = cx.names(what).filter(|name| Some(*name) != implied).chain(implied);
    if declared.clone().next().is_none() {
        return format!("no {} is declared", what.noun()).into();
    }
    suggest::hint(name, declared, "declared")
}

/// Why a source can have no value of this name.
fn refusal(kind: &SourceKind, name: &str) -> Option<(&'static str, &'static str)> {
    /// "Object identifiers and versioning": 1 to 127 letters, digits and `-`.
    const LONGEST_SECRET: usize = 127;
    let is_possible = match kind {
        SourceKind::KeyVault(_) => {
            name.len() <= LONGEST_SECRET && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }
        SourceKind::Environment => !name.contains('='),
        SourceKind::File(_) => true,
        SourceKind::Upstream(_) => false,
    };
    let (message, hint) = match kind {
        SourceKind::KeyVault(_) => (
            "no secret of a Key Vault has such a name",
            "after the source and the slash stands the secret's own name, of 1 to 127 letters, digits and `-`, without a version",
        ),
        SourceKind::Upstream(_) => (
            "an upstream has no secrets by name: it gives connections, variables, options and tokens",
            "keep what refers to it where its secrets are, in the upstream's own valet.yaml; here its connections and grants are there by themselves",
        ),
        SourceKind::Environment | SourceKind::File(_) => (
            "no environment variable has such a name",
            "after the source and the slash stands the variable's whole name",
        ),
    };
    (!is_possible).then_some((message, hint))
}
