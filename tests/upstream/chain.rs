//! Valets that ask Valets, before a real vault: what a fleet costs it, what a cold one finds, what a circle comes to.

use crate::lab::{Valet, clock, of_upstream, reason, vault};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use valet::proto::v1;
use valet_testvault::{Fault, FaultRule};

const PG: (&str, &str) = ("airflow-connections-pg", "postgres://u:pa55word@h/db");

#[tokio::test]
async fn a_fleet_costs_the_vault_one_read_and_a_cold_one_finds_it_warm() {
    let (vault, yaml) = vault(&[PG]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    let fleet = join_all((0..5).map(|_| async { Valet::start(&of_upstream(&centre.socket()), &clock).await })).await;
    for answer in join_all(fleet.iter().map(|valet| valet.get("pg"))).await {
        let answer = answer.unwrap();
        assert_eq!((answer.value.as_str(), answer.source.as_str()), (PG.1, "central"));
        assert_eq!(answer.mask, ["pa55word"]);
    }
    assert_eq!(vault.counters().reads, 1);
    clock.advance(Duration::from_mins(2));
    let cold = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let answer = cold.get("pg").await.unwrap();
    assert_eq!((answer.value.as_str(), answer.age.unwrap().seconds), (PG.1, 120));
    assert_eq!(vault.counters().reads, 1, "the centre had it");
}

#[tokio::test]
async fn a_cold_one_starts_while_the_vault_is_gone_and_the_others_go_on_while_the_centre_is() {
    let (vault, yaml) = vault(&[PG]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    assert_eq!(centre.value("pg").await, PG.1);
    clock.advance(Duration::from_mins(10));
    vault.inject(FaultRule::new(Fault::Reset {}));
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let answer = valet.get("pg").await.unwrap();
    assert_eq!((answer.value.as_str(), answer.state(), answer.age.unwrap().seconds), (PG.1, v1::State::Stale, 600));
    assert_eq!(reason(valet.get("other").await), "SOURCE_DOWN");
    vault.clear_faults(None);
    clock.advance(Duration::from_mins(2));
    assert_eq!(valet.get("pg").await.unwrap().state(), v1::State::Fresh);

    drop(centre.stop().await);
    clock.advance(Duration::from_hours(23));
    let answer = valet.get("pg").await.unwrap();
    assert_eq!((answer.value.as_str(), answer.state()), (PG.1, v1::State::Stale));
    clock.advance(Duration::from_hours(1));
    assert_eq!(reason(valet.get("pg").await), "SOURCE_DOWN");
}

#[tokio::test]
async fn a_brokered_connection_and_a_token_come_through_a_chain_of_two() {
    let key =
        ("landing-key", "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMQ==");
    let (_vault, yaml) = vault(&[key]).await;
    let clock = clock();
    let brokered = format!(
        "{yaml}
accounts: {{landing: {{kind: storage, name: acmelanding, keys: [{{secret: prod/landing-key}}]}}}}
grants: {{raw: {{account: landing, kind: service-sas, service: blob, container: raw, permissions: rl, lifetime: 12h}}}}
connections: {{wasb_raw: {{type: wasb, grant: raw}}}}"
    );
    let centre = Valet::start(&brokered, &clock).await;
    let node = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let pod = Valet::start(&of_upstream(&node.socket()), &clock).await;
    let (there, here) = (centre.get("wasb_raw").await.unwrap(), pod.get("wasb_raw").await.unwrap());
    assert_eq!((&here.value, &here.mask, here.expires_at), (&there.value, &there.mask, there.expires_at));
    assert!(here.ends && here.expires_at.is_some());
    let token = pod.ask().await.token("raw", None).await.unwrap();
    assert_eq!(token, centre.ask().await.token("raw", None).await.unwrap());
    assert!(here.value.contains("sig="), "the token is in the connection");
    assert_eq!(reason(pod.ask().await.token("raw", Some(60 * 13)).await), "OUT_OF_RANGE");
    assert_eq!(reason(pod.ask().await.token("none", None).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_circle_is_found_out_at_once_and_a_chain_has_an_end() {
    let clock = clock();
    let one = Valet::start("sources: {env: {kind: environment}}", &clock).await;
    let two = Valet::start(&of_upstream(&one.socket()), &clock).await;
    one.reload(&of_upstream(&two.socket())).await;
    for valet in [&one, &two] {
        let asked = tokio::time::timeout(Duration::from_secs(5), valet.get("a")).await;
        let status = asked.expect("it does not wait for itself").unwrap_err();
        assert!(status.message().contains("the upstreams lead in a circle"), "{status:?}");
        assert_eq!(reason::<()>(Err(status)), "BAD_CONFIG");
    }

    let mut chain = vec![Valet::start("sources: {env: {kind: environment}}", &clock).await];
    for _ in 0..5 {
        let next = of_upstream(&chain.last().unwrap().socket());
        chain.push(Valet::start(&next, &clock).await);
    }
    let value = async |at: usize| chain[at].ask().await.variable("local", "").await;
    let refused = value(5).await.unwrap_err();
    assert!(refused.message().contains("came through 4 Valets already"), "{refused:?}");
    clock.advance(Duration::from_mins(1));
    assert_eq!(value(4).await.unwrap().value, "local", "through 4 others");
}

#[tokio::test]
async fn a_valet_that_asks_itself_says_so() {
    let clock = clock();
    let valet = Arc::new(Valet::start("sources: {env: {kind: environment}}", &clock).await);
    valet.reload(&of_upstream(&valet.socket())).await;
    assert_eq!(reason(valet.get("a").await), "BAD_CONFIG");
}
