//! Azure Storage: asks an account for user delegation keys, and says what its answers mean.
//! It never signs with such a key, keeps one or tries again, and needs no account key. `mint` calls it, through [`DelegationKeys`].

mod answer;
mod client;
mod key;
mod refusal;
mod service;

pub use client::StorageClient;
pub use key::UserDelegationKey;
pub use refusal::StorageRefusal;
pub use service::StorageService;

use super::error::Error;
use async_trait::async_trait;
use std::fmt::Debug;

/// Something that gives user delegation keys of one service of one account to one identity.
#[async_trait]
pub trait DelegationKeys: Debug + Send + Sync {
    /// A new key, valid from `start` to `expiry`, both written `YYYY-MM-DDTHH:MM:SSZ`. Azure allows 7 days between them
    /// (<https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key>).
    ///
    /// # Errors
    /// Whatever keeps the key away, with what to change.
    async fn delegation_key(&self, start: &str, expiry: &str) -> Result<UserDelegationKey, Error>;
}
