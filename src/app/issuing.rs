use super::{BuildError, generation::Maker};
use crate::{
    azure::IdentityConfig,
    broker::{
        Account, Brokered, ConnectionConfig, Extra, ExtraConfig, ExtraValue, GrantEntry, IssueStores, Issuer, Part,
        PartConfig, Referenced, TimedReader,
    },
    cache::Scope,
    config::Config,
    mint::{AccountConfig, AccountKind, Delegation, EntraTokens, Grant, GrantConfig, GrantKind, Hook},
    model::{Fault, FaultKind, Origin, Secret},
    source::LocalValue,
};
use std::sync::Arc;

/// What accounts, grants and brokered connections of one configuration are made of: the readers and identities that they name.
pub(super) struct Issuing<'a> {
    pub(super) maker: &'a Maker,
    pub(super) config: &'a Config,
    pub(super) readers: &'a [TimedReader],
}

impl Issuing<'_> {
    /// Who hands out tokens and signatures.
    pub(super) fn issuer(&self, stores: IssueStores) -> Result<Issuer, BuildError> {
        let account = |config: &AccountConfig| {
            let keys = config.keys.iter().map(|origin| self.reference(origin)).collect::<Result<_, _>>()?;
            Ok::<_, Fault>(Arc::new(Account::new(config.clone(), keys)))
        };
        let accounts: Vec<_> = self.config.accounts.iter().map(account).collect::<Result<_, _>>()?;
        let entry = |config: &GrantConfig| {
            let (account_config, account) = self
                .config
                .accounts
                .iter()
                .zip(&accounts)
                .find(|(account, _)| account.name == config.account)
                .ok_or_else(|| unknown("account", &config.account))?;
            let grant = Grant::new(config, account_config).map_err(|bad| {
                let message = format!("grants.{}.{}: {}", config.name, bad.field, bad.problem);
                Fault::new(FaultKind::BadConfig, message)
            })?;
            let delegation = self.delegation(config, account_config)?;
            Ok::<_, Fault>(GrantEntry::new(grant, Arc::clone(account), delegation))
        };
        let grants = self.config.grants.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let (clock, counters) = (Arc::clone(&self.maker.seams.clock), Arc::clone(&self.maker.counters));
        Ok(Issuer::new(grants, accounts, stores, clock, counters))
    }

    /// The brokered connections.
    pub(super) fn connections(&self) -> Result<Vec<Brokered>, BuildError> {
        self.config.connections.iter().map(|config| self.connection(config).map_err(BuildError::from)).collect()
    }

    fn connection(&self, config: &ConnectionConfig) -> Result<Brokered, Fault> {
        let grant = match &config.grant {
            Some(name) => Some((Arc::clone(name), self.hook(&config.conn_type, name)?)),
            None => None,
        };
        let fields = config.fields.iter().map(|(field, part)| Ok((*field, self.part(part)?)));
        let fields = fields.collect::<Result<_, Fault>>()?;
        let extra = self.named_values(&config.extra)?;
        Ok(Brokered::new(config.id.clone(), config.conn_type.clone(), grant, fields, config.port, Extra(extra)))
    }

    fn hook(&self, conn_type: &str, name: &Arc<str>) -> Result<Hook, Fault> {
        let grant =
            self.config.grants.iter().find(|grant| grant.name == *name).ok_or_else(|| unknown("grant", name))?;
        let account = self.config.accounts.iter().find(|account| account.name == grant.account);
        let account = account.ok_or_else(|| unknown("account", &grant.account))?;
        Hook::of(conn_type, grant, account).map_err(|problem| Fault::new(FaultKind::BadConfig, problem))
    }

    fn named_values(&self, values: &[(String, ExtraConfig)]) -> Result<Vec<(String, ExtraValue)>, Fault> {
        values.iter().map(|(key, value)| Ok((key.clone(), self.value(value)?))).collect()
    }

    fn value(&self, value: &ExtraConfig) -> Result<ExtraValue, Fault> {
        Ok(match value {
            ExtraConfig::Null => ExtraValue::Plain(serde_json::Value::Null),
            ExtraConfig::Bool(value) => ExtraValue::Plain((*value).into()),
            ExtraConfig::Number(number) => ExtraValue::Plain(number.clone().into()),
            ExtraConfig::Part(part) => ExtraValue::Part(self.part(part)?),
            ExtraConfig::List(values) => {
                ExtraValue::List(values.iter().map(|value| self.value(value)).collect::<Result<_, _>>()?)
            }
            ExtraConfig::Map(values) => ExtraValue::Map(self.named_values(values)?),
        })
    }

    fn part(&self, part: &PartConfig) -> Result<Part, Fault> {
        Ok(match part {
            PartConfig::Literal(text) => Part::Literal(Secret::new(text.as_str())),
            PartConfig::Origin(origin) => Part::Reference(self.reference(origin)?),
            PartConfig::Grant(grant) => Part::Grant(Arc::clone(grant)),
            PartConfig::EntraToken(config) => Part::Entra {
                tokens: EntraTokens::build(self.identity(&config.identity)?, &self.maker.azure)?,
                scope: config.scope.clone(),
                min_remaining: config.min_remaining,
            },
        })
    }

    fn reference(&self, origin: &Origin) -> Result<Referenced, Fault> {
        match origin {
            Origin::Secret { source, name } => {
                let reader = self.readers.iter().find(|known| known.reader.source().name() == source);
                let reader = reader.ok_or_else(|| unknown("source", source.as_str()))?;
                Ok(Referenced::of_source(origin.clone(), reader.clone(), name.clone()))
            }
            Origin::Local(reference) => {
                let value = LocalValue::new(reference.clone(), Arc::clone(&self.maker.seams.env));
                Ok(Referenced::local(origin.clone(), value))
            }
        }
    }

    fn delegation(&self, grant: &GrantConfig, account: &AccountConfig) -> Result<Option<(Delegation, Scope)>, Fault> {
        let (GrantKind::UserDelegationSas, AccountKind::Storage(storage), Some(service)) =
            (grant.kind, &account.kind, grant.scope.service)
        else {
            return Ok(None);
        };
        // Data Lake Storage is the same service as Blob Storage here, and its keys come from there.
        let service = service.of_delegation_key();
        let identity = self.identity(&account.identity)?;
        let endpoint = storage.endpoint(service);
        let delegation =
            Delegation::build(&account.name, (service, &endpoint), identity, &account.network, &self.maker.azure)?;
        let scope = Scope::of(&("delegation", service, endpoint, identity, &account.network));
        Ok(Some((delegation, scope)))
    }

    fn identity(&self, name: &Arc<str>) -> Result<&IdentityConfig, Fault> {
        let identity = self.config.identities.iter().find(|identity| identity.name == *name);
        identity.ok_or_else(|| unknown("identity", name))
    }
}

/// A sound configuration names nothing that is not there.
fn unknown(what: &str, name: &str) -> Fault {
    Fault::new(FaultKind::BadConfig, format!("there is no {what} {name:?}"))
}
