//! Shared Key and Shared Key Lite: the `Authorization` value of one described HTTP request to a storage account.
//! It never needs the body and never decides whether the request may be made: whoever asks has decided that. `SignRequest` and specs call it.

mod collation;
mod headers;
mod layout;
mod request;
mod url;

pub use request::Request;

pub(super) use headers::is_token;
pub(super) use layout::batch;

use super::{AccountKey, AccountName, SignError, Signed, hmac::Signature};
use crate::model::Secret;
use std::time::SystemTime;

/// How a request is canonicalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `SharedKey`.
    SharedKey,
    /// `SharedKeyLite`: for clients that cannot do the other; the query stays unsigned but for `comp`.
    SharedKeyLite,
}

impl Scheme {
    /// The word that the header's value begins with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SharedKey => "SharedKey",
            Self::SharedKeyLite => "SharedKeyLite",
        }
    }
}

/// The service that a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageService {
    /// Blobs.
    Blob,
    /// Queues.
    Queue,
    /// Tables: canonicalised like no other.
    Table,
    /// File shares.
    File,
    /// Data Lake Storage.
    Dfs,
}

/// Who signs a request, for which service and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedKey {
    /// The account whose key signs.
    pub account: AccountName,
    /// The service that the request goes to.
    pub service: StorageService,
    /// How it is canonicalised.
    pub scheme: Scheme,
}

impl SharedKey {
    /// Signs a request that says when it is made.
    pub fn sign(&self, key: &AccountKey, request: &Request) -> Result<Signed, SignError> {
        let string_to_sign = match (self.service, self.scheme) {
            (StorageService::Table, Scheme::SharedKey) => layout::table(&self.account, request)?,
            (StorageService::Table, Scheme::SharedKeyLite) => layout::table_lite(&self.account, request)?,
            (_, Scheme::SharedKey) => layout::storage(&self.account, request)?,
            (_, Scheme::SharedKeyLite) => layout::storage_lite(&self.account, request)?,
        };
        Ok(authorization(self.scheme.as_str(), &self.account, &key.sign(&string_to_sign), string_to_sign))
    }

    /// Signs a request as made now, and says the `x-ms-date` that it must carry: its own, where it has one, as the pipelines of SDKs send.
    ///
    /// # Errors
    /// An `x-ms-date` that is more than 15 minutes from `now`: the service would refuse it, or the signature would be one for later.
    pub fn sign_now(&self, key: &AccountKey, request: Request, now: SystemTime) -> Result<(Signed, String), SignError> {
        let (request, date) = request.dated(now)?;
        Ok((self.sign(key, &request)?, date))
    }
}

/// The header's value for a signature.
pub(super) fn authorization(
    scheme: &str,
    account: &AccountName,
    signature: &Signature,
    string_to_sign: String,
) -> Signed {
    Signed {
        token: Secret::new(format!("{scheme} {account}:{}", signature.as_str())),
        string_to_sign,
        expires_at: None,
    }
}
