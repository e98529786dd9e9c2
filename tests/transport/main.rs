//! The transport over real Unix sockets, with a scripted broker behind it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod agreement;
mod bounds;
mod clients;
mod contract;
mod deeds;
mod log;
mod over_http;
mod script;
mod sockets;
mod watching;
