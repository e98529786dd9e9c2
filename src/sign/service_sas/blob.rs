use crate::sign::{
    Version,
    fields::Fields,
    template::{Template, sas_layout},
};

/// The SAS for a container, blob, snapshot, version or directory.
pub(super) fn template(fields: &Fields, version: Version) -> Template {
    if version >= Version::V2020_12_06 {
        Since20201206::of(fields).template(fields.query())
    } else if version >= Version::V2018_11_09 {
        Since20181109::of(fields).template(fields.query())
    } else {
        Since20150405::of(fields).template(fields.query())
    }
}

sas_layout! {
    /// `sv` 2020-12-06 and later: with the encryption scope.
    Since20201206 {
        permissions [start expiry] resource identifier ip protocol version kind time encryption_scope
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2018-11-09 to 2020-10-02: with the kind of resource and the snapshot's time.
    Since20181109 {
        permissions [start expiry] resource identifier ip protocol version kind time
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2015-04-05 to 2018-03-28.
    Since20150405 {
        permissions [start expiry] resource identifier ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}
