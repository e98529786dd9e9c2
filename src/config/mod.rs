//! valet.yaml to a typed [`Config`], or to every problem at once. It never echoes the file's text and holds no room's defaults.
//! [`crate::app`] calls it at start-up and reload, [`crate::cli`] for `check`, `schema` and `init`.

use crate::{
    audit, azure::IdentityConfig, broker::RouteConfig, cache, source::SourceConfig, transport::ListenerConfig,
};

/// Everything that valet.yaml says, parsed and consistent: every reference points to something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `listen`, or the default.
    pub listeners: Vec<ListenerConfig>,
    /// `identities`, or one named `default` of kind `default`.
    pub identities: Vec<IdentityConfig>,
    /// `sources`, in the order written.
    pub sources: Vec<SourceConfig>,
    /// `routes`; empty means every source in the order written, for every name.
    pub routes: Vec<RouteConfig>,
    /// `cache`.
    pub cache: cache::Config,
    /// `audit`.
    pub audit: audit::Config,
}
