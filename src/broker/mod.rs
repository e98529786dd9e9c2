//! The whole story of a lookup on one screen: policy, route, cache, source, mask, audit. It never knows HTTP or protobuf.
//! [`crate::transport`] calls it; [`crate::app`] builds it.

mod config;

pub use config::{OnUnavailable, RouteConfig};
