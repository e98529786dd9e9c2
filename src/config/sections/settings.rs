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
    const TIMES: DurationOf = DurationOf { max: Duration::from_hours(30 * 24) };
    const SIZES: SizeOf = SizeOf { min: 1 << 20, max: 1 << 40 };
    let default = cache::Config::default();
    let fresh = "How long a value is served without asking its source again, up to 30d.";
    let not_found = "How long \"not here\" is believed, up to 30d.";
    let max_bytes = "Most memory for keys, values and their overhead, from 1MiB.";
    let fresh = record.defaulted("fresh", fresh, &TIMES, default.times.fresh);
    let not_found = record.defaulted("not_found", not_found, &TIMES, default.times.not_found);
    let max_bytes = record.defaulted("max_bytes", max_bytes, &SIZES, default.max_bytes);
    record.later("stale", "How long past its time a value is served while its source cannot be asked.");
    Some(cache::Config { times: cache::Times { fresh, not_found }, max_bytes })
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
