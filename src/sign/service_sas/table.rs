use crate::sign::{
    fields::Fields,
    template::{Template, sas_layout},
};

/// The SAS for a table, whatever the version: `tn` is sent but never signed.
pub(super) fn template(fields: &Fields) -> Template {
    Since20150405::of(fields).template(fields.query())
}

sas_layout! {
    /// `sv` 2015-04-05 and later.
    Since20150405 {
        permissions [start expiry] resource identifier ip protocol version start_pk start_rk end_pk end_rk
    }
}
