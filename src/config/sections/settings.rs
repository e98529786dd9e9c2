use crate::{
    audit, cache,
    config::{
        path::{Content, PathTo},
        record::{Record, Variant},
        units::{DurationOf, SizeOf},
    },
};
use std::time::Duration;

/// `cache`.
pub(super) fn cache(record: &mut Record<'_, '_>) -> Option<cache::Config> {
    const SIZES: SizeOf = SizeOf { min: 1 << 20, max: 1 << 40 };
    let default = cache::Config::default();
    let max_bytes = "Most memory for keys, values and their overhead, from 1MiB.";
    let fresh = record.defaulted("fresh", FRESH, &TIMES, default.times.fresh);
    let stale = record.defaulted("stale", STALE, &TIMES, default.times.stale);
    let not_found = record.defaulted("not_found", NOT_FOUND, &TIMES, default.times.not_found);
    let max_bytes = record.defaulted("max_bytes", max_bytes, &SIZES, default.max_bytes);
    warn_of_short_stale(record, fresh, stale);
    Some(cache::Config { times: cache::Times { fresh, stale, not_found }, max_bytes })
}

/// `cache` of a source or of a route.
pub(super) fn overrides(record: &mut Record<'_, '_>) -> Option<cache::Overrides> {
    let fresh = record.optional("fresh", FRESH, &TIMES);
    let stale = record.optional("stale", STALE, &TIMES);
    let not_found = record.optional("not_found", NOT_FOUND, &TIMES);
    if let (Some(fresh), Some(stale)) = (fresh, stale) {
        warn_of_short_stale(record, fresh, stale);
    }
    Some(cache::Overrides { fresh, stale, not_found })
}

const TIMES: DurationOf = DurationOf { max: Duration::from_hours(30 * 24) };

const FRESH: &str = "How long a value is served without asking its source again, up to 30d.";

const STALE: &str = "How long a value may be served while its source cannot be asked, counted from when it was last asked; up to 30d, 0s for not at all.";

const NOT_FOUND: &str = "How long \"not here\" is believed, up to 30d.";

fn warn_of_short_stale(record: &mut Record<'_, '_>, fresh: Duration, stale: Duration) {
    if stale <= fresh && !stale.is_zero() {
        record.note("stale", |place| {
            place.warning(
                "`stale` is not longer than `fresh`, so nothing is ever served stale",
                "both count from when the source was last asked; write a longer time, or 0s",
            )
        });
    }
}

/// `audit`.
pub(super) fn audit(record: &mut Record<'_, '_>) -> Option<audit::Config> {
    const SINKS: &[Variant<audit::Config>] = &[
        Variant {
            word: "stderr",
            doc: "To standard error, among the log lines.",
            read: |_| Some(audit::Config::Stderr),
        },
        Variant {
            word: "file",
            doc: "Appended to a file.",
            read: |record| {
                let path =
                    record.required("path", "The file; it is made if it is not there.", &PathTo(Content::Unread));
                path.map(audit::Config::File)
            },
        },
        Variant { word: "off", doc: "Nowhere.", read: |_| Some(audit::Config::Off) },
    ];
    record.variant("to", "Where the lines go.", SINKS, &[])
}
