//! Listeners, who is calling, the gRPC and Connect faces, limits and the one fault-to-status table. It never holds lookup logic: a request
//! becomes a [`crate::model::Lookup`], [`Lookups`] answers it, the answer becomes a message. [`crate::app`] builds and runs it.
//!
//! A call's way: [`Server`] accepts, `wire` keeps the time and sees the bytes, `door` checks and finds the face, `connect` or `grpc` decodes,
//! `methods` answers, `status` spells what went wrong.
//!
//! A stock grpcio client on a Unix socket must set the channel option `grpc.default_authority` (to `localhost`, say): it sends the percent-encoded
//! path as `:authority` otherwise, which hyper refuses as malformed.

mod body;
mod caller;
mod config;
mod connect;
mod control;
mod convert;
mod deadline;
mod door;
mod error;
mod grpc;
mod heads;
mod json;
mod limits;
mod link;
mod listener;
mod methods;
mod server;
mod socket;
mod status;
mod watch;
mod wire;

pub use config::{ListenerConfig, UnixConfig, default_listeners};
pub use control::{
    CacheStatus, Changing, ConfigStatus, Control, Lookups, Reloaded, SourceStanding, SourceStatus, Status,
};
pub use error::Error;
pub use limits::Limits;
pub use methods::Ids;
pub use server::{Parts, Server};
