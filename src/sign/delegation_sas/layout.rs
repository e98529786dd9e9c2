use crate::sign::{
    Service, Version,
    fields::Fields,
    template::{Template, sas_layout},
};

/// The SAS for a resource of the service in the version. The only kind of SAS whose layout still changes.
pub(super) fn template(fields: &Fields, service: Service, version: Version) -> Template {
    match service {
        Service::Blob if version >= Version::V2026_04_06 => BlobSince20260406::of(fields).template(fields.query()),
        Service::Blob if version >= Version::V2025_07_05 => BlobSince20250705::of(fields).template(fields.query()),
        Service::Blob if version >= Version::V2020_12_06 => BlobSince20201206::of(fields).template(fields.query()),
        Service::Blob if version >= Version::V2020_02_10 => BlobSince20200210::of(fields).template(fields.query()),
        Service::Blob => BlobSince20181109::of(fields).template(fields.query()),
        Service::File => FileSince20250705::of(fields).template(fields.query()),
        Service::Queue => QueueSince20250705::of(fields).template(fields.query()),
        Service::Table => TableSince20250705::of(fields).template(fields.query()),
    }
}

sas_layout! {
    /// `sv` 2026-04-06 and later: with required headers and query parameters.
    BlobSince20260406 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version
        authorized_oid unauthorized_oid correlation_id key_delegated_tid delegated_oid
        ip protocol version kind time encryption_scope request_headers request_query
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2025-07-05 to 2026-02-06: with the user who alone may use it.
    BlobSince20250705 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version
        authorized_oid unauthorized_oid correlation_id key_delegated_tid delegated_oid
        ip protocol version kind time encryption_scope
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2020-12-06 to 2025-05-05: with the encryption scope.
    BlobSince20201206 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version
        authorized_oid unauthorized_oid correlation_id
        ip protocol version kind time encryption_scope
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2020-02-10 to 2020-10-02: with the users of a hierarchical namespace.
    BlobSince20200210 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version
        authorized_oid unauthorized_oid correlation_id
        ip protocol version kind time
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2018-11-09 to 2019-12-12. Microsoft's page shows other fields; the SDKs and the emulator agree on these.
    BlobSince20181109 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version
        ip protocol version kind time
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2025-07-05 and later.
    FileSince20250705 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version key_delegated_tid delegated_oid
        ip protocol version
        cache_control content_disposition content_encoding content_language content_type
    }
}

sas_layout! {
    /// `sv` 2025-07-05 and later.
    QueueSince20250705 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version key_delegated_tid delegated_oid
        ip protocol version
    }
}

sas_layout! {
    /// `sv` 2025-07-05 and later. No SDK makes it yet and the emulator does not read it: taken from one third-party source.
    TableSince20250705 {
        permissions [start expiry] resource
        key_oid key_tid key_start key_expiry key_service key_version key_delegated_tid delegated_oid
        ip protocol version start_pk start_rk end_pk end_rk
    }
}
