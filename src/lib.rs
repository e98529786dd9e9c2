//! Valet is a connection broker for Apache Airflow on Azure: it holds the master keys and gives each task the one connection it asked for.
//!
//! A lookup falls from the top of this list to the bottom, and imports point the same way, never up (`tests/architecture.rs` proves it):
//!
//! - [`cli`] and [`app`]: one file a subcommand; the composition root.
//! - [`config`]: valet.yaml to a typed configuration, or every problem at once. Start-up and reload only.
//! - [`transport`]: listeners, who is calling, the gRPC and Connect faces, limits, the one fault-to-status table.
//! - [`broker`]: the whole story of a lookup on one screen; it asks [`policy`] and tells [`audit`].
//! - [`cache`]: what fresh, stale and not found mean; one detached fetch per key.
//! - [`source`]: where a stored value comes from; [`azure`]: identities, HTTP, the vault client.
//! - [`mint`]: key and grant to what each hook reads; [`sign`]: SAS tokens and Shared Key headers, as pure functions.
//! - Leaves: [`model`] (the vocabulary), [`clock`], [`env`], [`proto`], [`telemetry`].

pub mod app;
pub mod audit;
pub mod azure;
pub mod broker;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod env;
pub mod mint;
pub mod model;
pub mod policy;
pub mod proto;
pub mod sign;
pub mod source;
pub mod telemetry;
pub mod transport;
