//! Service SAS: a token for one container, blob, directory, share, file, queue or table, signed with the account's key.
//! It never signs a version whose layout is not in its four layout files. Grants and specs are made of it.

mod blob;
mod file;
mod queue;
mod table;

use super::{
    AccountKey, AccountName, Resource, SasOptions, Service, SignError, Signed, Version, Window, fields::Fields,
    options, text,
};

/// The longest name of a stored access policy ("Define a stored access policy").
const LONGEST_IDENTIFIER: usize = 64;

/// What a service SAS says, but for its times. Whatever could be refused has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSas {
    version: Version,
    resource: Resource,
    canonical: String,
    permissions: String,
    identifier: String,
    ip: String,
    protocol: &'static str,
    encryption_scope: String,
    response_headers: [String; 5],
}

impl ServiceSas {
    /// Checks what a token shall say. `identifier` is a stored access policy, which may hold the permissions and times instead of the token.
    pub fn new(
        account: &AccountName,
        resource: Resource,
        identifier: Option<&str>,
        options: &SasOptions,
    ) -> Result<Self, SignError> {
        let version = options.version.unwrap_or(Version::DEFAULT);
        resource.check(version)?;
        options.check_carried(resource.service())?;
        if identifier.is_none() && options.permissions.is_none() {
            return Err(SignError::Missing { field: "permissions", hint: "name them, or a stored access policy" });
        }
        let permissions = options.permissions.as_deref();
        Ok(Self {
            version,
            canonical: resource.canonical(account),
            permissions: permissions.map_or(Ok(String::new()), |text| resource.letters().read(text, version))?,
            identifier: text::optional("identifier", identifier, LONGEST_IDENTIFIER)?,
            ip: options::ip_range(options.ip.as_deref())?,
            protocol: options.protocol.as_str(),
            encryption_scope: options::encryption_scope(options.encryption_scope.as_deref(), version)?,
            response_headers: options.response_headers.read()?,
            resource,
        })
    }

    /// Signs it for a window, whose expiry may be open only where a stored access policy closes it.
    pub fn sign(&self, key: &AccountKey, window: Window) -> Result<Signed, SignError> {
        if window.expiry().is_none() && self.identifier.is_empty() {
            return Err(SignError::Missing { field: "expiry", hint: "set it, or name a stored access policy" });
        }
        let fields = self.fields(&window);
        let string_to_sign = match self.resource.service() {
            Service::Blob => blob::string_to_sign(&fields, self.version),
            Service::File => file::string_to_sign(&fields),
            Service::Queue => queue::string_to_sign(&fields),
            Service::Table => table::string_to_sign(&fields),
        };
        Ok(fields.signed(&key.sign(&string_to_sign), string_to_sign, window.expiry()))
    }

    fn fields<'a>(&'a self, window: &'a Window) -> Fields<'a> {
        let mut fields = Fields {
            permissions: &self.permissions,
            resource: &self.canonical,
            identifier: &self.identifier,
            ip: &self.ip,
            protocol: self.protocol,
            version: self.version.as_str(),
            encryption_scope: &self.encryption_scope,
            ..Fields::default()
        };
        fields.set_window(window);
        self.resource.set_fields(&mut fields);
        fields.set_response_headers(&self.response_headers);
        fields
    }
}
