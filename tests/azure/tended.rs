//! A broker over a vault that is listed: what that costs, and what it sees.

use crate::{lab::Lab, listing::long_lived, source::source};
use std::{collections::BTreeSet, fmt::Write as _, pin::pin, sync::Arc, time::Duration};
use tokio::{task::yield_now, time};
use valet::{
    audit::Audit,
    azure::BudgetConfig,
    broker::{Broker, IssueStores, Issuer, Reader, Routes, TimedReader},
    cache::{self, Cache, Scope, Times},
    clock::Clock,
    model::{Caller, Claims, Kind, Lookup, Right, State},
    policy::Policy,
    source::{ListConfig, ListPlan, Source},
    telemetry::{Counter, Counters},
};
use valet_testvault::{Action, Grant, SecretSpec};

const EVERY: Duration = Duration::from_secs(150);

struct Tended {
    lab: Lab,
    broker: Broker,
    reader: Arc<Reader>,
}

impl Tended {
    /// A broker whose one source has these many variables, made long ago; with or without lists.
    async fn start(variables: usize, list: Option<&ListConfig>) -> Self {
        let lab = long_lived().await;
        for number in 0..variables {
            put(&lab, number, "old");
        }
        lab.advance(Duration::from_mins(20));
        let source = source(&lab);
        let times = Times::default();
        source.list_by(list.map(|list| ListPlan::new(list, times.fresh, times.not_found)));
        let (clock, counters) = (Arc::clone(&lab.clock) as Arc<dyn Clock>, Arc::clone(&lab.counters));
        let reader =
            Arc::new(Reader::new(Arc::new(source), Scope::of(&"vault"), Arc::clone(&clock), Arc::clone(&counters)));
        let stores = IssueStores::new(&clock, Arc::new(|| 0), &counters);
        let issuer = Issuer::new(Vec::new(), Vec::new(), stores, Arc::clone(&clock), Arc::clone(&counters));
        let routes = Routes::new(&[], vec![TimedReader { reader: Arc::clone(&reader), times }]).unwrap();
        let policy = Policy::new([("tasks".into(), BTreeSet::from([Right::Variables]))]);
        let audit = Audit::off(Arc::clone(&clock), Arc::clone(&counters));
        let values = store(&clock, &counters);
        let broker = Broker::new(policy, (Vec::new(), issuer), routes, values, audit, clock, counters);
        Self { lab, broker, reader }
    }

    /// What the source tells by itself is taken in until this is so.
    async fn until(&self, is_so: impl Fn() -> bool) {
        let mut tending = pin!(self.broker.tend(&self.reader));
        while !is_so() {
            assert!(futures::poll!(&mut tending).is_pending());
            yield_now().await;
        }
    }

    /// What the next list tells is taken in; it is due.
    async fn list(&self) {
        let lists = self.count(Counter::Lists);
        let confirmed = self.count(Counter::ValuesConfirmed);
        self.until(|| self.count(Counter::Lists) > lists && self.count(Counter::ValuesConfirmed) > confirmed).await;
    }

    async fn get(&self, name: &str) -> Option<(String, State)> {
        let lookup = Lookup::parse(Kind::Variable, name, "").unwrap();
        let answer = self.broker.lookup(&caller(), &lookup).await.unwrap();
        answer.map(|answer| (answer.found.value.expose().to_owned(), answer.state))
    }

    /// Looks every variable up, as tasks do all the time.
    async fn get_all(&self, variables: usize) {
        for number in 0..variables {
            assert_eq!(self.get(&format!("n{number}")).await.unwrap().1, State::Fresh);
        }
    }

    /// What is being read is read.
    async fn settle(&self) {
        while self.broker.cache().in_flight() > 0 {
            yield_now().await;
        }
    }

    fn count(&self, counter: Counter) -> u64 {
        self.lab.counters.get(counter)
    }

    /// How often the vault was asked for values, and for pages.
    fn asked(&self) -> (u64, u64) {
        let counters = self.lab.vault.counters();
        (counters.reads, counters.lists)
    }
}

fn store<V: cache::Weigh>(clock: &Arc<dyn Clock>, counters: &Arc<Counters>) -> Cache<V> {
    Cache::new(&cache::Config::default(), Arc::clone(clock), Arc::new(|| 0), Arc::clone(counters))
}

fn put(lab: &Lab, number: usize, value: &str) {
    let mut name = "airflow-variables-n".to_owned();
    write!(name, "{number}").unwrap();
    lab.vault.put_secret("default", &name, SecretSpec::value(value)).unwrap();
}

fn caller() -> Caller {
    Caller { listener: "tasks".into(), peer: None, claims: Claims::default() }
}

#[tokio::test]
async fn values_that_nobody_changed_are_never_read_again_however_often_they_are_looked_up() {
    let tended = Tended::start(60, Some(&ListConfig::default())).await;
    tended.get_all(60).await;
    assert_eq!(tended.asked(), (60, 0));
    for round in 1..=12 {
        tended.lab.advance(EVERY);
        tended.list().await;
        tended.get_all(60).await;
        // 61 secrets on three pages, and an empty one.
        assert_eq!(tended.asked(), (60, 4 * round), "{round}");
    }
    assert_eq!(tended.count(Counter::ValuesConfirmed), 60 * 12);
}

#[tokio::test]
async fn one_changed_secret_costs_one_read_and_a_deleted_and_a_disabled_one_are_seen() {
    let tended = Tended::start(60, Some(&ListConfig::default())).await;
    tended.get_all(60).await;
    tended.lab.advance(EVERY);
    tended.list().await;
    // Just now, so that a read in the same second could be of before it.
    put(&tended.lab, 7, "new");
    tended.lab.advance(EVERY);
    let before = tended.count(Counter::Lists);
    let mut tending = pin!(tended.broker.tend(&tended.reader));
    while tended.count(Counter::Lists) == before {
        assert!(futures::poll!(&mut tending).is_pending());
        yield_now().await;
    }
    // The list is complete; what it tells waits until that second is over.
    assert_eq!((tended.asked().0, tended.count(Counter::ValuesDoubted)), (60, 0));
    assert_eq!(tended.get("n7").await.unwrap().0, "old");
    tended.lab.advance(Duration::from_secs(2));
    time::pause();
    time::advance(Duration::from_secs(2)).await;
    time::resume();
    while tended.asked().0 == 60 || tended.broker.cache().in_flight() > 0 {
        assert!(futures::poll!(&mut tending).is_pending());
        yield_now().await;
    }
    assert_eq!(tended.get("n7").await, Some(("new".to_owned(), State::Fresh)));
    for _ in 0..3 {
        tended.lab.advance(EVERY);
        tended.list().await;
        tended.get_all(60).await;
    }
    assert_eq!((tended.asked().0, tended.count(Counter::ValuesDoubted)), (61, 1));
    tended.lab.vault.delete_secret("default", "airflow-variables-n8").unwrap();
    tended.lab.vault.disable_secret("default", "airflow-variables-n9").unwrap();
    tended.lab.advance(Duration::from_mins(20));
    tended.list().await;
    tended.settle().await;
    assert_eq!(tended.get("n8").await, None);
    let n9 = Lookup::parse(Kind::Variable, "n9", "").unwrap();
    let refused = tended.broker.lookup(&caller(), &n9).await.unwrap_err();
    assert!(refused.message().contains("disabled"), "{refused}");
    assert_eq!(tended.count(Counter::ValuesDoubted), 3);
}

#[tokio::test]
async fn a_new_secret_is_seen_with_the_next_list_and_misses_cost_nothing_until_then() {
    let tended = Tended::start(60, Some(&ListConfig::default())).await;
    tended.get_all(60).await;
    assert_eq!(tended.get("n60").await, None);
    tended.list().await;
    let asked = tended.asked();
    put(&tended.lab, 60, "made");
    for _ in 0..2 {
        tended.lab.advance(EVERY / 3);
        assert_eq!((tended.get("n60").await, tended.get("other").await), (None, None));
    }
    assert_eq!(tended.asked(), asked);
    tended.lab.advance(EVERY);
    tended.list().await;
    assert_eq!(tended.get("n60").await, Some(("made".to_owned(), State::Fresh)));
}

#[tokio::test]
async fn without_the_right_to_list_values_are_refreshed_as_ever() {
    let tended = Tended::start(60, Some(&ListConfig::default())).await;
    let appid = tended.lab.vault.endpoints().client_id.clone();
    tended.lab.vault.revoke(&Grant { actions: vec![Action::List], ..Grant::all(appid) });
    tended.get_all(60).await;
    tended.until(|| tended.count(Counter::ListsFailed) == 1).await;
    tended.lab.advance(Duration::from_mins(5) - Duration::from_secs(1));
    tended.get_all(60).await;
    tended.settle().await;
    assert!(tended.asked().0 > 60);
    assert_eq!(tended.asked().1, 1);
}

/// How many secrets are in use in the next test. With 500 it says what stands in the README: 6,000 reads, or 528 pages.
const IN_USE: usize = 100;

#[tokio::test]
async fn a_listed_vault_is_asked_an_eighth_as_often_as_one_whose_values_are_read_again() {
    let mut requests = Vec::new();
    for list in [None, Some(&ListConfig::default())] {
        let tended = Tended::start(IN_USE, list).await;
        let plenty = BudgetConfig { requests: 100_000, per: Duration::from_secs(1) };
        tended.lab.azure.limit(&tended.lab.vault_url(), plenty);
        tended.get_all(IN_USE).await;
        let before = tended.asked();
        // An hour in which each value is looked up every fifteen seconds.
        for quarter in 1..=240 {
            tended.lab.advance(Duration::from_secs(15));
            if list.is_some() && quarter % 10 == 1 {
                tended.list().await;
            }
            tended.get_all(IN_USE).await;
            tended.settle().await;
        }
        let asked = tended.asked();
        requests.push((asked.0 - before.0, asked.1 - before.1));
    }
    let [(read, 0), (0, listed)] = requests[..] else { panic!("{requests:?}") };
    assert!(read >= 8 * listed, "{read} reads, or {listed} pages");
}
