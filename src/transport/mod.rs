//! Listeners, who is calling, the gRPC and Connect faces, limits and the one fault-to-status table. It never holds lookup logic: a request
//! becomes a [`crate::model::Lookup`], [`crate::broker`] answers it, the answer becomes a message. [`crate::app`] builds and runs it.

mod config;

pub use config::{ListenerConfig, UnixConfig, default_listeners};
