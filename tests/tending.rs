//! A source that tells by itself what became of what was read of it: what a broker does with that, over a source that a test holds in its hands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::sync::{
    Mutex as AsyncMutex,
    mpsc::{Receiver, Sender, channel},
};
use valet::{
    audit::Audit,
    azure::NetworkConfig,
    broker::{
        Account, Broker, Brokered, Extra, ExtraValue, GrantEntry, IssueStores, Issuer, Part, Reader, Referenced,
        Routes, TimedReader,
    },
    cache::{self, Cache, Scope, Times},
    clock::{Clock, ManualClock},
    mint::{AccountConfig, AccountKind, Grant, GrantConfig, GrantKind, ScopeConfig, StorageConfig, StorageService},
    model::{
        Caller, Claims, Fault, Found, Held, Kind, Lookup, Name, Origin, Review, Right, SourceName, State, Urgency,
    },
    policy::Policy,
    source::{Asked, News, Source},
    telemetry::{Counter, Counters},
};

const KEYS: [&str; 2] =
    ["MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=", "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="];

/// A vault whose values a test sets, that notes each read, and tells what the test lets it tell.
#[derive(Debug)]
struct Vault {
    name: SourceName,
    values: Mutex<BTreeMap<&'static str, &'static str>>,
    reads: Mutex<Vec<(String, Urgency)>>,
    news: AsyncMutex<Receiver<News>>,
    /// How many values were held when it was last asked for news.
    held: Mutex<Option<usize>>,
}

impl Vault {
    fn find(&self, name: &Name, urgency: Urgency) -> Option<Found> {
        self.reads.lock().unwrap().push((name.to_string(), urgency));
        self.values.lock().unwrap().get(name.as_str()).map(|value| Found::plain(*value))
    }
}

#[async_trait]
impl Source for Vault {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "vault"
    }

    fn is_local(&self) -> bool {
        false
    }

    fn location(&self, lookup: &Lookup) -> String {
        lookup.to_string()
    }

    async fn read(&self, lookup: &Lookup, urgency: Urgency) -> Result<Option<Found>, Fault> {
        Ok(self.find(&lookup.name, urgency))
    }

    async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault> {
        Ok(self.find(name, urgency))
    }

    async fn news(&self, held: &(dyn Fn() -> usize + Send + Sync)) -> News {
        *self.held.lock().unwrap() = Some(held());
        self.news.lock().await.recv().await.expect("the test holds the other end")
    }
}

struct Lab {
    broker: Arc<Broker>,
    vault: Arc<Vault>,
    tell: Sender<News>,
    clock: Arc<ManualClock>,
    counters: Arc<Counters>,
}

impl Lab {
    /// A broker over one vault, with a connection `wasb` that carries the key of an account (the secret `key`), and one, `pg`, whose extra has the
    /// secret `app`.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_hours(1000)));
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let counters = Arc::new(Counters::new());
        let (tell, news) = channel(1);
        let vault = Arc::new(Vault {
            name: SourceName::new("vault"),
            values: Mutex::new(BTreeMap::from([("key", KEYS[0]), ("app", "one"), ("plain", "a://one")])),
            reads: Mutex::default(),
            news: AsyncMutex::new(news),
            held: Mutex::default(),
        });
        let source = Arc::clone(&vault) as Arc<dyn Source>;
        let reader = Arc::new(Reader::new(source, Scope::of(&"vault"), as_clock(), Arc::clone(&counters)));
        let reader = TimedReader { reader, times: Times::default() };
        let origin = |name: &str| Origin::Secret { source: SourceName::new("vault"), name: Name::parse(name).unwrap() };
        let reference = |name: &str| Referenced::of_source(origin(name), reader.clone(), Name::parse(name).unwrap());
        let storage = StorageConfig { account: "acme".into(), suffix: StorageConfig::SUFFIX.into(), endpoints: vec![] };
        let account = AccountConfig {
            name: "landing".into(),
            kind: AccountKind::Storage(storage),
            keys: vec![origin("key")],
            identity: "default".into(),
            network: NetworkConfig::default(),
        };
        let (lifetime, name) = (Duration::from_hours(12), "read".into());
        let scope = ScopeConfig {
            service: Some(StorageService::Blob),
            container: Some("raw".into()),
            permissions: Some("r".into()),
            ..ScopeConfig::default()
        };
        let grant = GrantConfig {
            name,
            account: "landing".into(),
            kind: GrantKind::ServiceSas,
            scope,
            lifetime,
            min_remaining: lifetime / 2,
        };
        let grant = Grant::new(&grant, &account).unwrap();
        let account = Arc::new(Account::new(account, vec![reference("key")]));
        let entry = GrantEntry::new(grant, Arc::clone(&account), None);
        let config = cache::Config::default();
        let stores = IssueStores::new(&as_clock(), Arc::new(|| 0), &counters);
        let issuer = Issuer::new(vec![entry], vec![account], stores, as_clock(), Arc::clone(&counters));
        let extra = Extra(vec![("app".to_owned(), ExtraValue::Part(Part::Reference(reference("app"))))]);
        let pg = Brokered::new(Name::parse("pg").unwrap(), "postgres".to_owned(), None, Vec::new(), None, extra);
        let routes = Routes::new(&[], vec![reader]).unwrap();
        let values = Cache::new(&config, as_clock(), Arc::new(|| 0), Arc::clone(&counters));
        let policy = Policy::new([("tasks".into(), BTreeSet::from([Right::Connections, Right::Tokens]))]);
        let parts = (vec![pg], issuer);
        let audit = Audit::off(as_clock(), Arc::clone(&counters));
        let broker = Broker::new(policy, parts, routes, values, audit, as_clock(), Arc::clone(&counters));
        Self { broker: Arc::new(broker), vault, tell, clock, counters }
    }

    async fn get(&self, name: &str) -> (String, State) {
        let lookup = Lookup::parse(Kind::Connection, name, "").unwrap();
        let answer = self.broker.lookup(&caller(), &lookup).await.unwrap().unwrap();
        (answer.found.value.expose().to_owned(), answer.state)
    }

    async fn token(&self) -> String {
        let grant = Name::parse("read").unwrap();
        let token = self.broker.issue_token(&caller(), &grant, None).await.unwrap().unwrap();
        token.token.expose().to_owned()
    }

    /// Asks for the plain value, the referenced one and a token.
    async fn all(&self) -> [String; 3] {
        [self.get("plain").await.0, self.get("pg").await.0, self.token().await]
    }

    fn set(&self, name: &'static str, value: &'static str) {
        self.vault.values.lock().unwrap().insert(name, value);
    }

    /// The reads since it was asked last.
    fn reads(&self) -> Vec<(String, Urgency)> {
        let mut reads = std::mem::take(&mut *self.vault.reads.lock().unwrap());
        reads.sort_by(|one, other| one.0.cmp(&other.0));
        reads
    }

    /// Lets the source tell, and waits until the broker has taken it in and asks for more.
    async fn tell(&self, judge: impl Fn(&str, Held<'_>) -> Review + Send + Sync + 'static) {
        let by_name = move |asked: Asked<'_>, held: Held<'_>| match asked {
            Asked::Lookup(lookup) => judge(lookup.name.as_str(), held),
            Asked::Named(name) | Asked::Token(name) => judge(name.as_str(), held),
        };
        let news = News { as_of: self.clock.monotonic(), judge: Box::new(by_name) };
        let reader = &self.broker.readers()[0].reader;
        *self.vault.held.lock().unwrap() = None;
        self.tell.send(news).await.unwrap();
        let asked_again = async {
            // A poll that takes the news out of the channel takes them in too, and asks for more.
            while self.vault.held.lock().unwrap().is_none() || self.tell.capacity() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            never = self.broker.tend(reader) => match never {},
            () = asked_again => {}
        }
        // What is read again is read by tasks.
        while self.broker.cache().in_flight() + self.broker.issuer().stores().keys.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn caller() -> Caller {
    Caller { listener: "tasks".into(), peer: None, claims: Claims::default() }
}

#[tokio::test]
async fn what_a_source_confirms_is_not_read_again() {
    let lab = Lab::new();
    let first = lab.all().await;
    assert_eq!(lab.reads().len(), 3);
    for _ in 0..10 {
        lab.clock.advance(Duration::from_mins(2));
        lab.tell(|_, _| Review::Confirm).await;
        assert_eq!(lab.all().await, first);
    }
    assert_eq!(lab.reads(), []);
    assert_eq!(*lab.vault.held.lock().unwrap(), Some(3), "values, values of references and keys count");
    assert_eq!(lab.counters.get(Counter::ValuesConfirmed), 30);
}

#[tokio::test]
async fn what_a_source_says_to_have_changed_is_read_again_while_nobody_waits() {
    let lab = Lab::new();
    let [_, _, old_token] = lab.all().await;
    lab.reads();
    lab.set("plain", "a://two");
    lab.set("app", "two");
    lab.set("key", KEYS[1]);
    lab.clock.advance(Duration::from_secs(1));
    lab.tell(|_, _| Review::Doubt).await;
    let names = ["app", "key", "plain"].map(|name| (name.to_owned(), Urgency::Ahead));
    assert_eq!(lab.reads(), names);
    let [plain, pg, token] = lab.all().await;
    assert_eq!(plain, "a://two");
    assert!(pg.contains("two"), "{pg}");
    assert_ne!(token, old_token, "a token dies with its key");
    assert_eq!((lab.reads(), lab.counters.get(Counter::ValuesDoubted)), (vec![], 3));
}

#[tokio::test]
async fn news_of_one_name_touch_no_other() {
    let lab = Lab::new();
    lab.all().await;
    lab.reads();
    lab.tell(|name, _| if name == "app" { Review::Doubt } else { Review::Leave }).await;
    lab.all().await;
    assert_eq!(lab.reads(), [("app".to_owned(), Urgency::Ahead)]);
}
