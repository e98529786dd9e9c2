//! Service SAS: a token for one container, blob, directory, share, file, queue or table, signed with the account's key.
//! It never signs a version whose layout it does not have. Grants and specs are made of it.

mod layout;

use super::{
    AccountKey, AccountName, Resource, SasOptions, SignError, Signed, Version, Window, fields::Fields, options,
    template::Template, text,
};

/// The longest name of a stored access policy ("Define a stored access policy").
const LONGEST_IDENTIFIER: usize = 64;

/// What a service SAS says, but for its times. Whatever could be refused has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSas {
    template: Template,
    /// Whether a stored access policy may close the token.
    has_policy: bool,
}

impl ServiceSas {
    /// Checks what a token shall say. `identifier` is a stored access policy, which may hold the permissions and times instead of the token.
    pub fn new(
        account: &AccountName,
        resource: &Resource,
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
        let permissions = permissions.map_or(Ok(String::new()), |text| resource.letters().read(text, version))?;
        let response_headers = options.response_headers.read()?;
        let mut fields = Fields {
            permissions: &permissions,
            resource: &resource.canonical(account),
            identifier: &text::optional("identifier", identifier, LONGEST_IDENTIFIER)?,
            ip: &options::ip_range(options.ip.as_deref())?,
            protocol: options.protocol.as_str(),
            version: version.as_str(),
            encryption_scope: &options::encryption_scope(options.encryption_scope.as_deref(), version)?,
            ..Fields::default()
        };
        resource.set_fields(&mut fields);
        fields.set_response_headers(&response_headers);
        let template = layout::template(&fields, resource.service(), version);
        Ok(Self { template, has_policy: identifier.is_some() })
    }

    /// Signs it for a window, whose expiry may be open only where a stored access policy closes it.
    pub fn sign(&self, key: &AccountKey, window: &Window) -> Result<Signed, SignError> {
        if window.expiry().is_none() && !self.has_policy {
            return Err(SignError::Missing { field: "expiry", hint: "set it, or name a stored access policy" });
        }
        Ok(self.template.sign(window, |text| key.sign(text)))
    }
}
