//! The test suites' own Azure: Key Vaults over TLS, Entra's token endpoint, managed identity, and a control API that changes rights,
//! time and luck.
//!
//! It follows what is recorded of the real services (challenge before anything else, signed tokens that are checked, error bodies word
//! for word, empty pages, soft deletion) rather than what is convenient, so that a client that works here works there. Nothing in it
//! sleeps but the faults that are slow on purpose.
//!
//! ```no_run
//! # async fn example() -> Result<(), valet_testvault::StartError> {
//! use valet_testvault::{Fault, FaultRule, Options, Seed, TestVault};
//!
//! let vault = TestVault::start(Options { seed: Seed::of([("airflow-connections-db", "postgres://…")]), ..Options::default() }).await?;
//! vault.inject(FaultRule::new(Fault::throttled()).times(1));
//! assert_eq!(vault.counters().reads, 0);
//! # Ok(()) }
//! ```
//!
//! The map: `server` turns connections into `visit`s; `vault`, `entra` and `managed_identity` answer them from `state`;
//! `proxy` gets them from somebody else; `faulty` spoils answers; `control` is the API by which another process does what [`World`]'s methods do.

mod access;
mod client_certificate;
mod clock;
mod control;
mod directory;
mod endpoints;
mod entra;
mod fault;
mod faults;
mod faulty;
mod jwt;
mod limit;
mod line;
mod log;
mod managed_identity;
mod options;
mod proxy;
mod reply;
mod running;
mod seed;
mod server;
mod state;
mod store;
mod tls;
mod vault;
mod visit;
mod world;

pub use access::{Action, Authorization, Grant, Network};
pub use clock::{Clock, TimeSource, system_time};
pub use directory::{App, BadCertificate, ManagedIdentity};
pub use endpoints::{
    CLIENT_ID, CLIENT_SECRET, Endpoints, IDENTITY_HEADER, RESOURCE, SYSTEM_IDENTITY_ID, TENANT_ID, USER_IDENTITY_ID,
};
pub use fault::{ErrorBody, Fault, ForbiddenCode, RetryAfter};
pub use faults::{FaultRule, Scope, When};
pub use faulty::UPSTREAM_CANARY;
pub use limit::Limit;
pub use line::Site;
pub use log::{Counters, Entry, Face, MAX_ENTRIES, Operation, TokenSeen};
pub use options::{Behind, Leaf, Options};
pub use proxy::ProxyError;
pub use running::{StartError, TestVault};
pub use seed::{Seed, SeedError, SeedSecret, SeedVersion};
pub use store::{MAX_NAME, MAX_VALUE_BYTES, SecretSpec, StoreError};
pub use tls::TlsError;
pub use visit::DEFAULT_VAULT;
pub use world::{TokenSpec, World};
