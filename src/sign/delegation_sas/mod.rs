//! User delegation SAS: a token for one resource, signed with a key that Azure gives to an Entra identity, so that no account key is needed.
//! It never gets that key. Grants and specs are made of it.

mod key;
mod layout;
mod required;

pub use key::{DelegationKey, DelegationKeyText};

use super::{
    AccountName, Resource, SasOptions, Service, SignError, Signed, Version, Window, fields::Fields, options, text,
};
use required::Required;

/// What a user delegation SAS may say besides what every SAS may. Each is as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DelegationOptions {
    /// What every SAS may say.
    pub sas: SasOptions,
    /// `saoid`: the user for whom the key's owner vouches; no further check is made of that user.
    pub authorized_object_id: Option<String>,
    /// `suoid`: the user whose own rights on the path are checked too. Excludes `authorized_object_id`.
    pub unauthorized_object_id: Option<String>,
    /// `scid`: a GUID for the storage logs.
    pub correlation_id: Option<String>,
    /// `sduoid`: the only user who may use the token, together with an Entra token of theirs.
    pub delegated_user_object_id: Option<String>,
    /// `srh`: headers that a request must have.
    pub request_headers: Vec<(String, String)>,
    /// `srq`: query parameters that a request must have.
    pub request_query: Vec<(String, String)>,
}

/// What a user delegation SAS says, but for its times and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationSas {
    version: Version,
    resource: Resource,
    canonical: String,
    permissions: String,
    ip: String,
    protocol: &'static str,
    encryption_scope: String,
    response_headers: [String; 5],
    authorized_oid: String,
    unauthorized_oid: String,
    correlation_id: String,
    delegated_oid: String,
    required: Required,
}

impl DelegationSas {
    /// Checks what a token shall say.
    pub fn new(account: &AccountName, resource: &Resource, options: &DelegationOptions) -> Result<Self, SignError> {
        let DelegationOptions { sas, authorized_object_id, unauthorized_object_id, .. } = options;
        let version = sas.version.unwrap_or_else(|| options.default_version(resource.service()));
        options.check_version(resource.service(), version)?;
        resource.check(version)?;
        options.check_carried(resource.service())?;
        if authorized_object_id.is_some() && unauthorized_object_id.is_some() {
            return Err(SignError::Conflict { field: "authorized_object_id", other: "unauthorized_object_id" });
        }
        let hint = "a user delegation SAS has no stored policy to take them from";
        let permissions = sas.permissions.as_deref().ok_or(SignError::Missing { field: "permissions", hint })?;
        let guid = |field, id: &Option<String>| id.as_deref().map_or(Ok(String::new()), |id| text::guid(field, id));
        Ok(Self {
            version,
            canonical: resource.canonical(account),
            permissions: resource.letters().read(permissions, version)?,
            ip: options::ip_range(sas.ip.as_deref())?,
            protocol: sas.protocol.as_str(),
            encryption_scope: options::encryption_scope(sas.encryption_scope.as_deref(), version)?,
            response_headers: sas.response_headers.read()?,
            authorized_oid: guid("authorized_object_id", authorized_object_id)?,
            unauthorized_oid: guid("unauthorized_object_id", unauthorized_object_id)?,
            correlation_id: guid("correlation_id", &options.correlation_id)?,
            delegated_oid: guid("delegated_user_object_id", &options.delegated_user_object_id)?,
            required: Required::read(&options.request_headers, &options.request_query)?,
            resource: resource.clone(),
        })
    }

    /// Signs it for a window that lies within the key's.
    pub fn sign(&self, key: &DelegationKey, window: &Window) -> Result<Signed, SignError> {
        key.check(self.resource.service(), self.version, window)?;
        let mut fields = self.fields();
        key.set_fields(&mut fields);
        let template = layout::template(&fields, self.resource.service(), self.version);
        Ok(template.sign(window, |text| key.sign(text)))
    }

    fn fields(&self) -> Fields<'_> {
        let mut fields = Fields {
            permissions: &self.permissions,
            resource: &self.canonical,
            ip: &self.ip,
            protocol: self.protocol,
            version: self.version.as_str(),
            encryption_scope: &self.encryption_scope,
            authorized_oid: &self.authorized_oid,
            unauthorized_oid: &self.unauthorized_oid,
            correlation_id: &self.correlation_id,
            delegated_oid: &self.delegated_oid,
            ..Fields::default()
        };
        self.resource.set_fields(&mut fields);
        fields.set_response_headers(&self.response_headers);
        self.required.set_fields(&mut fields);
        fields
    }
}

impl DelegationOptions {
    /// The lowest version that carries what is asked for and is well deployed.
    fn default_version(&self, service: Service) -> Version {
        if self.requires_request() {
            Version::V2026_04_06
        } else if service != Service::Blob || self.delegated_user_object_id.is_some() {
            Version::V2025_07_05
        } else {
            Version::DEFAULT
        }
    }

    fn requires_request(&self) -> bool {
        !(self.request_headers.is_empty() && self.request_query.is_empty())
    }

    fn check_version(&self, service: Service, version: Version) -> Result<(), SignError> {
        let (first, problem) = match service {
            Service::Blob => {
                (Version::V2018_11_09, "is before 2018-11-09, the first one of user delegation SAS for blobs")
            }
            _ => (
                Version::V2025_07_05,
                "is before 2025-07-05, the first one of user delegation SAS for other than blobs",
            ),
        };
        if version < first {
            return Err(SignError::Invalid { field: "service_version", problem });
        }
        let since = [
            ("authorized_object_id", self.authorized_object_id.is_some(), Version::V2020_02_10),
            ("unauthorized_object_id", self.unauthorized_object_id.is_some(), Version::V2020_02_10),
            ("correlation_id", self.correlation_id.is_some(), Version::V2020_02_10),
            ("delegated_user_object_id", self.delegated_user_object_id.is_some(), Version::V2025_07_05),
            ("request_headers", !self.request_headers.is_empty(), Version::V2026_04_06),
            ("request_query", !self.request_query.is_empty(), Version::V2026_04_06),
        ];
        since.into_iter().filter(|(_, given, _)| *given).try_for_each(|(field, _, since)| version.require(field, since))
    }

    /// Refuses what tokens for the service have no field for.
    fn check_carried(&self, service: Service) -> Result<(), SignError> {
        self.sas.check_carried(service)?;
        let of_blobs = [
            ("authorized_object_id", self.authorized_object_id.is_some()),
            ("unauthorized_object_id", self.unauthorized_object_id.is_some()),
            ("correlation_id", self.correlation_id.is_some()),
            ("request_headers", !self.request_headers.is_empty()),
            ("request_query", !self.request_query.is_empty()),
        ];
        match of_blobs.into_iter().find(|(_, given)| *given && service != Service::Blob) {
            Some((field, _)) => {
                Err(SignError::NotCarried { field, kind: "a user delegation SAS for other than blobs" })
            }
            None => Ok(()),
        }
    }
}
