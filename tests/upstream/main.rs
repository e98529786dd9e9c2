//! One Valet that asks another: what comes through, over a Unix socket and over TLS, and what becomes of it when something breaks. The Valet that
//! asks is whole and real; the one that is asked is too, or is a scripted one where it has to say what a real one seldom says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod chain;
mod faults;
mod freshness;
mod lab;
mod script;
mod tls;
mod tokens;
mod watching;
