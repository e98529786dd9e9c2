use super::settings;
use crate::{
    broker::{OnUnavailable, RouteConfig},
    config::{
        context::Names,
        record::Record,
        shape::{ListOf, NameOf, OfKeys, Words},
        text::Text,
    },
    model::{Kind, Name, SourceName},
};

/// One entry of `routes`.
pub(super) fn route(record: &mut Record<'_, '_>) -> Option<RouteConfig> {
    let pattern = record.required("match", "A glob over the whole name: `*` is any text, `?` any character.", &GLOB);
    let kinds = record.optional(
        "kinds",
        "The kinds it is for. Without it: all.",
        &ListOf { shape: KINDS, if_empty: Some(("this list is empty, so the route is for all kinds", "leave it out")) },
    );
    let sources = record.required(
        "sources",
        "Which sources are asked, in this order; an empty list means that nobody is asked and the name is not here.",
        &ListOf { shape: NameOf(Names::Source), if_empty: None },
    );
    let on_unavailable = record.defaulted(
        "on_unavailable",
        "When a source cannot be asked: `fail` ends the lookup with the fault, `skip` asks the next source.",
        &ON_UNAVAILABLE,
        OnUnavailable::default(),
    );
    let cache = record.optional("cache", "What is different for this route.", &OfKeys(settings::overrides));
    let kinds = kinds.map(|kinds| record.distinct(kinds)).unwrap_or_default();
    let sources = sources.map(|names| record.distinct(names).iter().map(|name| SourceName::new(name)).collect());
    Some(RouteConfig { pattern: pattern?, kinds, sources: sources?, on_unavailable, cache: cache.unwrap_or_default() })
}

const GLOB: Text = Text {
    noun: "a glob",
    rule: "write `*` for any text and `?` for any character, and every other character as it is",
    is_right: |text| Name::parse(text).is_ok() && RouteConfig::glob(text).is_some(),
    pattern: "^.{1,1024}$",
};

const KINDS: Words<Kind> = Words {
    words: &[("connections", Kind::Connection), ("variables", Kind::Variable), ("config", Kind::Config)],
    later: &[],
};

const ON_UNAVAILABLE: Words<OnUnavailable> =
    Words { words: &[("fail", OnUnavailable::Fail), ("skip", OnUnavailable::Skip)], later: &[] };
