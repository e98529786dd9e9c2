//! `ReportRejected`: what is read again, which key signs from then on, and what a report cannot do.

use crate::lab::{HOUR, KEY1, KEY2, KEY3, Lab, midnight};
use futures::FutureExt as _;
use std::time::Duration;
use valet::{
    model::{Credential, FaultKind, Kind, Lookup, Name, Reported},
    telemetry::Counter,
};

const SECOND: Duration = Duration::from_secs(1);

fn accepted(superseded: bool) -> Reported {
    Reported { accepted: true, retry_after: None, superseded }
}

fn held_back(seconds: u32) -> Reported {
    Reported { accepted: false, retry_after: Some(SECOND * seconds), superseded: false }
}

const SUPERSEDED: Reported = Reported { accepted: false, retry_after: None, superseded: true };

/// A minute later, two keys of which `b` is the newer.
fn two_keys() -> Lab {
    let lab = Lab::new();
    lab.put("a", KEY1);
    lab.clock.advance(SECOND * 60);
    lab.put("b", KEY2);
    lab
}

#[tokio::test]
async fn a_stored_connection_is_read_past_the_cache_twice_a_minute_at_most() {
    let lab = Lab::new();
    lab.put("conn-x", "a://1");
    assert_eq!(lab.connection("x").await, "a://1");
    lab.put("conn-x", "a://2");
    assert_eq!(lab.report("x", None).await, Ok(Some(accepted(true))));
    assert_eq!((lab.connection("x").await, lab.reads()), ("a://2".to_owned(), 2));
    lab.put("conn-x", "a://3");
    lab.clock.advance(SECOND * 10);
    assert_eq!(lab.report("x", None).await, Ok(Some(held_back(20))));
    assert_eq!((lab.connection("x").await, lab.reads()), ("a://2".to_owned(), 2));
    lab.clock.advance(SECOND * 20);
    assert_eq!(lab.report("x", Some("a://2")).await, Ok(Some(accepted(true))));
    assert_eq!((lab.connection("x").await, lab.reads()), ("a://3".to_owned(), 3));
    lab.clock.advance(SECOND * 30);
    assert_eq!(lab.report("x", None).await, Ok(Some(accepted(false))), "it is the same");
    assert_eq!((lab.counted(Counter::Rejections), lab.counted(Counter::RejectionsHeldBack)), (4, 1));
    assert_eq!(lab.told().len(), 3, "whoever keeps values itself is told before it is read");
    assert!(lab.told().iter().all(|(lookup, value)| lookup.name.as_str() == "x" && value.is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_stored_value_stays_while_its_source_is_down_and_goes_with_it_when_it_is_deleted() {
    let lab = Lab::new();
    lab.put("conn-x", "a://1");
    lab.connection("x").await;
    for fault in [FaultKind::SourceDown, FaultKind::Throttled] {
        lab.set_fault(Some(fault));
        assert_eq!(lab.report("x", None).await, Ok(Some(accepted(false))));
        assert_eq!(lab.connection("x").await, "a://1");
        lab.clock.advance(SECOND * 30);
    }
    lab.set_fault(None);
    assert_eq!(lab.report("nowhere", None).await, Ok(None));
    lab.delete("conn-x");
    assert_eq!(lab.report("x", None).await, Ok(None));
    assert_eq!(lab.get(Kind::Connection, "x", "").await, Ok(None));
}

#[tokio::test]
async fn a_report_of_an_older_value_changes_nothing_and_says_that_there_is_another() {
    let lab = two_keys();
    lab.put("conn-x", "a://2");
    lab.connection("x").await;
    let (token, reads) = (lab.token().await, lab.reads());
    assert_eq!(lab.report("x", Some("a://1")).await, Ok(Some(SUPERSEDED)));
    assert_eq!(lab.report("wasb", Some("an older token")).await, Ok(Some(SUPERSEDED)));
    assert_eq!((lab.token().await, lab.reads()), (token, reads));
    assert_eq!(lab.account().keys[1].suspect_until, None);
    let value = lab.connection("wasb").await;
    assert_eq!(lab.report("wasb", Some(&value)).await, Ok(Some(accepted(true))));
}

#[tokio::test]
async fn the_other_key_signs_for_a_suspect_one_and_no_token_of_that_is_handed_out_again() {
    let lab = two_keys();
    let (value, (of_b, token)) = (lab.connection("wasb").await, lab.token().await);
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    assert_eq!(lab.report("wasb", None).await, Ok(Some(accepted(true))));
    assert_eq!(lab.signs().await.unwrap(), KEY1);
    let (of_a, other) = lab.token().await;
    assert!(of_a != of_b && other != token && lab.connection("wasb").await != value);
    let keys = lab.account().keys;
    assert_eq!(keys.iter().map(|key| key.signs).collect::<Vec<_>>(), [true, false]);
    assert_eq!(keys[1].suspect_until, Some(midnight() + SECOND * 60 + HOUR));
    assert_eq!(lab.counted(Counter::KeysSuspected), 1);

    // Another connection of the same account has the same key.
    assert_eq!(lab.report_grant("read").await, Ok(Some(held_back(30))));
    assert_eq!(lab.signs().await.unwrap(), KEY1);
    lab.clock.advance(HOUR - SECOND);
    assert_eq!(lab.signs().await.unwrap(), KEY1);
    lab.clock.advance(SECOND);
    assert_eq!(lab.signs().await.unwrap(), KEY2, "a suspicion is no proof, and ends");
    assert_eq!(lab.account().keys[1].suspect_until, None);
    assert_ne!(lab.token().await, (of_b, token), "its tokens went");
}

#[tokio::test]
async fn a_report_counts_also_if_whoever_made_it_does_not_wait_for_the_vault() {
    let lab = two_keys();
    let (of_b, token) = lab.token().await;
    lab.silence();
    assert!(lab.report("wasb", None).now_or_never().is_none(), "the vault is asked");
    let (of_a, other) = lab.token().await;
    assert!(of_a != of_b && other != token);
    assert_eq!(lab.report("wasb", None).await, Ok(Some(held_back(30))));
}

#[tokio::test]
async fn a_new_key_signs_at_once_and_the_same_one_stored_again_is_no_longer_suspect() {
    let lab = two_keys();
    lab.token().await;
    lab.clock.advance(SECOND * 10);
    lab.put("b", KEY3);
    assert_eq!(lab.report("wasb", None).await, Ok(Some(accepted(true))));
    assert_eq!(lab.signs().await.unwrap(), KEY3);
    let status = lab.account();
    assert_eq!(status.keys.iter().map(|key| key.suspect_until).collect::<Vec<_>>(), [None, None]);
    assert_eq!((status.earlier_keys.len(), status.earlier_keys[0].reference.as_str()), (1, "{secret: vault/b}"));

    let lab = two_keys();
    lab.token().await;
    lab.report("wasb", None).await.unwrap();
    assert_eq!(lab.signs().await.unwrap(), KEY1);
    lab.clock.advance(SECOND * 400);
    lab.put("b", KEY2);
    lab.signs().await.unwrap();
    lab.clock.advance(SECOND * 400);
    assert_eq!(lab.signs().await.unwrap(), KEY2);
}

#[tokio::test]
async fn where_every_key_is_suspect_the_newest_signs_and_with_a_new_token() {
    let lab = two_keys();
    let (of_b, first) = lab.token().await;
    lab.report("wasb", None).await.unwrap();
    lab.clock.advance(SECOND * 30);
    assert_eq!(lab.report("wasb", None).await, Ok(Some(accepted(true))));
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    let (signer, second) = lab.token().await;
    assert!(signer == of_b && second != first);
    assert!(lab.account().keys.iter().all(|key| key.suspect_until.is_some()));
    assert!(lab.account().keys[1].signs);
}

#[tokio::test(start_paused = true)]
async fn a_key_becomes_suspect_while_its_source_is_down_and_goes_on_if_it_is_the_only_one() {
    for (keys, expected) in [(&["a", "b"][..], KEY1), (&["b"], KEY2)] {
        let lab = Lab::with_keys(keys);
        lab.put("a", KEY1);
        lab.clock.advance(SECOND);
        lab.put("b", KEY2);
        assert_eq!(lab.signs().await.unwrap(), KEY2);
        lab.set_fault(Some(FaultKind::SourceDown));
        lab.set_list_fault(Some(FaultKind::SourceDown));
        assert!(lab.report("wasb", None).await.unwrap().unwrap().accepted);
        assert_eq!(lab.signs().await.unwrap(), expected, "{keys:?}");
    }
}

#[tokio::test]
async fn of_two_keys_in_one_secret_the_version_before_signs_for_a_suspect_one() {
    let lab = Lab::with_keys(&["k"]);
    for key in [KEY1, KEY2, KEY2] {
        lab.put("k", key);
        lab.clock.advance(SECOND);
    }
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    assert_eq!(lab.report_grant("key").await, Ok(Some(accepted(true))));
    assert_eq!(lab.signs().await.unwrap(), KEY1);
    let (of_first, _) = lab.token().await;
    let status = lab.account();
    assert_eq!((status.keys.len(), status.keys[0].signs, status.keys[0].version.as_deref()), (1, false, Some("v3")));
    let earlier = &status.earlier_keys[0];
    assert_eq!((earlier.signs, earlier.version.as_deref()), (true, Some("v1")));
    assert_eq!(earlier.fingerprint.as_deref(), Some(&*of_first));
    let reads = lab.reads();
    lab.token().await;
    assert_eq!(lab.reads(), reads, "it is read once");

    lab.clock.advance(SECOND * 30);
    lab.put("k", KEY3);
    assert_eq!(lab.report_grant("key").await, Ok(Some(accepted(true))));
    assert_eq!(lab.signs().await.unwrap(), KEY3);
    // Both keys before are listed as long as they may have tokens out.
    assert_eq!(lab.account().earlier_keys.len(), 2);
}

#[tokio::test]
async fn the_suspect_key_goes_on_where_no_version_before_can_be_had() {
    let lab = Lab::with_keys(&["k"]);
    lab.put("k", KEY1);
    lab.clock.advance(SECOND);
    lab.put("k", KEY2);
    lab.signs().await.unwrap();
    lab.set_list_fault(Some(FaultKind::DeniedBySource));
    assert!(lab.report_grant("key").await.unwrap().unwrap().accepted);
    assert_eq!(lab.signs().await.unwrap(), KEY2);
    assert!(lab.account().keys[0].signs);
    lab.set_list_fault(None);
    lab.clock.advance(SECOND * 2);
    assert_eq!(lab.signs().await.unwrap(), KEY1, "the right was given");

    let lab = Lab::with_keys(&["k"]);
    lab.put("k", KEY1);
    lab.put("k", KEY1);
    lab.signs().await.unwrap();
    lab.report_grant("key").await.unwrap();
    assert_eq!(lab.signs().await.unwrap(), KEY1, "there has been no other");
}

#[tokio::test]
async fn what_a_reference_held_before_never_signs_where_there_are_two() {
    let lab = two_keys();
    lab.clock.advance(SECOND);
    lab.put("a", KEY3);
    lab.signs().await.unwrap();
    for _ in 0..2 {
        lab.report("wasb", None).await.unwrap();
        lab.clock.advance(SECOND * 30);
    }
    // Of `a` there is a version with KEY1: regenerated, so dead.
    assert_eq!(lab.signs().await.unwrap(), KEY3);
}

#[tokio::test]
async fn a_user_delegation_key_is_asked_for_anew_and_its_tokens_go() {
    let lab = two_keys();
    let first = lab.connection("udk").await;
    lab.clock.advance(SECOND * 60);
    assert_eq!(lab.report("udk", None).await, Ok(Some(accepted(true))));
    assert_eq!(lab.given(), 2);
    assert_ne!(lab.connection("udk").await, first);
    assert_eq!(lab.report_grant("delegated").await, Ok(Some(held_back(30))));
    assert_eq!(lab.given(), 2);
    assert_eq!(lab.account().keys[1].suspect_until, None, "no key of the account has signed it");
}

#[tokio::test]
async fn references_and_entra_tokens_of_a_connection_are_had_anew() {
    let lab = Lab::new();
    assert!(lab.connection("pg").await.contains("s3cret"));
    lab.put("pw", "n3w");
    assert_eq!(lab.report("pg", None).await, Ok(Some(accepted(true))));
    assert!(lab.connection("pg").await.contains("n3w"));
    lab.clock.advance(SECOND * 29);
    assert_eq!(lab.report("pg", None).await, Ok(Some(held_back(1))));
    assert!(lab.connection("db").await.contains("token 0"));
    assert_eq!(lab.report("db", None).await, Ok(Some(accepted(true))));
    assert!(lab.connection("db").await.contains("token 1"));
}

#[tokio::test]
async fn who_may_not_have_a_credential_may_not_report_it() {
    let lab = two_keys();
    let grant = |name: &str| Credential::Grant(Name::parse(name).unwrap());
    let connection = || Credential::Connection(Lookup::parse(Kind::Connection, "wasb", "").unwrap());
    let denied = async |listener: &str, of: Credential| {
        let said = lab.report_of(listener, of, None).await;
        said.err().map(|fault| (fault.kind(), fault.message().to_owned()))
    };
    let rule = |listener: &str, right: &str| {
        Some((FaultKind::DeniedByPolicy, format!("listen.{listener}.allow does not list {right:?}")))
    };
    assert_eq!(denied("admin", connection()).await, rule("admin", "connections"));
    assert_eq!(denied("signatures", grant("read")).await, rule("signatures", "tokens"));
    assert_eq!(denied("tasks", grant("sign")).await, rule("tasks", "signatures"));
    assert_eq!(denied("admin", grant("nobody's")).await, rule("admin", "signatures"));
    assert_eq!(lab.report_of("tasks", grant("nobody's"), None).await, Ok(None));
    assert_eq!(lab.report_of("signatures", grant("nobody's"), None).await, Ok(None));
    assert_eq!(lab.counted(Counter::KeysSuspected), 0);
    // A signature is another one each time, so the key of now is meant, whatever the report says beside.
    assert_eq!(lab.report_of("signatures", grant("sign"), Some("SharedKey a:b")).await, Ok(Some(accepted(false))));
    assert_eq!(lab.signs().await.unwrap(), KEY1);
}
