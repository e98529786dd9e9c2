//! What only shows when the parts of valet.yaml are seen together: names that lead nowhere, grants that their account or their connection cannot
//! carry, what nothing uses. It never reads the file's text again, but for the keys that a reference leads to. [`super::parse`] calls it.

mod accounts;
mod connections;
mod grants;
mod names;
mod routes;

use super::{
    Config,
    context::Context,
    place::Placed,
    sections::{Account, Connection, Draft, Grant},
};
use crate::{
    azure::{IdentityConfig, IdentityKind, NetworkConfig},
    mint::{AccountConfig, GrantConfig, GrantKind},
    model::Right,
    source::SourceKind,
    transport::{ListenerConfig, default_listeners},
};

/// The identity that exists without being declared.
const DEFAULT_IDENTITY: &str = "default";

/// Notes the problems and puts the parts together.
pub(super) fn check(draft: Draft, cx: &mut Context<'_>) -> Config {
    let listeners = draft.listeners.map_or_else(default_listeners, values);
    let (accounts, grants, connections) = (&draft.accounts, &draft.grants, &draft.connections);
    let drafts = Drafts { listeners: &listeners, accounts, grants, connections };
    names::check(&draft.sources, cx);
    routes::check(&draft.routes, &draft.sources, drafts.allows(Right::Tokens), cx);
    accounts::check(accounts, cx);
    grants::check(&drafts, cx);
    connections::check(&drafts, cx);

    let mut config = Config {
        listeners,
        identities: values(draft.identities),
        sources: values(draft.sources),
        source_times: draft.source_times,
        routes: values(draft.routes),
        accounts: values(draft.accounts).into_iter().map(|account| account.config).collect(),
        grants: values(draft.grants).into_iter().map(|grant| grant.config).collect(),
        connections: values(draft.connections).into_iter().map(|connection| connection.config).collect(),
        cache: draft.cache,
        audit: draft.audit,
    };
    if uses_default_identity(&config) && config.identities.iter().all(|identity| &*identity.name != DEFAULT_IDENTITY) {
        config.identities.push(IdentityConfig {
            name: DEFAULT_IDENTITY.into(),
            kind: IdentityKind::Default,
            authority_host: None,
            network: NetworkConfig::default(),
        });
    }
    config
}

fn values<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// What grants and connections are checked against.
struct Drafts<'d> {
    listeners: &'d [ListenerConfig],
    accounts: &'d [Placed<Account>],
    grants: &'d [Placed<Grant>],
    connections: &'d [Placed<Connection>],
}

impl<'d> Drafts<'d> {
    /// The account of this name, if it could be read.
    fn account(&self, name: &str) -> Option<&'d AccountConfig> {
        self.accounts.iter().map(|account| &account.value.config).find(|account| &*account.name == name)
    }

    /// The grant of this name, if it could be read.
    fn grant(&self, name: &str) -> Option<&'d GrantConfig> {
        self.grants.iter().map(|grant| &grant.value.config).find(|grant| &*grant.name == name)
    }

    /// Whether some listener allows it.
    fn allows(&self, right: Right) -> bool {
        self.listeners.iter().any(|listener| listener.allow.contains(&right))
    }
}

fn uses_default_identity(config: &Config) -> bool {
    let of_sources = config.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::KeyVault(vault) => Some(&*vault.identity),
        SourceKind::Environment | SourceKind::File(_) | SourceKind::Upstream(_) => None,
    });
    let delegates = |account: &&AccountConfig| {
        let is_delegation = |grant: &GrantConfig| grant.kind == GrantKind::UserDelegationSas;
        config.grants.iter().any(|grant| grant.account == account.name && is_delegation(grant))
    };
    let of_accounts = config.accounts.iter().filter(delegates).map(|account| &*account.identity);
    let of_tokens = config.connections.iter().flat_map(connections::identities);
    of_sources.chain(of_accounts).chain(of_tokens).any(|identity| identity == DEFAULT_IDENTITY)
}
