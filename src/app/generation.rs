use super::{Seams, issuing::Issuing, tending::Tending};
use crate::{
    audit::Audit,
    azure::{Azure, BudgetConfig, IdentityConfig},
    broker::{BadPattern, Broker, IssueStores, Judged, Reader, Routes, TimedReader},
    cache::{self, Cache, Scope, Weigh},
    config::Config,
    model::{Fault, ProcessId},
    policy::Policy,
    source::{
        EnvironmentSource, FileSource, KeyVaultSource, ListPlan, ListSeams, Source, SourceConfig, SourceKind,
        UpstreamSource,
    },
    telemetry::Counters,
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::SystemTime,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// One configuration with the broker that it makes.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) broker: Arc<Broker>,
    pub(super) config: Config,
    pub(super) loaded_at: SystemTime,
    readers: HashMap<Scope, Arc<Reader>>,
    /// Once it is in force, and until it is no longer.
    tending: OnceLock<Tending>,
}

impl Generation {
    /// It is in force from now on.
    pub(super) fn begin(&self) {
        self.tending.get_or_init(|| Tending::start(&self.broker));
    }

    /// It is no longer in force; lookups that began on it go on.
    pub(super) fn end(&self) {
        self.tending.get().inspect(|tending| tending.stop());
    }

    /// Says when it is no longer in force.
    pub(super) fn ended(&self) -> CancellationToken {
        self.tending.get().map(Tending::ended).unwrap_or_default()
    }
}

/// Makes generations: what all of them share, for the life of the process.
pub(super) struct Maker {
    audit: Audit,
    /// What other Valets know this process by.
    me: ProcessId,
    pub(super) azure: Azure,
    pub(super) seams: Seams,
    pub(super) counters: Arc<Counters>,
}

/// Something that a sound configuration names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A source cannot be built.
    #[error(transparent)]
    Source(#[from] Fault),
    /// A route's pattern is no glob.
    #[error(transparent)]
    Route(#[from] BadPattern),
}

impl Maker {
    pub(super) fn new(audit: Audit, seams: Seams, counters: Arc<Counters>) -> Self {
        let Seams { clock, env, resolver, ids } = seams.clone();
        let me = ProcessId::new(ids());
        let azure = Azure::new(env, clock, resolver, ids, Arc::clone(&counters));
        Self { audit, me, azure, seams, counters }
    }

    /// The generation of a process that starts.
    pub(super) fn first(&self, config: Config) -> Result<Generation, BuildError> {
        let cache = self.cache(&config.cache);
        let Seams { clock, ids, .. } = &self.seams;
        let stores = IssueStores::new(clock, Arc::clone(ids), &self.counters);
        self.make(config, (cache, stores), &HashMap::new())
    }

    /// The generation after `current`: it takes over the cache, and each reader whose definition did not change.
    pub(super) fn next(&self, current: &Generation, config: Config) -> Result<Generation, BuildError> {
        // moka cannot be resized.
        let same_size = config.cache.max_bytes == current.config.cache.max_bytes;
        let cache = if same_size { current.broker.cache().clone() } else { self.cache(&config.cache) };
        let stores = current.broker.issuer().stores().clone();
        self.make(config, (cache, stores), &current.readers)
    }

    pub(super) fn cache<V: Weigh>(&self, config: &cache::Config) -> Cache<V> {
        let Seams { clock, ids, .. } = &self.seams;
        Cache::new(config, Arc::clone(clock), Arc::clone(ids), Arc::clone(&self.counters))
    }

    fn make(
        &self,
        config: Config,
        (cache, stores): (Cache<Judged>, IssueStores),
        known: &HashMap<Scope, Arc<Reader>>,
    ) -> Result<Generation, BuildError> {
        let (mut ordered, mut readers) = (Vec::with_capacity(config.sources.len()), HashMap::new());
        for source in &config.sources {
            let scope = scope(source, &config.identities);
            let reader = match known.get(&scope) {
                Some(reader) => Arc::clone(reader),
                None => Arc::new(self.reader(source, &config.identities, scope)?),
            };
            let different = config.source_times.get(&source.name).copied().unwrap_or_default();
            ordered.push(TimedReader { reader: Arc::clone(&reader), times: config.cache.times.with(different) });
            readers.insert(scope, reader);
        }
        let plans: Vec<_> =
            config.sources.iter().zip(&ordered).filter_map(|(source, timed)| plan(source, timed)).collect();
        let issuing = Issuing { maker: self, config: &config, readers: &ordered };
        let (connections, issuer) = (issuing.connections()?, issuing.issuer(stores)?);
        let routes = Routes::new(&config.routes, ordered)?;
        for (url, budget) in budgets(&config.sources) {
            self.azure.limit(url, budget);
        }
        for (reader, plan) in plans {
            reader.source().list_by(plan);
        }
        let rights = config.listeners.iter().map(|listener| (Arc::clone(&listener.name), listener.allow.clone()));
        let broker = Broker::new(
            Policy::new(rights),
            (connections, issuer),
            routes,
            cache,
            self.audit.clone(),
            Arc::clone(&self.seams.clock),
            Arc::clone(&self.counters),
        );
        let (broker, loaded_at, tending) = (Arc::new(broker), self.seams.clock.wall(), OnceLock::new());
        Ok(Generation { broker, config, loaded_at, readers, tending })
    }

    fn list_seams(&self) -> ListSeams {
        let Seams { clock, ids, .. } = &self.seams;
        ListSeams { clock: Arc::clone(clock), random: Arc::clone(ids), counters: Arc::clone(&self.counters) }
    }

    fn reader(&self, config: &SourceConfig, identities: &[IdentityConfig], scope: Scope) -> Result<Reader, Fault> {
        let name = config.name.clone();
        let source: Arc<dyn Source> = match &config.kind {
            SourceKind::Environment => Arc::new(EnvironmentSource::new(name, Arc::clone(&self.seams.env))),
            SourceKind::File(files) => Arc::new(FileSource::new(name, files)),
            SourceKind::KeyVault(vault) => {
                Arc::new(KeyVaultSource::build(name, vault, identities, &self.azure, self.list_seams())?)
            }
            SourceKind::Upstream(upstream) => {
                let seams = (Arc::clone(&self.seams.clock), Arc::clone(&self.seams.ids));
                Arc::new(UpstreamSource::build(name, upstream, self.me, &self.azure, seams)?)
            }
        };
        Ok(Reader::new(source, scope, Arc::clone(&self.seams.clock), Arc::clone(&self.counters)))
    }
}

/// Everything that decides what a source answers: its own definition, but for how often it is asked or listed, and that of the identity which it names.
fn scope(source: &SourceConfig, identities: &[IdentityConfig]) -> Scope {
    let mut source = source.clone();
    let identity = match &mut source.kind {
        SourceKind::KeyVault(vault) => {
            (vault.budget, vault.list) = (BudgetConfig::default(), None);
            identities.iter().find(|identity| identity.name == vault.identity)
        }
        SourceKind::Environment | SourceKind::File(_) | SourceKind::Upstream(_) => None,
    };
    Scope::of(&(&source, identity))
}

/// How a source's vault is listed; `None` where it has none.
fn plan(source: &SourceConfig, timed: &TimedReader) -> Option<(Arc<Reader>, Option<ListPlan>)> {
    let SourceKind::KeyVault(vault) = &source.kind else { return None };
    let plan = |list| ListPlan::new(list, timed.times.fresh, timed.times.not_found);
    Some((Arc::clone(&timed.reader), vault.list.as_ref().map(plan)))
}

/// How often each vault may be asked: where several sources name it, as often as the one of them that wants it least.
fn budgets(sources: &[SourceConfig]) -> HashMap<&Url, BudgetConfig> {
    let mut budgets = HashMap::new();
    for source in sources {
        if let SourceKind::KeyVault(vault) = &source.kind {
            let budget = budgets.entry(&vault.url).or_insert(vault.budget);
            *budget = budget.smaller(vault.budget);
        }
    }
    budgets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        azure::NetworkConfig,
        model::SourceName,
        source::{KeyVaultConfig, ListConfig, NamesConfig},
    };
    use std::time::Duration;

    fn source(name: &str, url: &str, requests: u32, per: u64) -> SourceConfig {
        let kind = SourceKind::KeyVault(KeyVaultConfig {
            url: url.parse().unwrap(),
            identity: "default".into(),
            names: NamesConfig::default(),
            network: NetworkConfig::default(),
            budget: BudgetConfig { requests, per: Duration::from_secs(per) },
            list: None,
        });
        SourceConfig { name: SourceName::new(name), kind }
    }

    #[test]
    fn sources_of_one_vault_share_the_budget_that_allows_least() {
        let sources = [
            source("a", "https://acme.vault.azure.net", 200, 10),
            source("b", "https://ACME.vault.azure.net:443/", 600, 60),
            source("c", "https://other.vault.azure.net", 300, 10),
            SourceConfig { name: SourceName::new("env"), kind: SourceKind::Environment },
        ];
        let acme = "https://acme.vault.azure.net".parse().unwrap();
        let other = "https://other.vault.azure.net".parse().unwrap();
        let budget = |requests, per| BudgetConfig { requests, per: Duration::from_secs(per) };
        assert_eq!(budgets(&sources), [(&acme, budget(600, 60)), (&other, budget(300, 10))].into());
    }

    #[test]
    fn another_budget_or_list_makes_no_other_source() {
        let scope_of = |requests| scope(&source("a", "https://acme.vault.azure.net", requests, 10), &[]);
        assert_eq!(scope_of(200), scope_of(1));
        let mut listed = source("a", "https://acme.vault.azure.net", 200, 10);
        if let SourceKind::KeyVault(vault) = &mut listed.kind {
            vault.list = Some(ListConfig::default());
        }
        assert_eq!(scope_of(200), scope(&listed, &[]));
        assert_ne!(scope_of(200), scope(&source("a", "https://other.vault.azure.net", 200, 10), &[]));
    }
}
