use crate::{
    azure::NetworkConfig,
    config::{
        path::{Content, PathTo},
        record::Record,
    },
};

/// `network` of an identity or a source.
pub(super) fn network(record: &mut Record<'_, '_>) -> Option<NetworkConfig> {
    let ca_file = record.optional(
        "ca_file",
        "A PEM file of certificate authorities to trust beside the system's.",
        &PathTo(Content::Certificates),
    );
    record.later("path", "Which way the host is reached: public, VNet, Private Link.");
    record.later("addresses", "The addresses to use instead of DNS.");
    record.later("allowed_ranges", "The address ranges that the host may have.");
    record.later("proxy", "The proxy in between.");
    Some(NetworkConfig { ca_file })
}
