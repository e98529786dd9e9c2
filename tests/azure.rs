//! Azure as Valet sees it, against the test vault: every trap of the Azure crates, of TLS and of the services has a test here.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "azure/lab.rs"]
mod lab;
#[path = "azure/servers.rs"]
mod servers;

#[path = "azure/answers.rs"]
mod answers;
#[path = "azure/budget.rs"]
mod budget;
#[path = "azure/challenge.rs"]
mod challenge;
#[path = "azure/identities.rs"]
mod identities;
#[path = "azure/listing.rs"]
mod listing;
#[path = "azure/network.rs"]
mod network;
#[path = "azure/source.rs"]
mod source;
#[path = "azure/storage.rs"]
mod storage;
#[path = "azure/tended.rs"]
mod tended;
#[path = "azure/tokens.rs"]
mod tokens;
#[path = "azure/versions.rs"]
mod versions;
