//! Brokered connections through a broker: what is put together of what is written, what is referenced and what Entra gives.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use valet::{
    audit::Audit,
    azure::{Error, Token, Tokens},
    broker::{
        Broker, Brokered, Extra, ExtraValue, Field, IssueStores, Issuer, Part, Reader, Referenced, Routes, TimedReader,
    },
    cache::{self, Cache, Scope, Times},
    clock::{Clock, ManualClock},
    mint::EntraTokens,
    model::{
        Answer, Caller, Claims, Fault, FaultKind, Found, Kind, Lookup, Name, Origin, Right, Secret, SourceName, State,
        Urgency,
    },
    policy::Policy,
    source::Source,
    telemetry::Counters,
};

const MINUTE: Duration = Duration::from_mins(1);

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + MINUTE * 30_000_000
}

/// A vault whose values a test sets; every lookup by an Airflow name finds `routed`.
#[derive(Debug)]
struct Shelf {
    name: SourceName,
    values: Mutex<BTreeMap<&'static str, Result<&'static str, FaultKind>>>,
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
        Ok(Some(Found::plain("routed://")))
    }

    async fn read_named(&self, name: &Name, _: Urgency) -> Result<Option<Found>, Fault> {
        match self.values.lock().unwrap().get(name.as_str()) {
            Some(Ok(value)) => Ok(Some(Found::plain(*value))),
            Some(Err(kind)) => Err(Fault::new(*kind, "planted")),
            None => Ok(None),
        }
    }
}

/// Entra, which gives tokens of an hour; each is called after the minute in which it was given.
#[derive(Debug)]
struct Entra(Arc<ManualClock>);

#[async_trait]
impl Tokens for Entra {
    async fn lasting_token(&self, scope: &str, _: Duration) -> Result<Token, Error> {
        let now = self.0.wall();
        let minute = now.duration_since(start()).unwrap().as_secs() / 60;
        let text = Secret::new(format!("token of {scope} at {minute}"));
        Ok(Token { text, expires_at: now + MINUTE * 60 })
    }

    fn reject(&self, _: &str) -> bool {
        false
    }
}

struct Lab {
    broker: Broker,
    shelf: Arc<Shelf>,
    clock: Arc<ManualClock>,
}

impl Lab {
    /// A broker of one connection `pg`: literals, two references (`pw` and `app`) and an Entra token that must live so long.
    fn new(at_least: Duration) -> Self {
        let clock = Arc::new(ManualClock::new(start()));
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let counters = Arc::new(Counters::new());
        let shelf = Arc::new(Shelf { name: SourceName::new("vault"), values: Mutex::default() });
        let source = Arc::clone(&shelf) as Arc<dyn Source>;
        let reader = Arc::new(Reader::new(source, Scope::of(&"vault"), as_clock(), Arc::clone(&counters)));
        let reader = TimedReader { reader, times: Times::default() };
        let reference = |name: &str| {
            let (source, name) = (SourceName::new("vault"), Name::parse(name).unwrap());
            Part::Reference(Referenced::of_source(Origin::Secret { source, name: name.clone() }, reader.clone(), name))
        };
        let literal = |text: &str| Part::Literal(Secret::new(text));
        let entra = Part::Entra {
            tokens: EntraTokens::new("prod".into(), Arc::new(Entra(Arc::clone(&clock)))),
            scope: "ossrdbms".to_owned(),
            min_remaining: at_least,
        };
        let fields = vec![
            (Field::Host, literal("db.example.com")),
            (Field::Login, literal("air\"flow")),
            (Field::Password, entra),
            (Field::Schema, reference("pw")),
        ];
        let extra = Extra(vec![
            ("sslmode".to_owned(), ExtraValue::Part(literal("require"))),
            ("keepalives".to_owned(), ExtraValue::Plain(serde_json::json!(1))),
            (
                "nested".to_owned(),
                ExtraValue::Map(vec![(
                    "list".to_owned(),
                    ExtraValue::List(vec![
                        ExtraValue::Plain(serde_json::Value::Null),
                        ExtraValue::Part(reference("app")),
                        ExtraValue::Plain(serde_json::json!(false)),
                    ]),
                )]),
            ),
        ]);
        let name = Name::parse("pg").unwrap();
        let pg = Brokered::new(name, "postgres".to_owned(), None, fields, Some(5432), extra);
        let config = cache::Config::default();
        let stores = IssueStores::new(&as_clock(), Arc::new(|| 0), &counters);
        let issuer = Issuer::new(Vec::new(), Vec::new(), stores, as_clock(), Arc::clone(&counters));
        let broker = Broker::new(
            Policy::new([("tasks".into(), BTreeSet::from([Right::Connections, Right::Variables]))]),
            (vec![pg], issuer),
            Routes::new(&[], vec![reader]).unwrap(),
            Cache::new(&config, as_clock(), Arc::new(|| 0), Arc::clone(&counters)),
            Audit::off(as_clock(), Arc::clone(&counters)),
            as_clock(),
            counters,
        );
        let lab = Self { broker, shelf, clock };
        lab.put("pw", Ok("s3cret/pw"));
        lab.put("app", Ok("reporting"));
        lab
    }

    fn put(&self, name: &'static str, value: Result<&'static str, FaultKind>) {
        self.shelf.values.lock().unwrap().insert(name, value);
    }

    async fn ask(&self, kind: Kind, name: &str) -> Result<Answer, Fault> {
        let caller = Caller { listener: "tasks".into(), peer: None, claims: Claims::default() };
        let lookup = Lookup::parse(kind, name, "").unwrap();
        self.broker.lookup(&caller, &lookup).await.map(|answer| answer.expect("the shelf has every name"))
    }

    async fn pg(&self) -> Result<Answer, Fault> {
        self.ask(Kind::Connection, "pg").await
    }
}

fn text(answer: &Answer) -> &str {
    answer.found.value.expose()
}

#[tokio::test]
async fn a_connection_is_put_together_with_the_keys_that_airflow_accepts_and_no_other() {
    let lab = Lab::new(MINUTE * 5);
    let answer = lab.pg().await.unwrap();
    let expected = r#"{"conn_type":"postgres","host":"db.example.com","login":"air\"flow","password":"token of ossrdbms at 0","schema":"s3cret/pw","port":5432,"extra":{"sslmode":"require","keepalives":1,"nested":{"list":[null,"reporting",false]}}}"#;
    assert_eq!(text(&answer), expected);
    let mask: Vec<_> = answer.mask.iter().map(Secret::expose).collect();
    for secret in ["token of ossrdbms at 0", "s3cret/pw", "reporting"] {
        assert!(mask.contains(&secret), "{mask:?}");
    }
    assert_eq!((answer.source.as_str(), answer.state), ("brokered", State::Fresh));
    assert_eq!(answer.found.expires_at, Some(start() + MINUTE * 60), "a connection ends with its token");
    assert_eq!(answer.fresh_until, start() + MINUTE * 5, "the vault's values are believed for 5 minutes");
}

#[tokio::test]
async fn a_brokered_id_outranks_routes_and_is_of_connections_only() {
    let lab = Lab::new(MINUTE);
    assert!(text(&lab.pg().await.unwrap()).starts_with(r#"{"conn_type":"postgres""#));
    assert_eq!(text(&lab.ask(Kind::Connection, "other").await.unwrap()), "routed://");
    assert_eq!(text(&lab.ask(Kind::Variable, "pg").await.unwrap()), "routed://");
}

#[tokio::test]
async fn a_part_that_changed_is_seen_in_the_next_connection() {
    let lab = Lab::new(MINUTE);
    let first = lab.pg().await.unwrap();
    assert_eq!(lab.pg().await.unwrap().found.value, first.found.value);
    lab.put("app", Ok("other-app"));
    lab.clock.advance(MINUTE * 6);
    let second = lab.pg().await.unwrap();
    assert!(text(&second).contains("other-app") && text(&second).contains("token of ossrdbms at 6"), "{second:?}");
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_a_fault_that_names_it() {
    let lab = Lab::new(MINUTE);
    lab.shelf.values.lock().unwrap().remove("pw");
    let fault = lab.pg().await.unwrap_err();
    let expected = "connection \"pg\": {secret: vault/pw} is not there: store it, or correct the reference";
    assert_eq!((fault.kind(), fault.message()), (FaultKind::MalformedValue, expected));
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_a_stale_part_says_so_and_one_with_a_refused_part_is_refused() {
    let lab = Lab::new(MINUTE);
    lab.pg().await.unwrap();
    lab.put("pw", Err(FaultKind::SourceDown));
    lab.clock.advance(MINUTE * 10);
    let stale = lab.pg().await.unwrap();
    assert_eq!((stale.state, stale.age), (State::Stale, MINUTE * 10));
    assert!(text(&stale).contains("s3cret/pw") && text(&stale).contains("token of ossrdbms at 10"));
    lab.put("pw", Err(FaultKind::DeniedBySource));
    lab.clock.advance(MINUTE * 10);
    assert_eq!(lab.pg().await.unwrap_err().kind(), FaultKind::DeniedBySource);
}

#[tokio::test]
async fn a_token_that_does_not_live_as_long_as_is_asked_for_is_a_fault_and_not_a_shorter_one() {
    let lab = Lab::new(MINUTE * 90);
    let fault = lab.pg().await.unwrap_err();
    let expected = "connection \"pg\": identity \"prod\": Entra's token has 3600 s left and 5400 s are asked for; lower `min_remaining`, \
                    Entra alone decides how long its tokens live";
    assert_eq!((fault.kind(), fault.message()), (FaultKind::OutOfRange, expected));
}
