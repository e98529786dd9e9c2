//! Everything that requests and tests may change, and how it looks at the start. It is data; [`crate::world`] guards it.

use std::collections::BTreeMap;

use crate::{
    access::{Authorization, Grant, Network},
    directory::{App, Directory, ManagedIdentity},
    endpoints::{CLIENT_ID, CLIENT_SECRET, SYSTEM_IDENTITY_ID, USER_IDENTITY_ID},
    faults::Faults,
    limit::Limited,
    log::RequestLog,
    seed::{Seed, SeedError},
    store::Store,
    visit::DEFAULT_VAULT,
};

/// One vault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vault {
    pub(crate) store: Store,
    pub(crate) network: Network,
    pub(crate) authorization: Authorization,
    /// How often it answers; always where there is none.
    pub(crate) limited: Option<Limited>,
}

/// The state of a whole test vault.
#[derive(Debug)]
pub(crate) struct State {
    /// By name, lower case.
    pub(crate) vaults: BTreeMap<String, Vault>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    /// Seconds.
    pub(crate) token_lifetime: i64,
    /// Whether Entra's error descriptions have CRLF in them, as they once had.
    pub(crate) entra_crlf: bool,
}

impl State {
    /// The seeded vaults, one client and two managed identities with every right, no faults.
    pub(crate) fn new(seed: &Seed, token_lifetime: i64, now: i64) -> Result<Self, SeedError> {
        let mut vaults = BTreeMap::from([(DEFAULT_VAULT.to_owned(), Vault::default())]);
        for (name, vault, spec) in seed.secrets() {
            let store = &mut vaults.entry(vault.to_ascii_lowercase()).or_default().store;
            store.set(name, spec.clone(), now).map_err(|source| SeedError { vault: vault.to_owned(), source })?;
        }
        for vault in seed.vaults.keys() {
            vaults.entry(vault.to_ascii_lowercase()).or_default();
        }
        let mut directory = Directory::default();
        let app = App { secrets: vec![CLIENT_SECRET.to_owned()], ..App::default() };
        directory.register_app(CLIENT_ID, app).expect("it has no certificate that could be bad");
        for (client_id, system_assigned) in [(SYSTEM_IDENTITY_ID, true), (USER_IDENTITY_ID, false)] {
            directory.register_identity(ManagedIdentity {
                client_id: client_id.to_owned(),
                object_id: crate::jwt::guid(client_id),
                resource_id: format!("{IDENTITIES}{client_id}"),
                system_assigned,
            });
        }
        let grants = [CLIENT_ID, SYSTEM_IDENTITY_ID, USER_IDENTITY_ID].map(Grant::all).to_vec();
        let (faults, log) = (Faults::default(), RequestLog::default());
        Ok(Self { vaults, grants, directory, faults, log, token_lifetime, entra_crlf: false })
    }

    pub(crate) fn vault(&mut self, name: &str) -> &mut Vault {
        self.vaults.entry(name.to_ascii_lowercase()).or_default()
    }
}

const IDENTITIES: &str = "/subscriptions/5e57ab1e-0000-4000-8000-000000000000/resourcegroups/valet/providers/Microsoft.ManagedIdentity/userAssignedIdentities/";
