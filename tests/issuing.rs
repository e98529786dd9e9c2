//! Tokens of grants over a source that a test holds in its hands: which key signs, which token is handed out again, when a key may go.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use async_trait::async_trait;
use futures::future::join_all;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use valet::{
    azure::{DelegationKeys, Error, NetworkConfig, UserDelegationKey},
    broker::{Account, GrantEntry, IssueStores, Issuer, Reader, Referenced, TimedReader},
    cache::{self, Scope, Times},
    clock::{Clock, ManualClock},
    mint::{
        AccountConfig, AccountKind, Delegation, Grant, GrantConfig, GrantKind, ScopeConfig, StorageConfig,
        StorageService,
    },
    model::{Fault, FaultKind, Found, IssuedToken, Lookup, Name, Origin, Secret, SourceName, Urgency},
    source::Source,
    telemetry::Counters,
};

const KEY1: &str = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";
const KEY2: &str = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI=";
const KEY3: &str = "MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=";
const HOUR: Duration = Duration::from_hours(1);

/// A value and when it was made, or what keeps it away.
type Planted = Result<(&'static str, SystemTime), FaultKind>;

/// A vault that holds what the test put there.
#[derive(Debug)]
struct Shelf {
    name: SourceName,
    values: Mutex<BTreeMap<&'static str, Planted>>,
    reads: AtomicU64,
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

    async fn read(&self, _: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        Ok(None)
    }

    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match self.values.lock().unwrap().get(name.as_str()) {
            None => Ok(None),
            Some(Ok((value, created))) => Ok(Some(Found { created_at: Some(*created), ..Found::plain(*value) })),
            Some(Err(kind)) => Err(Fault::new(*kind, "planted")),
        }
    }
}

/// Gives keys of 7 days, and counts them.
#[derive(Debug, Default)]
struct Giver(AtomicU64);

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

struct Lab {
    issuer: Issuer,
    shelf: Arc<Shelf>,
    giver: Arc<Giver>,
    clock: Arc<ManualClock>,
}

/// 2026-11-24T00:00:00Z.
fn midnight() -> SystemTime {
    SystemTime::UNIX_EPOCH + HOUR * 498_744
}

impl Lab {
    /// An account with the keys `a` and `b`, and a grant of each kind, of 12 h and at least 6 h.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(midnight()));
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let counters = Arc::new(Counters::new());
        let (values, reads) = Default::default();
        let shelf = Arc::new(Shelf { name: SourceName::new("vault"), values, reads });
        let reader =
            Reader::new(Arc::clone(&shelf) as Arc<dyn Source>, Scope::of(&"vault"), as_clock(), Arc::clone(&counters));
        let reader = TimedReader { reader: Arc::new(reader), times: Times::default() };
        let storage = StorageConfig { account: "acme".into(), suffix: StorageConfig::SUFFIX.into(), endpoints: vec![] };
        let origin = |name: &str| Origin::Secret { source: SourceName::new("vault"), name: Name::parse(name).unwrap() };
        let config = AccountConfig {
            name: "landing".into(),
            kind: AccountKind::Storage(storage),
            keys: vec![origin("a"), origin("b")],
            identity: "default".into(),
            network: NetworkConfig::default(),
        };
        let reference = |name: &str| Referenced::of_source(origin(name), reader.clone(), Name::parse(name).unwrap());
        let account = Arc::new(Account::new(config.clone(), vec![reference("a"), reference("b")]));
        let giver = Arc::<Giver>::default();
        let entry = |name: &str, kind, lifetime| {
            let scope = ScopeConfig {
                service: Some(StorageService::Blob),
                container: Some("raw".into()),
                permissions: Some("rl".into()),
                ..ScopeConfig::default()
            };
            let (name, of) = (name.into(), "landing".into());
            let config_of = GrantConfig { name, account: of, kind, scope, lifetime, min_remaining: lifetime / 2 };
            let delegation = (kind == GrantKind::UserDelegationSas).then(|| {
                (Delegation::new(&config.name, Arc::clone(&giver) as Arc<dyn DelegationKeys>), Scope::of(&"giver"))
            });
            GrantEntry::new(Grant::new(&config_of, &config).unwrap(), Arc::clone(&account), delegation)
        };
        let grants = vec![
            entry("read", GrantKind::ServiceSas, HOUR * 12),
            entry("delegated", GrantKind::UserDelegationSas, HOUR * 12),
            entry("week", GrantKind::UserDelegationSas, HOUR * 24 * 7),
            entry("key", GrantKind::AccountKey, HOUR * 12),
        ];
        let _cache = cache::Config::default();
        let stores = IssueStores::new(&as_clock(), Arc::new(|| 0), &counters);
        let issuer = Issuer::new(grants, vec![account], stores, as_clock(), counters);
        Self { issuer, shelf, giver, clock }
    }

    /// Puts a value there that was made so many hours before midnight.
    fn put(&self, name: &'static str, value: &'static str, hours_ago: u32) {
        self.shelf.values.lock().unwrap().insert(name, Ok((value, midnight() - HOUR * hours_ago)));
    }

    fn break_it(&self, name: &'static str, kind: FaultKind) {
        self.shelf.values.lock().unwrap().insert(name, Err(kind));
    }

    async fn token(&self, grant: &str) -> Result<IssuedToken, Fault> {
        self.issuer.token(grant, None).await.map(|token| token.expect("the grant is there"))
    }

    /// The text of the key that signs.
    async fn signs(&self) -> Result<String, Fault> {
        self.token("key").await.map(|key| key.token.expose().to_owned())
    }
}

#[tokio::test]
async fn the_newest_key_signs_and_of_two_as_new_the_first() {
    let lab = Lab::new();
    lab.put("a", KEY1, 2);
    lab.put("b", KEY2, 1);
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    lab.put("b", KEY2, 1);
    assert_eq!(lab.signs().await.unwrap(), KEY1);
}

#[tokio::test]
async fn one_key_that_cannot_be_had_leaves_the_other() {
    let lab = Lab::new();
    lab.put("b", KEY2, 9);
    assert_eq!(lab.signs().await.unwrap(), KEY2, "a is not there");
    for kind in [FaultKind::DeniedBySource, FaultKind::Throttled] {
        let lab = Lab::new();
        lab.break_it("a", kind);
        lab.put("b", KEY2, 9);
        assert_eq!(lab.signs().await.unwrap(), KEY2, "{kind:?}");
    }
    let lab = Lab::new();
    lab.put("a", "no key", 1);
    lab.put("b", KEY2, 9);
    assert_eq!(lab.signs().await.unwrap(), KEY2, "a is none");
}

#[tokio::test(start_paused = true)]
async fn without_any_key_the_fault_says_what_is_wrong_with_each() {
    let lab = Lab::new();
    lab.put("a", "no key", 1);
    let fault = lab.token("read").await.unwrap_err();
    let expected = "account \"landing\", key {secret: vault/a}: key is not base64: give the key as Azure shows it; \
                    account \"landing\", key {secret: vault/b}: it is not there, or disabled; store the account's key there";
    assert_eq!((fault.kind(), fault.message()), (FaultKind::BadKey, expected));

    let lab = Lab::new();
    lab.put("a", "no key", 1);
    lab.break_it("b", FaultKind::DeniedBySource);
    assert_eq!(lab.token("read").await.unwrap_err().kind(), FaultKind::DeniedBySource);

    let lab = Lab::new();
    lab.break_it("a", FaultKind::DeniedBySource);
    lab.break_it("b", FaultKind::SourceDown);
    assert_eq!(lab.token("read").await.unwrap_err().kind(), FaultKind::SourceDown, "it may come back");
}

#[tokio::test]
async fn all_who_ask_get_the_same_token_until_it_must_be_renewed() {
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    let tokens = join_all((0..100).map(|_| lab.token("read"))).await;
    let first = tokens[0].clone().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref() == Ok(&first)));
    assert_eq!(lab.shelf.reads.load(Ordering::Relaxed), 2, "each key once");
    assert_eq!(first.expires_at, Some(midnight() + HOUR * 12));

    lab.clock.advance(HOUR * 6);
    assert_eq!(lab.token("read").await.unwrap(), first, "6 h are left");
    lab.clock.advance(Duration::from_secs(1));
    let second = lab.token("read").await.unwrap();
    assert_eq!(second.expires_at, Some(midnight() + HOUR * 18 + Duration::from_secs(1)));
    assert_eq!(second.fingerprint, first.fingerprint);
}

#[tokio::test]
async fn a_token_dies_with_its_key() {
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    let first = lab.token("read").await.unwrap();
    lab.put("a", KEY3, 0);
    assert_eq!(lab.token("read").await.unwrap(), first, "nobody can know yet");
    lab.clock.advance(Duration::from_mins(6));
    let second = lab.token("read").await.unwrap();
    assert_ne!(second.fingerprint, first.fingerprint);
    assert_ne!(second.token, first.token);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_read_again_goes_on_signing() {
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    let first = lab.token("read").await.unwrap();
    lab.break_it("a", FaultKind::SourceDown);
    lab.break_it("b", FaultKind::SourceDown);
    lab.clock.advance(HOUR * 24 * 30);
    let later = lab.token("read").await.unwrap();
    assert_eq!(later.fingerprint, first.fingerprint);
    assert_eq!(later.expires_at, Some(midnight() + HOUR * (24 * 30 + 12)));

    lab.break_it("a", FaultKind::DeniedBySource);
    lab.clock.advance(Duration::from_mins(6));
    assert_eq!(lab.token("read").await.unwrap_err().kind(), FaultKind::SourceDown, "a refusal counts at once");
}

#[tokio::test]
async fn more_life_than_a_grant_gives_is_out_of_range_and_less_is_given() {
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    let asked = |at_least| lab.issuer.token("read", Some(at_least));
    let fault = asked(HOUR * 12 + Duration::from_secs(1)).await.unwrap_err();
    let expected = "grant \"read\": its tokens live for 43200 s, and 43201 s are asked for";
    assert_eq!((fault.kind(), fault.message()), (FaultKind::OutOfRange, expected));
    let first = asked(HOUR).await.unwrap().unwrap();
    lab.clock.advance(HOUR * 8);
    assert_eq!(asked(HOUR * 2).await.unwrap().unwrap(), first, "4 h are left");
    let second = asked(HOUR * 12).await.unwrap().unwrap();
    assert_eq!(second.expires_at, Some(midnight() + HOUR * 20));
    assert_eq!(lab.token("read").await.unwrap(), second, "whoever comes next has it too");
    assert_eq!(lab.issuer.token("nobody's", None).await, Ok(None));
}

#[tokio::test]
async fn a_user_delegation_key_signs_for_a_day_and_needs_no_account_key() {
    let lab = Lab::new();
    let given = || lab.giver.0.load(Ordering::Relaxed);
    let first = lab.token("delegated").await.unwrap();
    assert_eq!((first.fingerprint.clone(), first.expires_at), (None, Some(midnight() + HOUR * 12)));
    assert_eq!(lab.token("delegated").await.unwrap(), first);
    lab.clock.advance(HOUR * 7);
    assert_ne!(lab.token("delegated").await.unwrap(), first);
    assert_eq!(given(), 1);
    lab.clock.advance(HOUR * 24);
    lab.token("delegated").await.unwrap();
    assert_eq!(given(), 2);
    assert_eq!(lab.shelf.reads.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_token_of_seven_days_gets_a_key_of_its_own_and_ends_with_it() {
    let lab = Lab::new();
    lab.token("delegated").await.unwrap();
    lab.clock.advance(HOUR);
    let week = lab.token("week").await.unwrap();
    // Azure counts the 7 days from the start, which is 15 minutes back.
    assert_eq!(week.expires_at, Some(midnight() + HOUR + HOUR * 24 * 7 - Duration::from_mins(15)));
    assert_eq!(lab.giver.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_key_is_safe_to_regenerate_when_its_last_token_has_ended() {
    let lab = Lab::new();
    lab.put("a", KEY1, 1);
    let status = || lab.issuer.accounts().remove(0).keys;
    assert_eq!((status()[0].fingerprint.clone(), status()[0].safe_to_regenerate_after), (None, None));
    lab.clock.advance(HOUR);
    lab.token("read").await.unwrap();
    let keys = status();
    assert_eq!(keys[0].reference, "{secret: vault/a}");
    assert!(keys[0].signs && keys[0].fault.is_none());
    // The grant `key` hands the key itself out, so nobody can say when it is not used any more.
    assert_eq!(keys[0].safe_to_regenerate_after, None);
    assert_eq!((keys[1].signs, keys[1].fault), (false, Some(FaultKind::BadKey)));
}
