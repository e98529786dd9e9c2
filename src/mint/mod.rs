//! Makes what a task carries instead of a key: a grant and its account's key become a token, and a token becomes the connection that a type's
//! hook reads. It never fetches a stored key and keeps nothing. [`crate::broker`] calls it.

mod config;
mod delegation;
mod entra;
mod grant;
mod hook;
mod issue;
mod key;
mod permit;

pub use config::{
    AccountConfig, AccountKind, BadGrant, GrantConfig, GrantKind, MAX_KEYS, ScopeConfig, StorageConfig, StorageService,
    check_grant, check_hook, check_key,
};
pub use delegation::Delegation;
pub use entra::EntraTokens;
pub use grant::Grant;
pub use hook::{Filled, Hook};
pub use issue::Issued;
pub use key::{BadKey, Fingerprint, StoredKey};
pub use permit::{RequestRefusal, RequestScope, SignedRequest};

/// A user delegation key, which Azure gives to an identity: it signs for at most 7 days.
pub use crate::sign::DelegationKey;
