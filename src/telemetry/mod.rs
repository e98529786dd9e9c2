//! Logs and counters: every name is a typed handle here, so that the list is complete and nothing is spelt twice. It never decides anything
//! and never sees a value. Every room that has something to say calls it.

mod counters;
mod logs;

pub use counters::{Counter, Counters};
pub use logs::{BadFilter, Format, init_logs};
