//! Azure as the rest of Valet sees it: identities that give Entra tokens, one HTTP client with its network path, vaults that give secrets and
//! storage accounts that give user delegation keys. It never knows Airflow's words, caches no value, signs nothing and decides no retry.
//! [`crate::source`] and `mint` call it; [`crate::app`] builds it.

mod config;
mod error;
mod fault;
mod guard;
mod http;
mod identity;
mod registry;
mod reply;
mod shared;
mod storage;
mod token;
mod vault;

pub use config::{BudgetConfig, ClientCertificate, IdentityConfig, IdentityKind, ManagedIdentityId, NetworkConfig};
pub use error::{BadUrl, Error, Nonsense, Peer, Refusal, Setup, TlsProblem, Trouble, Unreachable};
pub use guard::{BreakerState, Random};
pub use http::{DialError, Dialed, Dialer, HostName, Resolver, SystemResolver};
pub use identity::{CertificateProblem, CliProblem, IdentityProblem};
pub use registry::Azure;
pub use storage::{DelegationKeys, StorageClient, StorageRefusal, StorageService, UserDelegationKey};
pub use token::{Token, Tokens};
pub use vault::{KeyVault, Listed, NextPage, Page, SecretName, Standing, Vault};
