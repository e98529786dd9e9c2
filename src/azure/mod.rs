//! Azure as the rest of Valet sees it: identities that give Entra tokens, one HTTP client with its network path, and vaults that give secrets.
//! It never knows Airflow's words, caches no value and decides no retry. [`crate::source`] calls it; [`crate::app`] builds it.

mod config;

pub use config::{IdentityConfig, IdentityKind, ManagedIdentityId, NetworkConfig};
