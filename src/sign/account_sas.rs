use super::{
    AccountKey, AccountName, Protocol, SignError, Signed, Version, Window,
    fields::Fields,
    options,
    permission::{self, Letters},
    template::{Template, sas_layout},
};

/// What an account SAS may say. Each is as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountOptions {
    /// Letters of the services: `b` blob, `q` queue, `t` table, `f` file.
    pub services: String,
    /// Letters of what it opens in them: `s` service, `c` container, `o` object.
    pub resource_types: String,
    /// Permission letters.
    pub permissions: String,
    /// The addresses that may use it: one IPv4 address or a range.
    pub ip: Option<String>,
    /// The protocols that it may be used with.
    pub protocol: Protocol,
    /// The encryption scope of what is written with it.
    pub encryption_scope: Option<String>,
    /// `sv`; [`Version::DEFAULT`] where it is absent.
    pub version: Option<Version>,
}

/// What an account SAS says, but for its times: it opens whole services of an account, and no stored access policy can revoke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSas(Template);

impl AccountSas {
    /// Checks what a token shall say.
    pub fn new(account: &AccountName, options: &AccountOptions) -> Result<Self, SignError> {
        let version = options.version.unwrap_or(Version::DEFAULT);
        let fields = Fields {
            account: account.as_str(),
            services: &SERVICES.read(&options.services, version)?,
            resource_types: &RESOURCE_TYPES.read(&options.resource_types, version)?,
            permissions: &permission::ACCOUNT.read(&options.permissions, version)?,
            ip: &options::ip_range(options.ip.as_deref())?,
            protocol: options.protocol.as_str(),
            version: version.as_str(),
            encryption_scope: &options::encryption_scope(options.encryption_scope.as_deref(), version)?,
            ..Fields::default()
        };
        Ok(Self(if version >= Version::V2020_12_06 {
            Since20201206::of(&fields).template(fields.query())
        } else {
            Since20150405::of(&fields).template(fields.query())
        }))
    }

    /// Signs it for a window that closes.
    pub fn sign(&self, key: &AccountKey, window: &Window) -> Result<Signed, SignError> {
        if window.expiry().is_none() {
            return Err(SignError::Missing { field: "expiry", hint: "an account SAS has no policy to take it from" });
        }
        Ok(self.0.sign(window, |text| key.sign(text)))
    }
}

sas_layout! {
    /// `sv` 2020-12-06 and later: with the encryption scope.
    Since20201206 {
        account permissions services resource_types [start expiry] ip protocol version encryption_scope end
    }
}

sas_layout! {
    /// `sv` 2015-04-05 to 2020-10-02.
    Since20150405 { account permissions services resource_types [start expiry] ip protocol version end }
}

static SERVICES: Letters = Letters::unordered("services", "an account SAS", "bqtf");
static RESOURCE_TYPES: Letters = Letters::unordered("resource_types", "an account SAS", "sco");
