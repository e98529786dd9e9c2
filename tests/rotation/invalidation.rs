//! `Invalidate`: what is forgotten, and what is not.

use crate::lab::{KEY1, KEY2, Lab, caller};
use std::time::Duration;
use valet::{
    model::{FaultKind, Kind, Lookup},
    telemetry::Counter,
};

#[tokio::test]
async fn a_name_is_forgotten_with_its_kind_and_for_every_team_unless_one_is_named() {
    let lab = Lab::new();
    for name in ["conn-x", "conn-y", "var-x", "x"] {
        lab.put(name, "a://1");
    }
    let ask = async || {
        for team in ["", "red", "blue"] {
            lab.get(Kind::Connection, "x", team).await.unwrap().unwrap();
        }
        lab.get(Kind::Connection, "y", "").await.unwrap().unwrap();
        lab.get(Kind::Variable, "x", "").await.unwrap().unwrap();
        lab.reads()
    };
    assert_eq!((ask().await, ask().await), (5, 5));
    assert_eq!(lab.invalidate(Kind::Connection, "x", "red"), Ok(1));
    assert_eq!(ask().await, 6);
    assert_eq!(lab.invalidate(Kind::Connection, "x", ""), Ok(3));
    assert_eq!(ask().await, 9);
    assert_eq!(lab.invalidate(Kind::Config, "x", ""), Ok(0));
    assert_eq!(lab.invalidate(Kind::Variable, "x", ""), Ok(1));
    assert_eq!((ask().await, lab.counted(Counter::Invalidations)), (10, 4));
}

#[tokio::test]
async fn what_was_not_found_is_looked_for_again_and_nothing_stands_in_for_a_source_that_is_down() {
    let lab = Lab::new();
    assert_eq!(lab.get(Kind::Connection, "new", "").await, Ok(None));
    lab.put("conn-new", "a://1");
    assert_eq!(lab.get(Kind::Connection, "new", "").await, Ok(None), "it is believed not to be there");
    assert_eq!(lab.invalidate(Kind::Connection, "new", ""), Ok(1));
    assert_eq!(lab.connection("new").await, "a://1");

    lab.clock.advance(Duration::from_mins(10));
    lab.set_fault(Some(FaultKind::DeniedBySource));
    assert_eq!(lab.invalidate(Kind::Connection, "new", ""), Ok(1));
    let fault = lab.get(Kind::Connection, "new", "").await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::DeniedBySource);
}

#[tokio::test]
async fn a_brokered_connections_keys_tokens_and_references_are_forgotten() {
    let lab = Lab::new();
    lab.put("a", KEY1);
    let first = lab.connection("wasb").await;
    let of_others = lab.connection("pg").await;
    let (reads, given) = (lab.reads(), lab.given());
    lab.clock.advance(Duration::from_secs(5));
    lab.put("b", KEY2);
    lab.put("pw", "n3w");
    assert_eq!(lab.connection("wasb").await, first, "nobody can know yet");

    // Both keys, of which one is not there, and the token.
    assert_eq!(lab.invalidate(Kind::Connection, "wasb", ""), Ok(3));
    assert_ne!(lab.connection("wasb").await, first);
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    assert_eq!((lab.reads(), lab.given()), (reads + 2, given));

    assert_eq!(lab.connection("pg").await, of_others, "it is another connection");
    assert_eq!(
        lab.invalidate(Kind::Variable, "pw", ""),
        Ok(0),
        "a reference goes by the vault's name, and with its connection"
    );
    assert_eq!(lab.invalidate(Kind::Connection, "pg", ""), Ok(1));
    assert!(lab.connection("pg").await.contains("n3w"));

    lab.connection("udk").await;
    lab.connection("udk").await;
    assert_eq!(lab.given(), 1);
    // The tokens of `read`, `key` and `delegated`, both account keys and the user delegation key.
    assert_eq!(lab.invalidate(Kind::Connection, "udk", ""), Ok(6));
    lab.connection("udk").await;
    assert_eq!(lab.given(), 2);
}

#[tokio::test]
async fn only_who_may_use_admin_invalidates() {
    let lab = Lab::new();
    lab.put("conn-x", "a://1");
    lab.connection("x").await;
    let lookup = Lookup::parse(Kind::Connection, "x", "").unwrap();
    let fault = lab.broker.invalidate(&caller("tasks"), &lookup).unwrap_err();
    let expected = "listen.tasks.allow does not list \"admin\"";
    assert_eq!((fault.kind(), fault.message()), (FaultKind::DeniedByPolicy, expected));
    let reads = lab.reads();
    lab.connection("x").await;
    assert_eq!((lab.reads(), lab.counted(Counter::Invalidations)), (reads, 0));
}
