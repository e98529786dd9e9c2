use crate::sign::fields::{Fields, layout};

/// What is signed for a queue, whatever the version.
pub(super) fn string_to_sign(fields: &Fields) -> String {
    Since20150405::of(fields).text()
}

layout! {
    /// `sv` 2015-04-05 and later.
    Since20150405 of Fields { permissions start expiry resource identifier ip protocol version }
}
