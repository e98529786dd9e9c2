//! Tokens and signatures: which key of an account signs, which token is handed out again, until when a key must not be regenerated.
//! It never asks past a cache, but when a credential was reported as refused, and never composes a connection. [`super::Broker`] and its brokered connections call it.

mod account;
mod key_slot;
mod ledger;
mod rejections;
mod revoke;
mod status;
mod tend;
mod tokens;

pub use account::Account;
pub use ledger::Ledger;
pub(super) use rejections::Heeded;
pub use rejections::Rejections;
pub use status::{AccountStatus, KeyStatus};
pub use tokens::TokenCache;

use crate::{
    broker::RelayedToken,
    cache::{self, Cache, Hit, Key, Random, Scope, Times, Weigh},
    clock::Clock,
    mint::{Delegation, DelegationKey, Grant, GrantKind, Issued, RequestRefusal, StoredKey},
    model::{Fault, FaultKind, IssuedToken, Kind, Lookup, Name, SignableRequest, SignedRequest},
    telemetry::{Counter, Counters},
};
use status::As;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokens::token_key;

/// What issuing keeps, for the life of the process; shared by clones.
#[derive(Debug, Clone)]
pub struct IssueStores {
    /// Account keys that were read.
    pub keys: Cache<StoredKey>,
    /// User delegation keys.
    pub delegation: Cache<DelegationKey>,
    /// Tokens that were signed.
    pub tokens: TokenCache,
    /// Tokens that other Valets issued.
    pub relayed: Cache<RelayedToken>,
    /// Until when each key has tokens out.
    pub ledger: Arc<Ledger>,
    /// What was reported as refused; of connections that are stored whole too.
    pub rejections: Arc<Rejections>,
}

/// Most memory for the keys of accounts, for user delegation keys and for the tokens of other Valets, in bytes each: some thousands of them.
const MOST_BYTES: u64 = 4 << 20;

impl IssueStores {
    /// Empty, for a process that starts now.
    pub fn new(clock: &Arc<dyn Clock>, random: Random, counters: &Arc<Counters>) -> Self {
        fn cache<V: Weigh>(clock: &Arc<dyn Clock>, random: Random, counters: &Arc<Counters>) -> Cache<V> {
            let config = cache::Config { max_bytes: MOST_BYTES, ..cache::Config::default() };
            Cache::new(&config, Arc::clone(clock), random, Arc::clone(counters))
        }
        Self {
            keys: cache(clock, Arc::clone(&random), counters),
            delegation: cache(clock, Arc::clone(&random), counters),
            tokens: TokenCache::default(),
            relayed: cache(clock, random, counters),
            ledger: Arc::new(Ledger::new(clock.wall())),
            rejections: Arc::default(),
        }
    }
}

/// A grant with who signs for it.
#[derive(Debug)]
pub struct GrantEntry {
    grant: Grant,
    account: Arc<Account>,
    /// Who gives user delegation keys, and under which key they are kept; for grants that are signed with such.
    delegation: Option<(Delegation, Key)>,
    /// The definitions of grant and account.
    scope: Scope,
    /// The account's name.
    name: Name,
}

impl GrantEntry {
    /// A grant of this account; `delegation` gives user delegation keys, and its scope stands for everything that decides which ones.
    pub fn new(grant: Grant, account: Arc<Account>, delegation: Option<(Delegation, Scope)>) -> Self {
        let scope = Scope::of(&(&grant.config, account.config()));
        let name = Name::parse(account.name()).expect("a name in valet.yaml has 1 to 64 letters, digits, `_` and `-`");
        let lookup = Lookup { kind: Kind::Variable, name: name.clone(), team: None };
        let delegation = delegation.map(|(delegation, scope)| (delegation, Key { scope, lookup }));
        Self { grant, account, delegation, scope, name }
    }

    fn fault(&self, kind: FaultKind, why: impl std::fmt::Display) -> Fault {
        Fault::new(kind, format!("grant {:?}: {why}", &*self.grant.config.name))
    }
}

/// A token with how sure it is.
#[derive(Debug, Clone)]
pub(super) struct Vended {
    pub(super) issued: Arc<Issued>,
    /// The shared access policy that came with the key.
    pub(super) policy: Option<String>,
    /// Time since the key was read.
    pub(super) age: Duration,
    /// Until when the same token is handed out without asking anybody.
    pub(super) fresh_until: SystemTime,
    pub(super) state: crate::model::State,
}

/// Hands out tokens and signatures of the grants of one configuration.
#[derive(Debug)]
pub struct Issuer {
    grants: HashMap<Arc<str>, GrantEntry>,
    accounts: Vec<Arc<Account>>,
    stores: IssueStores,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

/// How long a user delegation key is used before another one is asked for, though it lives for 7 days: so Azure has most of those to be well again.
const DELEGATION_KEY_FRESH: Duration = Duration::from_hours(24);

impl Issuer {
    /// Hands out what these grants allow.
    pub fn new(
        grants: Vec<GrantEntry>,
        accounts: Vec<Arc<Account>>,
        stores: IssueStores,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Self {
        let grants = grants.into_iter().map(|entry| (Arc::clone(&entry.grant.config.name), entry)).collect();
        Self { grants, accounts, stores, clock, counters }
    }

    /// What it keeps, for the next configuration's.
    pub fn stores(&self) -> &IssueStores {
        &self.stores
    }

    /// What is known of the accounts.
    pub fn accounts(&self) -> Vec<AccountStatus> {
        let status = |account: &Arc<Account>| {
            let grants = || self.grants.values().filter(|entry| Arc::ptr_eq(&entry.account, account));
            let signed = grants().filter(|entry| entry.delegation.is_none()).map(|entry| entry.grant.config.lifetime);
            let hands_out_key = grants().any(|entry| entry.grant.config.kind == GrantKind::AccountKey);
            let (longest, now) = (signed.max().unwrap_or_default(), (self.clock.monotonic(), self.clock.wall()));
            account.status(&As { stores: &self.stores, longest, hands_out_key, now })
        };
        self.accounts.iter().map(status).collect()
    }

    /// A token of a grant with `at_least` so much life left, or the grant's own `min_remaining`; `None` where there is no such grant.
    ///
    /// # Errors
    /// Whatever keeps the key away; [`FaultKind::OutOfRange`] where no token of this grant lives so long.
    pub async fn token(&self, grant: &str, at_least: Option<Duration>) -> Result<Option<IssuedToken>, Fault> {
        let Some(entry) = self.grants.get(grant) else { return Ok(None) };
        let issued = self.vend(entry, at_least).await?.issued;
        Ok(Some(IssuedToken {
            token: issued.token.clone(),
            expires_at: issued.expires_at,
            renewed_at: issued.expires_at.and_then(|end| end.checked_sub(entry.grant.config.min_remaining)),
            fingerprint: issued.fingerprint.as_ref().map(|fingerprint| fingerprint.as_str().into()),
            account: Arc::clone(entry.account.name()),
        }))
    }

    /// The same for a connection that carries the token.
    pub(super) async fn carried(&self, grant: &str) -> Result<Vended, Fault> {
        let unknown = || Fault::new(FaultKind::Internal, "a connection's grant is not known");
        self.vend(self.grants.get(grant).ok_or_else(unknown)?, None).await
    }

    /// Signs a request that lies within a grant; `None` where there is no such grant.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`] for what the grant does not allow, [`FaultKind::BadRequest`] for what is no request; whatever keeps the key away.
    pub async fn sign_request(&self, grant: &str, request: &SignableRequest) -> Result<Option<SignedRequest>, Fault> {
        let Some(entry) = self.grants.get(grant) else { return Ok(None) };
        let Some(scope) = entry.grant.requests() else {
            let why = "it hands out tokens; requests are signed by grants of kind shared-key";
            return Err(entry.fault(FaultKind::BadRequest, why));
        };
        let key = entry.account.signing_key(&self.stores, self.clock.monotonic()).await?.value;
        let SignableRequest { method, url, headers } = request;
        let signed = scope.sign(&key, method, url, headers, self.clock.wall()).map_err(|refusal| match refusal {
            RequestRefusal::Malformed(why) => entry.fault(FaultKind::BadRequest, why),
            RequestRefusal::Outside(why) => entry.fault(FaultKind::DeniedByPolicy, why),
            RequestRefusal::BadKey(why) => entry.fault(FaultKind::BadKey, why),
        })?;
        self.counters.count(Counter::RequestsSigned);
        Ok(Some(SignedRequest {
            authorization: signed.authorization,
            x_ms_date: signed.x_ms_date,
            fingerprint: key.fingerprint.as_str().into(),
            account: Arc::clone(entry.account.name()),
        }))
    }

    async fn vend(&self, entry: &GrantEntry, at_least: Option<Duration>) -> Result<Vended, Fault> {
        let config = &entry.grant.config;
        let at_least = at_least.unwrap_or(config.min_remaining);
        if at_least > config.lifetime {
            let why = format!(
                "its tokens live for {} s, and {} s are asked for",
                config.lifetime.as_secs(),
                at_least.as_secs()
            );
            return Err(entry.fault(FaultKind::OutOfRange, why));
        }
        match &entry.delegation {
            Some((delegation, key)) => self.vend_delegated(entry, delegation, key, at_least).await,
            None => self.vend_signed(entry, at_least).await,
        }
    }

    async fn vend_signed(&self, entry: &GrantEntry, at_least: Duration) -> Result<Vended, Fault> {
        let key = entry.account.signing_key(&self.stores, self.clock.monotonic()).await?;
        let now = self.clock.wall();
        let token_key = token_key(entry.scope, &entry.name, Some(&key.value.fingerprint));
        let sign = || {
            self.counters.count(Counter::TokensSigned);
            entry.grant.issue(&key.value, now)
        };
        let issued = self.stores.tokens.get_or_sign(&token_key, at_least, now, sign);
        let issued = issued.map_err(|bad| entry.fault(FaultKind::BadKey, bad))?;
        if let (Some(end), true) = (issued.expires_at, issued.made_at == now) {
            self.stores.ledger.note(entry.account.name(), &key.value.fingerprint, end, now);
        }
        let policy = key.value.policy.clone();
        vended(entry, issued, at_least, now).map(|vended| Vended {
            policy,
            age: key.age,
            fresh_until: vended.fresh_until.min(key.fresh_until),
            state: key.state,
            ..vended
        })
    }

    async fn vend_delegated(
        &self,
        entry: &GrantEntry,
        delegation: &Delegation,
        key: &Key,
        at_least: Duration,
    ) -> Result<Vended, Fault> {
        let now = self.clock.wall();
        let token_key = token_key(entry.scope, &entry.name, None);
        if let Some(issued) = self.stores.tokens.get(&token_key, at_least, now) {
            return vended(entry, issued, at_least, now);
        }
        let hit = self.delegation_key(entry, delegation, key, None).await?;
        let now = self.clock.wall();
        let too_short = || {
            entry.fault(
                FaultKind::OutOfRange,
                "the user delegation key that Azure gave ends before the token would; shorten `lifetime`",
            )
        };
        let sign = || {
            self.counters.count(Counter::TokensSigned);
            let issued = entry.grant.issue_delegated(&hit.value, now);
            issued.map_err(|bad| entry.fault(FaultKind::BadKey, bad))?.ok_or_else(too_short)
        };
        let issued = self.stores.tokens.get_or_sign(&token_key, at_least, now, sign)?;
        vended(entry, issued, at_least, now)
    }

    /// The user delegation key that signs for a grant, believing none that is older than `at_most` where that is given and another can be had.
    async fn delegation_key(
        &self,
        entry: &GrantEntry,
        delegation: &Delegation,
        key: &Key,
        at_most: Option<Duration>,
    ) -> Result<Hit<DelegationKey>, Fault> {
        // As long as the key can sign a token of the whole lifetime.
        let good_for = entry.grant.delegation_key_serves();
        let times = Times { fresh: good_for.min(DELEGATION_KEY_FRESH), stale: good_for, not_found: Duration::ZERO };
        let times = at_most.map_or(times, |age| times.no_older_than(age));
        let fetch = || {
            let (delegation, clock) = (delegation.clone(), Arc::clone(&self.clock));
            move |_| {
                let (delegation, clock) = (delegation.clone(), Arc::clone(&clock));
                async move { delegation.key(clock.wall()).await.map(Some) }
            }
        };
        let hit = self.stores.delegation.get(key, times, fetch).await?;
        hit.ok_or_else(|| entry.fault(FaultKind::Internal, "no user delegation key"))
    }
}

/// A token of a key that nobody needs to be asked for again.
fn vended(entry: &GrantEntry, issued: Arc<Issued>, at_least: Duration, now: SystemTime) -> Result<Vended, Fault> {
    if !issued.lasts(at_least, now) {
        let why = format!(
            "no token of it has {} s of life: Azure counts the 15 minutes before its start too",
            at_least.as_secs()
        );
        return Err(entry.fault(FaultKind::OutOfRange, why));
    }
    let renewed = issued.expires_at.and_then(|end| end.checked_sub(entry.grant.config.min_remaining));
    // A key that is handed out is as fresh as it was read.
    let fresh_until = renewed.unwrap_or(now + Duration::from_hours(24 * 365)).max(now);
    let state = crate::model::State::Fresh;
    Ok(Vended { issued, policy: None, age: Duration::ZERO, fresh_until, state })
}
