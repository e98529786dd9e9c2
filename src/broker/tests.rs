use super::*;
use crate::{
    cache::{self, Overrides, Scope, Times},
    clock::ManualClock,
    model::{Changes, Claims, Found, Kind, Name, Peer, SourceName, Urgency},
    source::Source,
};
use async_trait::async_trait;
use futures::FutureExt as _;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::SystemTime,
};

/// A source of fixed values; a name that it does not know ends in its fault, if it has one.
#[derive(Debug)]
struct Shelf {
    name: SourceName,
    local: bool,
    values: BTreeMap<&'static str, &'static str>,
    fault: Mutex<Option<Fault>>,
    /// Nothing is answered at all.
    down: AtomicBool,
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
        self.local
    }

    fn location(&self, lookup: &Lookup) -> String {
        format!("shelf entry {}", lookup.name)
    }

    async fn read(&self, lookup: &Lookup, _: Urgency) -> Result<Option<Found>, Fault> {
        let fault = self.fault.lock().unwrap().clone();
        if self.down.load(Ordering::Relaxed) {
            return Err(Fault::new(FaultKind::SourceDown, "down"));
        }
        match (self.values.get(lookup.name.as_str()), fault) {
            (Some(&"never"), _) => std::future::pending().await,
            (Some(value), _) => Ok(Some(Found::plain(*value))),
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(None),
        }
    }

    async fn read_named(&self, name: &Name, urgency: Urgency) -> Result<Option<Found>, Fault> {
        self.read(&Lookup { kind: Kind::Variable, name: name.clone(), team: None }, urgency).await
    }
}

struct Lab {
    broker: Broker,
    clock: Arc<ManualClock>,
    shelves: Vec<Arc<Shelf>>,
    lines: mpsc::Receiver<Vec<u8>>,
}

struct Lines(mpsc::Sender<Vec<u8>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).expect("the test holds the other end");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lab {
    /// Two remote sources, `first` and `second`, under these routes.
    fn new(routes: &[RouteConfig]) -> Self {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let counters = Arc::new(Counters::new());
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let shelf = |name: &str, values: &[(&'static str, &'static str)]| {
            let values = values.iter().copied().collect();
            Arc::new(Shelf {
                name: SourceName::new(name),
                local: false,
                values,
                fault: Mutex::default(),
                down: AtomicBool::default(),
            })
        };
        let shelves = vec![
            shelf("first", &[("both", "a://1"), ("token", "not-a-uri"), ("stuck", "never")]),
            shelf("second", &[("both", "a://2"), ("only_second", "a://s?sas_token=sv%3D1%26sig%3Dabcdef")]),
        ];
        let reader = |shelf: &Arc<Shelf>| {
            let scope = Scope::of(shelf.name());
            let reader = Reader::new(Arc::clone(shelf) as Arc<dyn Source>, scope, as_clock(), Arc::clone(&counters));
            TimedReader { reader: Arc::new(reader), times: Times::default() }
        };
        let routes = Routes::new(routes, shelves.iter().map(reader).collect()).unwrap();
        let config = cache::Config::default();
        let cache = Cache::new(&config, as_clock(), Arc::new(|| 0), Arc::clone(&counters));
        let policy = Policy::new([("tasks".into(), BTreeSet::from([Right::Connections]))]);
        let (sender, lines) = mpsc::channel();
        let (audit, _writer) = Audit::start(Lines(sender), as_clock(), Arc::clone(&counters)).unwrap();
        let stores = IssueStores::new(&as_clock(), Arc::new(|| 0), &counters);
        let issuer = Issuer::new(Vec::new(), Vec::new(), stores, as_clock(), Arc::clone(&counters));
        let broker = Broker::new(policy, (Vec::new(), issuer), routes, cache, audit, as_clock(), counters);
        Self { broker, clock, shelves, lines }
    }

    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        let lookup = Lookup::parse(Kind::Connection, name, "").unwrap();
        let answer = self.broker.lookup(&caller(), &lookup).await?;
        Ok(answer.map(|answer| format!("{} from {}", answer.found.value.expose(), answer.source)))
    }

    fn set_fault(&self, shelf: usize, kind: Option<FaultKind>) {
        *self.shelves[shelf].fault.lock().unwrap() = kind.map(|kind| Fault::new(kind, "planted"));
    }

    fn set_down(&self, shelf: usize) {
        self.shelves[shelf].down.store(true, Ordering::Relaxed);
    }

    fn next_line(&self) -> Value {
        serde_json::from_slice(&self.lines.recv().unwrap()).unwrap()
    }
}

fn caller() -> Caller {
    let claims = Claims { dag_id: Some("dag".to_owned()), ..Claims::default() };
    Caller { listener: "tasks".into(), peer: Some(Peer { uid: 1, gid: 2, pid: Some(3) }), claims }
}

fn route(pattern: &str, sources: &[&str], on_unavailable: OnUnavailable) -> RouteConfig {
    let sources = sources.iter().map(|name| SourceName::new(name)).collect();
    RouteConfig { pattern: pattern.to_owned(), kinds: vec![], sources, on_unavailable, cache: Overrides::default() }
}

#[tokio::test]
async fn without_routes_every_source_is_asked_in_order() {
    let lab = Lab::new(&[]);
    assert_eq!(lab.get("both").await, Ok(Some("a://1 from first".to_owned())));
    assert_eq!(lab.get("only_second").await.unwrap().unwrap(), "a://s?sas_token=sv%3D1%26sig%3Dabcdef from second");
    assert_eq!(lab.get("nowhere").await, Ok(None));
}

#[tokio::test]
async fn the_first_route_that_matches_decides_who_is_asked() {
    let lab = Lab::new(&[
        RouteConfig { kinds: vec![Kind::Variable], ..route("b*", &[], OnUnavailable::Fail) },
        route("b?th", &["second"], OnUnavailable::Fail),
        route("only_*", &[], OnUnavailable::Fail),
    ]);
    assert_eq!(lab.get("both").await, Ok(Some("a://2 from second".to_owned())));
    assert_eq!(lab.get("only_second").await, Ok(None), "a route without sources asks nobody");
    assert_eq!(lab.get("stuck_not").await, Ok(None), "what no route matches goes to all");
}

#[tokio::test(start_paused = true)]
async fn a_bound_of_ours_says_nothing_of_the_health_of_a_source() {
    let lab = Lab::new(&[]);
    let health = || lab.broker.readers()[0].reader.health().unwell().map(|(kind, _)| kind);
    for (planted, expected) in [
        (FaultKind::Overloaded, None),
        (FaultKind::Throttled, Some(FaultKind::Throttled)),
        (FaultKind::Overloaded, Some(FaultKind::Throttled)),
    ] {
        lab.set_fault(0, Some(planted));
        lab.clock.advance(Duration::from_hours(1));
        assert_eq!(lab.get("only_second").await.unwrap_err().kind(), planted);
        assert_eq!(health(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_the_lookup_and_says_which_source_and_since_when() {
    let lab = Lab::new(&[]);
    lab.set_fault(0, Some(FaultKind::SourceDown));
    lab.clock.advance(Duration::from_hours(1));
    let fault = lab.get("only_second").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::SourceDown);
    assert_eq!(fault.message(), "source first: planted; so since 1970-01-01T01:00:00Z");
    lab.clock.advance(Duration::from_hours(1));
    let later = lab.get("only_second").await.unwrap_err();
    assert_eq!(
        later.since_when(),
        Some(SystemTime::UNIX_EPOCH + Duration::from_hours(1)),
        "since the first fault, not the newest"
    );
    lab.set_fault(0, None);
    lab.clock.advance(Duration::from_hours(1));
    assert!(lab.get("only_second").await.is_ok());
    assert_eq!(lab.broker.readers()[0].reader.health().unwell(), None);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_skips_asks_the_next_source_and_never_says_that_the_name_is_not_here() {
    let lab = Lab::new(&[route("*", &["first", "second"], OnUnavailable::Skip)]);
    lab.set_fault(0, Some(FaultKind::Throttled));
    assert!(lab.get("only_second").await.unwrap().is_some());
    assert_eq!(lab.get("nowhere").await.unwrap_err().kind(), FaultKind::Skipped);
    lab.set_fault(0, Some(FaultKind::DeniedBySource));
    lab.clock.advance(Duration::from_mins(10));
    assert_eq!(
        lab.get("only_second").await.unwrap_err().kind(),
        FaultKind::DeniedBySource,
        "a refusal is never skipped"
    );
}

#[tokio::test]
async fn a_connection_that_airflow_would_misread_is_a_fault_that_names_it() {
    let lab = Lab::new(&[]);
    let fault = lab.get("token").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::MalformedValue);
    assert!(fault.message().contains("source first: shelf entry token is neither"), "{fault}");
    assert!(!fault.message().contains("not-a-uri"), "a fault never shows the value");
}

#[tokio::test]
async fn what_the_listener_does_not_allow_is_denied_with_its_rule_on_hits_too() {
    let lab = Lab::new(&[]);
    let lookup = Lookup::parse(Kind::Variable, "both", "").unwrap();
    let fault = lab.broker.lookup(&caller(), &lookup).await.unwrap_err();
    assert_eq!(
        (fault.kind(), fault.message()),
        (FaultKind::DeniedByPolicy, "listen.tasks.allow does not list \"variables\"")
    );
    assert_eq!(lab.broker.may(&caller(), Right::Admin).unwrap_err().kind(), FaultKind::DeniedByPolicy);
}

#[tokio::test]
async fn every_lookup_leaves_one_audit_line_without_the_value() {
    let lab = Lab::new(&[]);
    lab.get("both").await.unwrap();
    let expected = serde_json::json!({
        "time": "1970-01-01T00:00:00Z", "event": "decision", "listener": "tasks", "uid": 1, "gid": 2, "pid": 3,
        "claims": {"dag_id": "dag", "task_id": null, "run_id": null, "map_index": null, "try_number": null},
        "kind": "connection", "name": "both", "team": null, "outcome": "found", "source": "first", "version": null,
        "state": "fresh", "fault": null,
    });
    assert_eq!(lab.next_line(), expected);
    lab.get("nowhere").await.unwrap();
    assert_eq!(lab.next_line()["outcome"], "not_found");
    lab.get("token").await.unwrap_err();
    let line = lab.next_line();
    assert_eq!((&line["outcome"], &line["fault"]), (&"fault".into(), &"MALFORMED_VALUE".into()));
    assert!(lab.get("stuck").now_or_never().is_none());
    assert_eq!(lab.next_line()["outcome"], "abandoned");
}

#[tokio::test(start_paused = true)]
async fn a_routes_times_outrank_those_of_its_source() {
    let short = Overrides { fresh: Some(Duration::from_mins(1)), stale: Some(Duration::ZERO), not_found: None };
    let lab = Lab::new(&[RouteConfig { cache: short, ..route("both", &["first"], OnUnavailable::Fail) }]);
    lab.get("both").await.unwrap();
    lab.get("only_second").await.unwrap();
    let times = |name| {
        let lookup = Lookup::parse(Kind::Connection, name, "").unwrap();
        lab.broker.routes.of(&lookup).readers[0].times
    };
    assert_eq!(times("both"), Times { fresh: Duration::from_mins(1), stale: Duration::ZERO, ..Times::default() });
    assert_eq!(times("only_second"), Times::default());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_still_answers_what_it_answered_before_and_says_how_old_that_is() {
    let lab = Lab::new(&[route("*", &["first", "second"], OnUnavailable::Skip)]);
    lab.get("both").await.unwrap();
    lab.next_line();
    lab.clock.advance(Duration::from_hours(1));
    lab.set_down(0);
    let lookup = Lookup::parse(Kind::Connection, "both", "").unwrap();
    let answer = lab.broker.lookup(&caller(), &lookup).await.unwrap().unwrap();
    assert_eq!(
        (answer.found.value.expose(), answer.source.as_str(), answer.state, answer.age),
        ("a://1", "first", State::Stale, Duration::from_hours(1)),
        "rather than skip it for a source that has something else"
    );
    assert_eq!(lab.next_line()["state"], "stale");
}

#[tokio::test]
async fn who_hears_too_slowly_hears_that_and_who_hears_in_time_hears_each_name_once() {
    let Lab { broker, lines: _lines, .. } = Lab::new(&[]);
    let broker = Arc::new(broker);
    let lookup = Lookup::parse(Kind::Connection, "both", "").unwrap();
    let change = async |times: usize| {
        for _ in 0..times {
            broker.lookup(&caller(), &lookup).await.unwrap();
            broker.cache.invalidate(|_| true);
        }
    };
    let mut watch = broker.watch(&caller()).unwrap();
    change(3).await;
    assert_eq!(watch.next().await, Ok(Changes { names: vec![lookup.clone()], grants: vec![] }));
    change(300).await;
    assert_eq!(watch.next().await.map_err(|fault| fault.kind()), Err(FaultKind::Interrupted));

    let nobody = Caller { listener: "other".into(), ..caller() };
    assert_eq!(broker.watch(&nobody).err().map(|fault| fault.kind()), Some(FaultKind::DeniedByPolicy));
}
