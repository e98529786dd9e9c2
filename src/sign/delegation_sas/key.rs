use crate::sign::{
    AccountKey, DELEGATION_CAP, Service, SignError, Timestamp, Version, Window, fields::Fields, hmac::Signature,
    options::LONGEST_TEXT, text,
};

/// A user delegation key as the storage service gives it ("Get User Delegation Key"), element by element.
#[derive(Clone, Copy)]
pub struct DelegationKeyText<'a> {
    /// `SignedOid`: who asked for it.
    pub oid: &'a str,
    /// `SignedTid`: the tenant of who asked for it.
    pub tid: &'a str,
    /// `SignedStart`.
    pub start: &'a str,
    /// `SignedExpiry`.
    pub expiry: &'a str,
    /// `SignedService`: `b`, `f`, `q` or `t`.
    pub service: &'a str,
    /// `SignedVersion`.
    pub version: &'a str,
    /// `SignedDelegatedUserTid`: the tenant of the only user who may use what it signs, where there is one.
    pub delegated_user_tid: Option<&'a str>,
    /// `Value`: the key itself, base64.
    pub value: &'a str,
}

/// A user delegation key. Its value is wiped when dropped, and no part of it can be printed.
#[derive(Debug, Clone)]
pub struct DelegationKey {
    oid: String,
    tid: String,
    start: Timestamp,
    expiry: Timestamp,
    service: String,
    version: Version,
    delegated_tid: String,
    value: AccountKey,
}

impl DelegationKey {
    /// Parses what the service gave. A key with a life of more than [`DELEGATION_CAP`] is none of Azure's.
    pub fn parse(text: &DelegationKeyText) -> Result<Self, SignError> {
        let DelegationKeyText { oid, tid, start, expiry, service, version, delegated_user_tid, value } = *text;
        let start = Timestamp::parse("user_delegation_key.start", start)?;
        let expiry = Timestamp::parse("user_delegation_key.expiry", expiry)?;
        Window::between(Some(start), Some(expiry))?;
        if expiry.since(start) > DELEGATION_CAP {
            let field = "the life of user_delegation_key";
            return Err(SignError::TooLongLived { field, cap: DELEGATION_CAP });
        }
        Ok(Self {
            oid: text::plain("user_delegation_key.oid", oid, LONGEST_TEXT)?,
            tid: text::plain("user_delegation_key.tid", tid, LONGEST_TEXT)?,
            start,
            expiry,
            service: text::plain("user_delegation_key.service", service, 1)?,
            version: Version::parse_any("user_delegation_key.version", version)?,
            delegated_tid: text::optional("user_delegation_key.delegated_user_tid", delegated_user_tid, LONGEST_TEXT)?,
            value: AccountKey::parse_field("user_delegation_key.value", value)?,
        })
    }

    /// When it ends, and all that it signed with it.
    pub fn expires_at(&self) -> Timestamp {
        self.expiry
    }

    /// Refuses to sign what the key is not for, or what would outlive it.
    pub(super) fn check(&self, service: Service, version: Version, window: &Window) -> Result<(), SignError> {
        if self.service != service.letter() {
            let problem = "is not the service of the resource: get a key for that service";
            return Err(SignError::Invalid { field: "user_delegation_key.service", problem });
        }
        if !self.delegated_tid.is_empty() {
            version.require("user_delegation_key.delegated_user_tid", Version::V2025_07_05)?;
        }
        let hint = "a user delegation SAS has no stored policy to take it from";
        let expiry = window.expiry().ok_or(SignError::Missing { field: "expiry", hint })?;
        let start = window.start().unwrap_or(self.start);
        if start < self.start {
            return Err(SignError::OutsideDelegationKey { field: "start" });
        }
        if expiry > self.expiry {
            return Err(SignError::OutsideDelegationKey { field: "expiry" });
        }
        Window::between(Some(start), Some(expiry)).map(drop)
    }

    pub(super) fn set_fields<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.key_oid = &self.oid;
        fields.key_tid = &self.tid;
        fields.key_start = self.start.as_str();
        fields.key_expiry = self.expiry.as_str();
        fields.key_service = &self.service;
        fields.key_version = self.version.as_str();
        fields.key_delegated_tid = &self.delegated_tid;
    }

    pub(super) fn sign(&self, string_to_sign: &str) -> Signature {
        self.value.sign(string_to_sign)
    }
}
