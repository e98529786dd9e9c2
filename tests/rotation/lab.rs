//! A broker over a vault and an Azure that a test holds in its hands, and a clock that stands still until it is moved.

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use valet::{
    audit::Audit,
    azure::{DelegationKeys, Error, NetworkConfig, Token, Tokens, UserDelegationKey},
    broker::{
        Account, AccountStatus, Broker, Brokered, Extra, ExtraValue, Field, GrantEntry, IssueStores, Issuer, Part,
        Reader, Referenced, Routes, TimedReader,
    },
    cache::{self, Cache, Scope, Times},
    clock::{Clock, ManualClock},
    mint::{
        AccountConfig, AccountKind, Delegation, EntraTokens, Grant, GrantConfig, GrantKind, Hook, ScopeConfig,
        StorageConfig, StorageService,
    },
    model::{
        Caller, Claims, Credential, Fault, FaultKind, Found, Kind, Lookup, Name, Origin, Rejection, Reported, Right,
        Secret, SourceName, Urgency, ValueDigest, Wanted,
    },
    policy::Policy,
    source::Source,
    telemetry::{Counter, Counters},
};

pub(crate) const KEY1: &str = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";
pub(crate) const KEY2: &str = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI=";
pub(crate) const KEY3: &str = "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=";
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// 2026-11-24T00:00:00Z.
pub(crate) fn midnight() -> SystemTime {
    SystemTime::UNIX_EPOCH + HOUR * 498_744
}

/// A vault that holds what the test put there.
#[derive(Debug)]
pub(crate) struct Shelf {
    name: SourceName,
    /// The versions of each name, oldest first; lookups go by `conn-NAME` and `var-NAME`.
    values: Mutex<BTreeMap<String, Vec<Found>>>,
    /// What keeps everything away.
    fault: Mutex<Option<FaultKind>>,
    /// What keeps versions before the latest away.
    list_fault: Mutex<Option<FaultKind>>,
    /// Whether nothing is answered at all.
    silent: AtomicBool,
    reads: AtomicU64,
    /// What it was told to have been refused.
    told: Mutex<Vec<(Lookup, Option<ValueDigest>)>>,
}

impl Shelf {
    fn latest(&self, name: &str) -> Result<Option<Found>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = *self.fault.lock().unwrap() {
            return Err(Fault::new(kind, "planted"));
        }
        Ok(self.values.lock().unwrap().get(name).and_then(|versions| versions.last().cloned()))
    }
}

#[async_trait]
impl Source for Shelf {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "shelf"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        lookup.to_string()
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        let prefix = if lookup.kind == Kind::Connection { "conn" } else { "var" };
        self.latest(&format!("{prefix}-{}", lookup.name))
    }

    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        if self.silent.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        self.latest(name.as_str())
    }

    async fn read_earlier(
        &self,
        name: &Name,
        version: &str,
        wanted: &Wanted,
        _: Urgency,
    ) -> Result<Option<Found>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(kind) = *self.list_fault.lock().unwrap() {
            return Err(Fault::new(kind, "planted"));
        }
        let values = self.values.lock().unwrap();
        let versions = values.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let mut earlier = versions.iter().rev().skip_while(|found| found.version.as_deref() != Some(version)).skip(1);
        Ok(earlier.find(|found| wanted(found)).cloned())
    }

    async fn rejected(&self, credential: &Credential, value: Option<&ValueDigest>) {
        let Credential::Connection(lookup) = credential else { return };
        self.told.lock().unwrap().push((lookup.clone(), value.cloned()));
    }
}

/// Entra, whose tokens live for an hour and are numbered.
#[derive(Debug)]
struct Entra(Arc<ManualClock>, AtomicU64);

#[async_trait]
impl Tokens for Entra {
    async fn lasting_token(&self, _: &str, _: Duration) -> Result<Token, Error> {
        let text = Secret::new(format!("token {}", self.1.load(Ordering::Relaxed)));
        Ok(Token { text, expires_at: self.0.wall() + HOUR })
    }

    fn reject(&self, token: &str) -> bool {
        let number = self.1.load(Ordering::Relaxed);
        self.1.store(number + u64::from(token == format!("token {number}")), Ordering::Relaxed);
        true
    }
}

/// Gives user delegation keys of 7 days, and counts them.
#[derive(Debug, Default)]
pub(crate) struct Giver(AtomicU64);

#[async_trait]
impl DelegationKeys for Giver {
    async fn delegation_key(&self, start: &str, expiry: &str) -> Result<UserDelegationKey, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(UserDelegationKey {
            oid: "o".to_owned(),
            tid: "t".to_owned(),
            start: start.to_owned(),
            expiry: expiry.to_owned(),
            service: "b".to_owned(),
            version: "2022-11-02".to_owned(),
            delegated_user_tid: None,
            value: Secret::new(KEY1),
        })
    }
}

pub(crate) struct Lab {
    pub(crate) broker: Broker,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) giver: Arc<Giver>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) counters: Arc<Counters>,
}

impl Lab {
    /// An account of the keys `a` and `b`, with the grants `read` and `delegated` of 12 h and at least 6 h, and `key`, which is the key itself.
    ///
    /// Brokered are `wasb` (carries `read`), `udk` (carries `delegated`), `pg` (refers to `pw`) and `db` (carries an Entra token). `sign` is a grant of
    /// signatures.
    pub(crate) fn new() -> Self {
        Self::with_keys(&["a", "b"])
    }

    /// The same, of an account with these keys.
    pub(crate) fn with_keys(keys: &[&str]) -> Self {
        let clock = Arc::new(ManualClock::new(midnight()));
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let counters = Arc::new(Counters::new());
        let (values, fault, list_fault, silent, reads, told) = Default::default();
        let shelf = Arc::new(Shelf { name: SourceName::new("vault"), values, fault, list_fault, silent, reads, told });
        let source = Arc::clone(&shelf) as Arc<dyn Source>;
        let reader = Reader::new(source, Scope::of(&"vault"), as_clock(), Arc::clone(&counters));
        let reader = TimedReader { reader: Arc::new(reader), times: Times::default() };
        let origin = |name: &str| Origin::Secret { source: SourceName::new("vault"), name: Name::parse(name).unwrap() };
        let reference = |name: &str| Referenced::of_source(origin(name), reader.clone(), Name::parse(name).unwrap());
        let storage = StorageConfig { account: "acme".into(), suffix: StorageConfig::SUFFIX.into(), endpoints: vec![] };
        let config = AccountConfig {
            name: "landing".into(),
            kind: AccountKind::Storage(storage),
            keys: keys.iter().map(|key| origin(key)).collect(),
            identity: "default".into(),
            network: NetworkConfig::default(),
        };
        let account = Arc::new(Account::new(config.clone(), keys.iter().map(|key| reference(key)).collect()));
        let giver = Arc::<Giver>::default();
        let grants = [
            ("read", GrantKind::ServiceSas),
            ("delegated", GrantKind::UserDelegationSas),
            ("key", GrantKind::AccountKey),
            ("sign", GrantKind::SharedKey),
        ];
        let grants = grants.map(|(name, kind)| GrantConfig {
            name: name.into(),
            account: "landing".into(),
            kind,
            scope: ScopeConfig {
                service: Some(StorageService::Blob),
                container: Some("raw".into()),
                permissions: Some("rl".into()),
                ..ScopeConfig::default()
            },
            lifetime: HOUR * 12,
            min_remaining: HOUR * 6,
        });
        let entry = |grant: &GrantConfig| {
            let delegation = (grant.kind == GrantKind::UserDelegationSas).then(|| {
                (Delegation::new(&config.name, Arc::clone(&giver) as Arc<dyn DelegationKeys>), Scope::of(&"giver"))
            });
            GrantEntry::new(Grant::new(grant, &config).unwrap(), Arc::clone(&account), delegation)
        };
        let carrying = |id: &str, grant: &GrantConfig| {
            let hook = Hook::of("wasb", grant, &config).unwrap();
            let (id, carried) = (Name::parse(id).unwrap(), Some((Arc::clone(&grant.name), hook)));
            Brokered::new(id, "wasb".to_owned(), carried, Vec::new(), None, Extra(Vec::new()))
        };
        let pg = Brokered::new(
            Name::parse("pg").unwrap(),
            "postgres".to_owned(),
            None,
            vec![(Field::Password, Part::Reference(reference("pw")))],
            None,
            Extra(vec![("app".to_owned(), ExtraValue::Part(Part::Literal(Secret::new("airflow"))))]),
        );
        let entra = Arc::new(Entra(Arc::clone(&clock), AtomicU64::default()));
        let entra = Part::Entra {
            tokens: EntraTokens::new("prod".into(), entra),
            scope: "ossrdbms".to_owned(),
            min_remaining: Duration::from_mins(5),
        };
        let (db, fields) = (Name::parse("db").unwrap(), vec![(Field::Password, entra)]);
        let db = Brokered::new(db, "postgres".to_owned(), None, fields, None, Extra(Vec::new()));
        let brokered = vec![carrying("wasb", &grants[0]), carrying("udk", &grants[1]), pg, db];
        let size = cache::Config::default();
        let stores = IssueStores::new(&as_clock(), Arc::new(|| 0), &counters);
        let entries = grants.iter().map(entry).collect();
        let issuer = Issuer::new(entries, vec![account], stores, as_clock(), Arc::clone(&counters));
        let rights = [Right::Connections, Right::Variables, Right::Tokens];
        let broker = Broker::new(
            Policy::new([
                ("tasks".into(), BTreeSet::from(rights)),
                ("admin".into(), BTreeSet::from([Right::Admin])),
                ("signatures".into(), BTreeSet::from([Right::Signatures])),
            ]),
            (brokered, issuer),
            Routes::new(&[], vec![reader]).unwrap(),
            Cache::new(&size, as_clock(), Arc::new(|| 0), Arc::clone(&counters)),
            Audit::off(as_clock(), Arc::clone(&counters)),
            as_clock(),
            Arc::clone(&counters),
        );
        let lab = Self { broker, shelf, giver, clock, counters };
        lab.put("pw", "s3cret");
        lab
    }

    /// Stores a version, made now.
    pub(crate) fn put(&self, name: &str, value: &str) {
        let mut values = self.shelf.values.lock().unwrap();
        let versions = values.entry(name.to_owned()).or_default();
        let version = format!("v{}", versions.len() + 1);
        let found = Found { version: Some(version.into()), created_at: Some(self.clock.wall()), ..Found::plain(value) };
        versions.push(found);
    }

    pub(crate) fn delete(&self, name: &str) {
        self.shelf.values.lock().unwrap().remove(name);
    }

    pub(crate) fn set_fault(&self, kind: Option<FaultKind>) {
        *self.shelf.fault.lock().unwrap() = kind;
    }

    /// From now on the vault answers nothing.
    pub(crate) fn silence(&self) {
        self.shelf.silent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_list_fault(&self, kind: Option<FaultKind>) {
        *self.shelf.list_fault.lock().unwrap() = kind;
    }

    /// What the vault was told to have been refused.
    pub(crate) fn told(&self) -> Vec<(Lookup, Option<ValueDigest>)> {
        self.shelf.told.lock().unwrap().clone()
    }

    /// How often the vault was read.
    pub(crate) fn reads(&self) -> u64 {
        self.shelf.reads.load(Ordering::Relaxed)
    }

    /// How many user delegation keys were given.
    pub(crate) fn given(&self) -> u64 {
        self.giver.0.load(Ordering::Relaxed)
    }

    pub(crate) fn counted(&self, counter: Counter) -> u64 {
        self.counters.get(counter)
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str, team: &str) -> Result<Option<String>, Fault> {
        let lookup = Lookup::parse(kind, name, team).unwrap();
        let answer = self.broker.lookup(&caller("tasks"), &lookup).await?;
        Ok(answer.map(|answer| answer.found.value.expose().to_owned()))
    }

    pub(crate) async fn connection(&self, id: &str) -> String {
        self.get(Kind::Connection, id, "").await.unwrap().unwrap()
    }

    /// The text of the key that signs.
    pub(crate) async fn signs(&self) -> Result<String, Fault> {
        let token = self.broker.issue_token(&caller("tasks"), &Name::parse("key").unwrap(), None).await?;
        Ok(token.unwrap().token.expose().to_owned())
    }

    pub(crate) fn account(&self) -> AccountStatus {
        self.broker.issuer().accounts().remove(0)
    }

    /// The fingerprint of the key that signed a token of `read`, and the token.
    pub(crate) async fn token(&self) -> (String, String) {
        let token =
            self.broker.issue_token(&caller("tasks"), &Name::parse("read").unwrap(), None).await.unwrap().unwrap();
        (token.fingerprint.unwrap().to_string(), token.token.expose().to_owned())
    }

    /// Reports a connection, or the value of one that was refused.
    pub(crate) async fn report(&self, conn_id: &str, value: Option<&str>) -> Result<Option<Reported>, Fault> {
        let lookup = Lookup::parse(Kind::Connection, conn_id, "").unwrap();
        self.report_of("tasks", Credential::Connection(lookup), value).await
    }

    pub(crate) async fn report_grant(&self, grant: &str) -> Result<Option<Reported>, Fault> {
        self.report_of("tasks", Credential::Grant(Name::parse(grant).unwrap()), None).await
    }

    pub(crate) async fn report_of(
        &self,
        listener: &str,
        of: Credential,
        value: Option<&str>,
    ) -> Result<Option<Reported>, Fault> {
        let value = value.map(|value| ValueDigest::of(&Secret::new(value)));
        self.broker.report_rejected(&caller(listener), &Rejection { of, value }).await
    }

    pub(crate) fn invalidate(&self, kind: Kind, name: &str, team: &str) -> Result<usize, Fault> {
        self.broker.invalidate(&caller("admin"), &Lookup::parse(kind, name, team).unwrap())
    }
}

pub(crate) fn caller(listener: &str) -> Caller {
    Caller { listener: listener.into(), peer: None, claims: Claims::default() }
}
