//! The `x-ms-` headers and query values that operations of several services know, and the permissions that some of them need by themselves.

/// Headers that change nothing, of every operation.
pub(super) const EVERY: [&str; 5] =
    ["x-ms-date", "x-ms-version", "x-ms-client-request-id", "x-ms-return-client-request-id", "x-ms-useragent"];

/// Of operations on what may be leased, or found by its tags.
pub(super) const CONDITIONS: &[&str] = &["x-ms-lease-id", "x-ms-if-tags"];
/// Of operations that read data.
pub(super) const READ: &[&str] = &["x-ms-range", "x-ms-range-get-content-md5", "x-ms-range-get-content-crc64"];
/// The key of the one who asks, with which the service encrypts what it is sent.
pub(super) const CUSTOMER_KEY: &[&str] =
    &["x-ms-encryption-key", "x-ms-encryption-key-sha256", "x-ms-encryption-algorithm"];
/// Metadata; a name that ends with a hyphen is a prefix. One SDK sends all of it once more under the bare name, which says nothing.
pub(super) const METADATA: &[&str] = &["x-ms-meta-", "x-ms-meta"];
/// A checksum of the body.
pub(super) const CHECKSUM: &[&str] = &["x-ms-content-crc64"];
/// What a blob says of itself when it is read.
pub(super) const BLOB_CONTENT: &[&str] = &[
    "x-ms-blob-cache-control",
    "x-ms-blob-content-disposition",
    "x-ms-blob-content-encoding",
    "x-ms-blob-content-language",
    "x-ms-blob-content-md5",
    "x-ms-blob-content-type",
];
/// Of blobs that are written whole.
pub(super) const BLOB_NEW: &[&str] = &[
    "x-ms-access-tier",
    "x-ms-tags",
    "x-ms-immutability-policy-until-date",
    "x-ms-immutability-policy-mode",
    "x-ms-legal-hold",
];

/// Whether a group has a header.
pub(super) fn has(group: &[&str], name: &str) -> bool {
    group.iter().any(|known| if known.ends_with('-') { name.starts_with(known) } else { *known == name })
}

/// A permission that a header needs beyond that of its operation, and why.
pub(super) fn letter(name: &str) -> Option<(char, &'static str)> {
    match name {
        "x-ms-tags" | "x-ms-if-tags" => Some(('t', "its tags")),
        "x-ms-immutability-policy-until-date" | "x-ms-immutability-policy-mode" | "x-ms-legal-hold" => {
            Some(('i', "its immutability policy"))
        }
        "x-ms-owner" | "x-ms-group" => Some(('o', "its owner")),
        "x-ms-acl" | "x-ms-permissions" | "x-ms-umask" => Some(('p', "its access control list")),
        _ => None,
    }
}

/// A permission that a query parameter needs beyond that of its operation, and why.
pub(super) fn letter_of_query(name: &str, value: &str) -> Option<(char, &'static str)> {
    (name == "include" && value.split(',').any(|word| word == "tags")).then_some(('t', "the tags that it lists"))
}

/// What a listing may be asked to show ("List Blobs", "List Directories and Files"); POSIX permissions are not among it.
const INCLUDED: [&str; 14] = [
    "copy",
    "deleted",
    "deletedwithversions",
    "immutabilitypolicy",
    "legalhold",
    "metadata",
    "snapshots",
    "tags",
    "uncommittedblobs",
    "versions",
    "timestamps",
    "etag",
    "attributes",
    "permissionkey",
];

/// Whether a parameter whose values have meanings of their own has a known one.
pub(super) fn known_query(name: &str, value: &str) -> bool {
    name != "include" || value.split(',').all(|word| INCLUDED.contains(&word.to_ascii_lowercase().as_str()))
}

/// Whether a header whose values have meanings of their own has a known one: a security descriptor is none that a permission is for.
pub(super) fn known_value(name: &str, value: &str) -> bool {
    let kept = ["inherit", "preserve"].iter().any(|word| value.eq_ignore_ascii_case(word));
    name != "x-ms-file-permission" || kept
}
