//! What happens when a vault, Entra or the way to them fails: a whole Valet in this process, real sockets, real TLS, and RESILIENCE.md.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "faults/herd.rs"]
mod herd;
#[path = "faults/lab.rs"]
mod lab;
#[path = "faults/mischief.rs"]
mod mischief;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/table.rs"]
mod table;
