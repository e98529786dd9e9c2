use crate::sign::{
    Service, Version,
    fields::Fields,
    template::{Template, sas_layout},
};

/// The SAS for a resource of the service in the version.
pub(super) fn template(fields: &Fields, service: Service, version: Version) -> Template {
    match service {
        Service::Blob if version >= Version::V2020_12_06 => BlobSince20201206::of(fields).template(fields.query()),
        Service::Blob if version >= Version::V2018_11_09 => BlobSince20181109::of(fields).template(fields.query()),
        Service::Blob => BlobSince20150405::of(fields).template(fields.query()),
        Service::File => FileSince20150405::of(fields).template(fields.query()),
        Service::Queue => QueueSince20150405::of(fields).template(fields.query()),
        Service::Table => TableSince20150405::of(fields).template(fields.query()),
    }
}

sas_layout! {
    /// `sv` 2020-12-06 and later: with the encryption scope.
    BlobSince20201206 {
        permissions [start expiry] resource identifier ip protocol version kind time encryption_scope
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2018-11-09 to 2020-10-02: with the kind of resource and the snapshot's time.
    BlobSince20181109 {
        permissions [start expiry] resource identifier ip protocol version kind time
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2015-04-05 to 2018-03-28.
    BlobSince20150405 {
        permissions [start expiry] resource identifier ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2015-04-05 and later: `sr` is sent but never signed.
    FileSince20150405 {
        permissions [start expiry] resource identifier ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2015-04-05 and later.
    QueueSince20150405 { permissions [start expiry] resource identifier ip protocol version }
}

sas_layout! {
    /// `sv` 2015-04-05 and later: `tn` is sent but never signed.
    TableSince20150405 {
        permissions [start expiry] resource identifier ip protocol version start_pk start_rk end_pk end_rk
    }
}
