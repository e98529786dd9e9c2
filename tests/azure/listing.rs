//! A vault's list of secrets: how it is read, and what a source makes of it.

use crate::{
    lab::{CANARY, Lab, NAME, name, runs_alone},
    servers::Scripted,
    source::{Lines, source},
};
use futures::{FutureExt, future::join_all};
use std::{collections::BTreeSet, time::Duration};
use valet::{
    azure::{BudgetConfig, Error, KeyVault, Listed, NextPage, Nonsense, Refusal, Vault},
    model::{Found, Held, Kind, Lookup, Name, Review, Urgency},
    source::{Asked, KeyVaultSource, ListConfig, ListPlan, ListWhen, News, Source},
    telemetry::Counter,
};
use valet_testvault::{Action, Authorization, Fault, FaultRule, Grant, Operation, Options, SecretSpec};

const MINUTE: Duration = Duration::from_mins(1);

/// The time between lists by which these tests go.
const EVERY: Duration = Duration::from_secs(150);

/// A vault whose tokens last for all that these tests do to the clock.
pub(crate) async fn long_lived() -> Lab {
    Lab::with(Options { token_lifetime: MINUTE * 60 * 24, ..Options::default() }).await
}

/// Puts these many variables into the vault, long ago.
fn seed(lab: &Lab, count: usize) {
    for number in 0..count {
        put(lab, &format!("airflow-variables-n{number}"), "value");
    }
    lab.advance(MINUTE * 20);
}

fn put(lab: &Lab, name: &str, value: &str) {
    lab.vault.put_secret("default", name, SecretSpec::value(value)).unwrap();
}

fn may_not_list(lab: &Lab) -> Grant {
    Grant { actions: vec![Action::List], ..Grant::all(lab.vault.endpoints().client_id.clone()) }
}

async fn pages(vault: &KeyVault) -> Result<Vec<Vec<Listed>>, Error> {
    let (mut pages, mut from): (_, Option<NextPage>) = (Vec::new(), None);
    loop {
        let page = vault.list(from.as_ref()).await?;
        pages.push(page.secrets);
        from = page.next;
        if from.is_none() {
            return Ok(pages);
        }
    }
}

#[tokio::test]
async fn every_secret_is_listed_once_with_its_state_and_an_empty_page_is_not_the_end() {
    let lab = Lab::start().await;
    seed(&lab, 60);
    put(&lab, "UPPER", "value");
    lab.vault.disable_secret("default", "airflow-variables-n7").unwrap();
    lab.vault.delete_secret("default", "airflow-variables-n8").unwrap();
    let pages = pages(&lab.key_vault()).await.unwrap();
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 0, 25, 11]);
    let listed = pages.concat();
    let names: BTreeSet<_> = listed.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(names.len(), listed.len());
    assert!(names.contains(NAME) && names.contains("UPPER") && !names.contains("airflow-variables-n8"));
    let disabled: Vec<_> = listed.iter().filter(|secret| !secret.enabled).collect();
    assert_eq!(disabled.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), ["airflow-variables-n7"]);
    let read = lab.key_vault().secret(&name("upper"), Urgency::Awaited).await.unwrap().unwrap();
    let of_list = listed.iter().find(|secret| secret.name.as_str() == "UPPER").unwrap();
    assert!(of_list.updated_at.is_some() && of_list.updated_at == read.updated_at);
}

#[tokio::test]
async fn a_link_to_another_host_ends_the_list_before_anything_is_sent_there() {
    let lab = Lab::start().await;
    lab.vault.inject(FaultRule::new(Fault::ForeignNextLink { location: None }).times(1));
    let error = pages(&lab.key_vault()).await.unwrap_err();
    assert!(matches!(error, Error::Nonsense { why: Nonsense::ForeignHost, .. }), "{error:?}");
    assert_eq!((lab.vault.counters().foreign_requests, lab.vault.counters().lists), (0, 1));
}

#[tokio::test]
async fn an_emulator_in_plain_text_may_link_to_itself_as_it_is_reached() {
    let lab = Lab::start().await;
    let challenge = r#"Bearer authorization="https://localhost/t", resource="https://vault.azure.net""#;
    let page = |name: &str, next: &str| {
        let item = format!(r#"{{"id": "http://localhost:PORT/secrets/{name}", "attributes": {{"updated": 5}}}}"#);
        format!("HTTP/1.1 200 OK\r\n\r\n{{\"value\": [{item}], \"nextLink\": {next}}}")
    };
    let server = Scripted::start(vec![
        format!("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: {challenge}\r\n\r\n"),
        page("a", r#""http://localhost:PORT/secrets?api-version=7.4&$skiptoken=x""#),
        page("b", "null"),
    ])
    .await;
    let url = format!("http://localhost:{}", server.port).parse().unwrap();
    let vault = lab.azure.vault(&url, &lab.client_secret(), &lab.network()).unwrap();
    let listed = pages(&vault).await.unwrap().concat();
    assert_eq!(listed.iter().map(|secret| secret.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(listed.iter().all(|secret| secret.enabled && secret.updated_at.is_some()));
    assert!(server.requests.lock().unwrap()[2].0.contains("skiptoken=x"));
}

#[tokio::test]
async fn without_the_right_to_list_the_refusal_says_which_role_is_missing() {
    for authorization in [Authorization::Rbac, Authorization::Policy] {
        let lab = Lab::start().await;
        lab.vault.set_authorization("default", authorization);
        lab.vault.revoke(&may_not_list(&lab));
        let error = pages(&lab.key_vault()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { why: Refusal::MayNotList, .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("\"Key Vault Secrets User\"") && said.contains("\"list\"") && said.contains("\"prod\""));
    }
}

#[tokio::test]
async fn a_page_whose_token_was_rejected_is_asked_for_again_and_no_other_is() {
    let lab = Lab::start().await;
    seed(&lab, 30);
    let vault = lab.key_vault();
    let first = vault.list(None).await.unwrap();
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(1));
    assert_eq!(vault.list(first.next.as_ref()).await.unwrap().secrets, []);
    assert_eq!(lab.vault.counters().lists, 3);
}

#[tokio::test]
async fn a_page_yields_to_reads_that_somebody_waits_for() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.azure.limit(&lab.vault_url(), BudgetConfig { requests: 8, per: MINUTE * 60 });
    for _ in 0..5 {
        vault.list(None).await.unwrap();
    }
    // One was the challenge; a quarter is kept.
    assert!(matches!(vault.list(None).await, Err(Error::Yielded { .. })));
    assert_eq!((vault.standing().budget_left, lab.vault.counters().lists), (2, 5));
}

/// A source with a list of the vault behind it.
struct Told {
    lab: Lab,
    source: KeyVaultSource,
}

impl Told {
    fn new(lab: Lab, list: &ListConfig) -> Self {
        let source = source(&lab);
        source.list_by(Some(ListPlan::new(list, MINUTE * 5, MINUTE)));
        Self { lab, source }
    }

    /// As valet.yaml has it with `list: {}`.
    fn always(lab: Lab) -> Self {
        Self::new(lab, &always())
    }

    /// The news of the next list, which is due.
    async fn hear(&self) -> News {
        self.source.news(&|| 0).await
    }

    /// Lets the source do what it does by itself until it has counted so much; it has no news meanwhile.
    async fn until(&self, counter: Counter, count: u64) {
        let enough = async {
            while self.count(counter) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            news = self.source.news(&|| 0) => panic!("{news:?}"),
            () = enough => {}
        }
    }

    async fn read(&self, name: &str, team: &str) -> Option<Found> {
        let lookup = Lookup::parse(Kind::Variable, name, team).unwrap();
        self.source.read(&lookup, Urgency::Awaited).await.unwrap()
    }

    /// How often the vault was asked for values, and for pages.
    fn asked(&self) -> (u64, u64) {
        let counters = self.lab.vault.counters();
        (counters.reads, counters.lists)
    }

    fn count(&self, counter: Counter) -> u64 {
        self.lab.counters.get(counter)
    }
}

fn always() -> ListConfig {
    ListConfig { when: ListWhen::Always, ..ListConfig::default() }
}

fn not_found(news: &News, variable: &str) -> Review {
    let lookup = Lookup::parse(Kind::Variable, variable, "").unwrap();
    (news.judge)(Asked::Lookup(&lookup), Held::NotFound { read_at: Duration::ZERO })
}

#[tokio::test]
async fn names_that_a_young_list_does_not_show_are_not_asked_for_unless_one_of_two_is_there() {
    let lab = Lab::start().await;
    seed(&lab, 30);
    let told = Told::always(lab);
    assert!(told.read("absent", "").await.is_none());
    let news = told.hear().await;
    assert_eq!((not_found(&news, "absent"), not_found(&news, "n3")), (Review::Confirm, Review::Drop));
    assert_eq!(told.asked(), (1, 3));
    for _ in 0..10 {
        assert!(told.read("absent", "").await.is_none() && told.read("absent", "red").await.is_none());
        let named = Name::parse("absent").unwrap();
        assert!(told.source.read_named(&named, Urgency::Awaited).await.unwrap().is_none());
    }
    assert_eq!((told.asked(), told.count(Counter::MissesAnswered)), ((1, 3), 30));
    assert!(told.read("n3", "red").await.is_some());
    assert_eq!(told.asked(), (3, 3), "red's own was asked for too");
    // A new name is seen by the next list, or when this one is too old.
    put(&told.lab, "airflow-variables-absent", "made");
    told.lab.advance(EVERY - Duration::from_secs(10));
    assert!(told.read("absent", "").await.is_none());
    told.lab.advance(Duration::from_secs(10));
    assert!(told.read("absent", "").await.is_some());
}

#[tokio::test]
async fn what_an_operator_says_to_forget_is_asked_for_also_while_a_list_is_young() {
    let told = Told::always(Lab::start().await);
    told.lab.advance(MINUTE * 20);
    told.hear().await;
    put(&told.lab, "airflow-variables-new", "value");
    assert!(told.read("new", "").await.is_none());
    told.lab.advance(Duration::from_secs(1));
    told.source.forget();
    assert!(told.read("new", "").await.is_some());
    assert_eq!(told.asked(), (1, 1));
}

#[tokio::test]
async fn a_list_that_breaks_off_half_way_changes_nothing_and_is_begun_again_later() {
    let lab = Lab::start().await;
    seed(&lab, 30);
    let told = Told::always(lab);
    told.hear().await;
    put(&told.lab, "airflow-variables-new", "value");
    told.lab.advance(EVERY);
    // The first of its pages comes, the second does not.
    told.lab.vault.inject(FaultRule::new(Fault::Hold {}).times(1));
    let second_fails = FaultRule::new(Fault::Throttled { retry_after: None }).times(1);
    told.lab.vault.inject(second_fails);
    let release = async {
        told.lab.vault.wait_for(|log| log.iter().filter(|entry| entry.operation == Operation::List).count() == 4).await;
        let holds = told.lab.vault.faults();
        assert_eq!(holds.len(), 1, "the one that throttles is next: {holds:?}");
        let throttles = holds[0].1.clone();
        told.lab.vault.clear_faults(None);
        told.lab.vault.inject(throttles);
    };
    futures::join!(told.until(Counter::ListsFailed, 1), release);
    assert_eq!((told.count(Counter::Lists), told.count(Counter::ListsFailed)), (1, 1));
    told.source.list_by(Some(ListPlan::new(&ListConfig { every: Some(EVERY * 2), ..always() }, EVERY, MINUTE)));
    assert!(told.read("new", "").await.is_none(), "the list before still counts, while it is young");
    told.lab.advance(Duration::from_secs(15));
    assert_eq!(not_found(&told.hear().await, "new"), Review::Drop);
    assert_eq!((told.asked(), told.count(Counter::Lists)), ((0, 8), 2));
}

#[tokio::test]
async fn a_vault_with_more_pages_than_are_wanted_is_not_listed_and_tried_again_after_an_hour() {
    let lab = long_lived().await;
    seed(&lab, 60);
    let told = Told::new(lab, &ListConfig { max_pages: 3, ..always() });
    told.until(Counter::ListsFailed, 1).await;
    assert!(told.read("absent", "").await.is_none());
    assert_eq!((told.asked(), told.count(Counter::ListsFailed)), ((1, 3), 1));
    told.lab.advance(MINUTE * 59);
    assert!(told.source.news(&|| 0).now_or_never().is_none());
    told.source.list_by(Some(ListPlan::new(&always(), MINUTE * 5, MINUTE)));
    told.lab.advance(MINUTE);
    told.hear().await;
    assert_eq!(told.asked(), (1, 7));
}

#[tokio::test]
async fn without_the_right_to_list_values_are_read_as_ever_and_one_warning_names_the_role() {
    if !runs_alone("listing::without_the_right_to_list_values_are_read_as_ever_and_one_warning_names_the_role", &[]) {
        return;
    }
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(lines.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let lab = long_lived().await;
    seed(&lab, 3);
    lab.vault.revoke(&may_not_list(&lab));
    let told = Told::always(lab);
    for hour in 1..=3 {
        told.until(Counter::ListsFailed, hour).await;
        assert!(told.read("n1", "").await.is_some() && told.read("absent", "").await.is_none());
        told.lab.advance(MINUTE * 60);
    }
    assert_eq!(told.asked(), (6, 3));
    told.lab.vault.grant(may_not_list(&told.lab));
    told.hear().await;
    drop(logging);
    let said = lines.text();
    assert_eq!(said.matches("\"Key Vault Secrets User\"").count(), 1, "{said}");
    assert_eq!(said.matches("WARN").count(), 1, "{said}");
}

#[tokio::test]
async fn a_small_use_never_lists_and_a_large_one_only_while_it_costs_less_than_reading() {
    let lab = Lab::start().await;
    seed(&lab, 60);
    let told = Told::new(lab, &ListConfig::default());
    for _ in 0..3 {
        assert!(told.source.news(&|| 25).now_or_never().is_none());
        told.lab.advance(EVERY);
    }
    assert_eq!(told.asked(), (0, 0));
    told.source.news(&|| 26).await;
    assert_eq!(told.asked(), (0, 4));
    told.lab.advance(EVERY);
    // Four pages twice in a fresh time, or eight values once.
    assert!(told.source.news(&|| 8).now_or_never().is_none());
    told.lab.advance(EVERY);
    told.source.news(&|| 9).await;
    assert_eq!(told.asked(), (0, 8));
    told.source.list_by(None);
    told.lab.advance(EVERY);
    assert!(told.source.news(&|| 1000).now_or_never().is_none());
    assert!(told.read("absent", "").await.is_none());
    assert_eq!(told.asked(), (1, 8), "nothing is believed of a list any more");
}

#[tokio::test]
async fn what_is_to_be_there_at_start_is_read_ahead_and_each_value_is_handed_out_once() {
    let lab = Lab::start().await;
    seed(&lab, 30);
    lab.vault.disable_secret("default", "airflow-variables-n9").unwrap();
    lab.advance(MINUTE * 20);
    let prefetch = vec!["AIRFLOW-connections-*".to_owned(), "airflow-variables-n?".to_owned()];
    let told = Told::new(lab, &ListConfig { prefetch, ..always() });
    told.hear().await;
    told.until(Counter::ValuesPrefetched, 10).await;
    let db = Lookup::parse(Kind::Connection, "DB", "").unwrap();
    let read = told.source.read(&db, Urgency::Awaited).await.unwrap().unwrap();
    assert_eq!(read.value.expose(), CANARY);
    let names: Vec<_> = (0..9).map(|number| format!("n{number}")).collect();
    let values = join_all(names.iter().map(|name| told.read(name, ""))).await;
    assert!(values.iter().all(Option::is_some));
    assert_eq!(told.asked(), (10, 3));
    assert!(told.read("n1", "").await.is_some());
    assert_eq!(told.asked(), (11, 3), "the cache keeps values, and nobody else does");
}

#[tokio::test]
async fn a_value_that_was_read_ahead_and_changed_since_or_is_no_longer_vouched_for_is_read_again() {
    let lab = Lab::start().await;
    seed(&lab, 3);
    let told = Told::new(lab, &ListConfig { prefetch: vec!["airflow-variables-*".to_owned()], ..always() });
    told.hear().await;
    told.until(Counter::ValuesPrefetched, 3).await;
    put(&told.lab, "airflow-variables-n0", "changed");
    told.lab.advance(MINUTE * 20);
    assert!(told.read("n1", "").await.is_some());
    assert_eq!(told.asked(), (4, 1), "the list is too old to vouch for it");
    told.hear().await;
    assert_eq!(told.read("n0", "").await.unwrap().value.expose(), "changed");
    assert_eq!(told.asked(), (5, 2));
    assert!(told.read("n2", "").await.is_some());
    assert_eq!(told.asked(), (5, 2), "it is as it was");
}
