//! Changes are heard before values grow old, and what was not heard is asked for.

use crate::{
    lab::{Asking, PATIENCE, Valet, clock, of_upstream, vault},
    script::{Scripted, answer},
};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::timeout;
use valet::{
    model::{Changes, Fault, FaultKind, Kind, Lookup},
    proto::v1::{InvalidateRequest, Lookup as Named, WatchRequest, WatchResponse, lookup::Name},
};
use valet_testvault::SecretSpec;

const PG: &str = "airflow-connections-pg";

fn value(text: &str) -> SecretSpec {
    SecretSpec { value: Some(text.to_owned()), ..SecretSpec::default() }
}

fn connection(id: &str) -> Named {
    Named { name: Some(Name::Connection(id.to_owned())), team: String::new() }
}

async fn invalidate(valet: &Valet, id: &str) {
    let request = InvalidateRequest { lookup: Some(connection(id)) };
    valet.admin().await.invalidate(request).await.unwrap();
}

/// Waits until a lookup answers this, though nothing has aged.
async fn becomes(valet: &Valet, id: &str, expected: &str) {
    let mut asking = valet.ask().await;
    let changed = async { while asking.connection(id).await.map_or(true, |answer| answer.value != expected) {} };
    timeout(PATIENCE, changed).await.unwrap_or_else(|_| panic!("{id} does not become {expected}"));
}

/// Waits until it listens to its upstream.
async fn listens(centre: &Valet, listeners: u64) {
    let all = async { while centre.counter("watches_begun").await < listeners {} };
    timeout(PATIENCE, all).await.expect("it listens");
}

async fn watch(valet: &Valet) -> tonic::Streaming<WatchResponse> {
    let Asking(mut broker) = valet.ask().await;
    broker.watch(WatchRequest {}).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_change_goes_from_the_vault_through_a_chain_of_two_though_nothing_has_aged() {
    let (vault, yaml) = vault(&[(PG, "old://")]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    let node = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let pod = Valet::start(&of_upstream(&node.socket()), &clock).await;
    listens(&centre, 1).await;
    listens(&node, 1).await;
    assert_eq!(pod.value("pg").await, "old://");
    vault.put_secret("default", PG, value("new://")).unwrap();
    assert_eq!(pod.value("pg").await, "old://", "nobody knows");
    invalidate(&centre, "pg").await;
    becomes(&pod, "pg", "new://").await;
    assert_eq!(node.value("pg").await, "new://");
    assert_eq!(vault.counters().reads, 2);
}

#[tokio::test]
async fn what_was_not_here_is_here_as_soon_as_the_centre_knows() {
    let (vault, yaml) = vault(&[]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    let pod = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    listens(&centre, 1).await;
    assert_eq!(crate::lab::reason(pod.get("pg").await), "NOT_FOUND");
    vault.put_secret("default", PG, value("new://")).unwrap();
    invalidate(&centre, "pg").await;
    becomes(&pod, "pg", "new://").await;
}

#[tokio::test]
async fn a_key_that_changes_is_told_as_the_connections_and_grants_that_it_signs_for() {
    const KEY: &str = "landing-key";
    let key = |byte: u8| value(&base64::Engine::encode(&base64::prelude::BASE64_STANDARD, [byte; 64]));
    let (vault, yaml) = vault(&[("app", "one"), (PG, "pg://")]).await;
    vault.put_secret("default", KEY, key(1)).unwrap();
    let brokered = format!(
        "{yaml}
accounts: {{landing: {{kind: storage, name: acmelanding, keys: [{{secret: prod/{KEY}}}]}}}}
grants: {{raw: {{account: landing, kind: service-sas, service: blob, container: raw, permissions: rl}}}}
connections:
  wasb_raw: {{type: wasb, grant: raw}}
  api: {{type: http, extra: {{sas: {{grant: raw}}}}}}
  pg_app: {{type: postgres, extra: {{application_name: {{secret: prod/app}}}}}}
  plain: {{type: http, host: h}}"
    );
    let clock = clock();
    let centre = Valet::start(&brokered, &clock).await;
    let pod = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    listens(&centre, 1).await;
    let mut heard = watch(&centre).await;
    let mut asking = pod.ask().await;
    for id in ["wasb_raw", "api", "pg_app", "plain"] {
        asking.connection(id).await.unwrap();
    }
    let (old, token) = (asking.connection("wasb_raw").await.unwrap(), asking.token("raw", None).await.unwrap());

    vault.put_secret("default", KEY, key(2)).unwrap();
    invalidate(&centre, "wasb_raw").await;
    let told = timeout(PATIENCE, heard.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(
        told,
        WatchResponse { changed: vec![connection("api"), connection("wasb_raw")], grants: vec!["raw".into()] }
    );
    let other = async {
        while asking.connection("wasb_raw").await.unwrap().value == old.value {}
        while asking.token("raw", None).await.unwrap().token == token.token {}
    };
    timeout(PATIENCE, other).await.expect("the other key signs");

    invalidate(&centre, "pg_app").await;
    let told = timeout(PATIENCE, heard.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(told, WatchResponse { changed: vec![connection("pg_app")], grants: vec![] });
}

#[tokio::test]
async fn a_credential_that_one_pod_reports_as_refused_is_another_one_for_all() {
    let key = |byte: u8| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, [byte; 64]);
    let (_vault, yaml) = vault(&[("key1", &key(1)), ("key2", &key(2))]).await;
    let brokered = format!(
        "{yaml}
accounts: {{landing: {{kind: storage, name: acmelanding, keys: [{{secret: prod/key1}}, {{secret: prod/key2}}]}}}}
grants: {{raw: {{account: landing, kind: service-sas, service: blob, container: raw, permissions: rl}}}}
connections: {{wasb_raw: {{type: wasb, grant: raw}}}}"
    );
    let clock = clock();
    let centre = Valet::start(&brokered, &clock).await;
    let (one, other) = (
        Valet::start(&of_upstream(&centre.socket()), &clock).await,
        Valet::start(&of_upstream(&centre.socket()), &clock).await,
    );
    listens(&centre, 2).await;
    let refused = other.value("wasb_raw").await;
    assert_eq!(one.value("wasb_raw").await, refused);
    let Asking(mut broker) = one.ask().await;
    let report = valet::proto::v1::ReportRejectedRequest {
        credential: Some(valet::proto::v1::report_rejected_request::Credential::ConnId("wasb_raw".to_owned())),
        ..Default::default()
    };
    assert!(broker.report_rejected(report).await.unwrap().into_inner().superseded);
    let now = one.value("wasb_raw").await;
    assert_ne!(now, refused);
    becomes(&other, "wasb_raw", &now).await;
}

#[tokio::test]
async fn who_may_not_ask_for_a_name_does_not_hear_of_it() {
    let (_vault, yaml) = vault(&[(PG, "pg://"), ("airflow-variables-v", "v")]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    let (variables, nothing) = (centre.dir().join("variables.sock"), centre.dir().join("admin.sock"));
    let hear = async |socket| {
        let mut broker = valet::proto::v1::broker_client::BrokerClient::new(crate::lab::channel(socket).await);
        broker.watch(WatchRequest {}).await.map(tonic::Response::into_inner)
    };
    assert_eq!(crate::lab::reason(hear(&nothing).await), "DENIED_BY_POLICY");
    let mut heard = hear(&variables).await.unwrap();
    centre.value("pg").await;
    centre.ask().await.variable("v", "").await.unwrap();
    invalidate(&centre, "pg").await;
    let variable = Named { name: Some(Name::Variable("v".to_owned())), team: String::new() };
    let request = InvalidateRequest { lookup: Some(variable.clone()) };
    centre.admin().await.invalidate(request).await.unwrap();
    let told = timeout(PATIENCE, heard.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(told.changed, [variable]);
}

#[tokio::test]
async fn what_may_have_been_missed_is_asked_for_and_until_then_answered() {
    let centre = Scripted::start().await;
    centre.script.is_open.store(true, Ordering::Relaxed);
    let pod = Valet::start(&of_upstream(&centre.socket()), &clock()).await;
    centre.script.is_watched().await;
    // What is heard is taken in one after the other: when this has been, so has the beginning.
    let told = |id: &str| Ok(Changes { names: vec![Lookup::parse(Kind::Connection, id, "").unwrap()], grants: vec![] });
    pod.value("canary").await;
    centre.script.say(Ok(Some(answer("heard://"))));
    centre.script.tell(&told("canary"));
    becomes(&pod, "canary", "heard://").await;
    centre.script.say(Ok(Some(answer("value://"))));
    assert_eq!(pod.value("pg").await, "value://");
    centre.script.say(Ok(Some(answer("new://"))));
    assert_eq!(pod.value("pg").await, "value://");
    centre.script.tell(&Err(Fault::new(FaultKind::Interrupted, "planted")));
    becomes(&pod, "pg", "new://").await;
    centre.script.is_watched().await;

    centre.script.say(Ok(Some(answer("newer://"))));
    centre.script.tell(&told("pg"));
    becomes(&pod, "pg", "newer://").await;
    centre.script.say(Err(Fault::new(FaultKind::SourceDown, "planted")));
    centre.script.tell(&told("pg"));
    let stale = async { while pod.get("pg").await.unwrap().state() != valet::proto::v1::State::Stale {} };
    timeout(PATIENCE, stale).await.expect("it is doubted");
    assert_eq!(pod.value("pg").await, "newer://");
}

#[tokio::test]
async fn a_reload_there_ends_what_is_heard_and_it_is_heard_again() {
    let centre =
        Valet::start("sources: {env: {kind: environment}}\nconnections: {c: {type: http, host: one}}", &clock()).await;
    let pod = Valet::start(&of_upstream(&centre.socket()), &clock()).await;
    listens(&centre, 1).await;
    let mut heard = watch(&centre).await;
    let before = pod.value("c").await;
    centre.reload("sources: {env: {kind: environment}}\nconnections: {c: {type: http, host: two}}").await;
    let status = timeout(PATIENCE, heard.message()).await.unwrap().unwrap_err();
    assert_eq!(
        (status.code(), crate::lab::reason::<()>(Err(status.clone())).as_str()),
        (tonic::Code::Aborted, "INTERRUPTED")
    );
    becomes(&pod, "c", &before.replace("one", "two")).await;
}

#[tokio::test]
async fn who_listens_does_not_hold_up_an_end() {
    let clock = clock();
    let centre = Valet::start("sources: {env: {kind: environment}}", &clock).await;
    let pod = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    listens(&centre, 1).await;
    timeout(Duration::from_secs(10), centre.stop()).await.expect("before the drain's 25 s");
    timeout(Duration::from_secs(10), pod.stop()).await.expect("nor does listening");
}
