use crate::sign::fields::{Fields, layout};

/// What is signed for a share or file, whatever the version: `sr` is sent but never signed.
pub(super) fn string_to_sign(fields: &Fields) -> String {
    Since20150405::of(fields).text()
}

layout! {
    /// `sv` 2015-04-05 and later.
    Since20150405 of Fields {
        permissions start expiry resource identifier ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}
