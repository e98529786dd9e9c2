//! What fresh and not found mean, and one detached fetch per key however many ask. It never knows a source and never sees a caller: what to
//! fetch is handed to it. [`crate::broker`] calls it.

mod config;

pub use config::Config;
