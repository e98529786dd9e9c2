use crate::sign::{
    fields::Fields,
    template::{Template, sas_layout},
};

/// The SAS for a share or file, whatever the version: `sr` is sent but never signed.
pub(super) fn template(fields: &Fields) -> Template {
    Since20150405::of(fields).template(fields.query())
}

sas_layout! {
    /// `sv` 2015-04-05 and later.
    Since20150405 {
        permissions [start expiry] resource identifier ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}
