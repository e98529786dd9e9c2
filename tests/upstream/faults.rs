//! What keeps a value away there is what keeps it away here.

use crate::{
    lab::{Valet, clock, of_upstream, reason},
    script::{Scripted, answer},
};
use std::{sync::Arc, time::Duration};
use valet::model::{Fault, FaultKind};

#[tokio::test]
async fn every_fault_keeps_its_reason_and_when_to_come_again() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    for kind in FaultKind::ALL {
        centre.script.say(Err(Fault::new(kind, "planted").retry_after(Some(Duration::from_secs(20)))));
        let status = valet.get(kind.reason()).await.unwrap_err();
        let said = |name: &str| status.metadata().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(said("valet-reason").as_deref(), Some(kind.reason()), "{status:?}");
        if kind == FaultKind::Internal {
            assert!(status.message().starts_with("internal error "), "its number is of this log: {status:?}");
        } else {
            assert_eq!(said("retry-after").as_deref(), Some("20"), "{kind:?}");
            let where_and_what =
                format!("source central: the Valet at unix:{} says: planted", centre.socket().display());
            assert!(status.message().starts_with(&where_and_what), "{status:?}");
        }
    }
    centre.script.say(Ok(None));
    assert_eq!(reason(valet.get("absent").await), "NOT_FOUND");
}

#[tokio::test]
async fn an_upstream_that_is_gone_is_a_source_that_is_down_and_is_asked_again_when_it_is_back() {
    let mut centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    assert_eq!(valet.value("held").await, "value://");
    centre.stop().await;
    let status = valet.get("cold").await.unwrap_err();
    let message = format!(
        "source central: the Valet at unix:{} cannot be reached: nothing listens on this socket",
        centre.socket().display()
    );
    assert!(status.message().starts_with(&message), "{status:?}");
    assert_eq!(reason::<()>(Err(status)), "SOURCE_DOWN");
    clock.advance(Duration::from_mins(10));
    let stale = valet.get("held").await.unwrap();
    assert_eq!((stale.value.as_str(), stale.state()), ("value://", valet::proto::v1::State::Stale));
    centre.start_again().await;
    centre.script.say(Ok(Some(answer("new://"))));
    clock.advance(Duration::from_mins(1));
    assert_eq!(valet.value("cold").await, "new://");
    assert_eq!(valet.value("held").await, "new://");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_no_lookup() {
    let mut centre = Scripted::start().await;
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock()).await;
    assert_eq!(valet.value("a").await, "value://");
    centre.stop().await;
    centre.start_again().await;
    let reads = valet.counter("reads_retried").await;
    assert_eq!(valet.value("b").await, "value://");
    assert_eq!(valet.counter("reads_retried").await, reads, "the call itself went over another connection");
}

#[tokio::test]
async fn what_was_skipped_there_keeps_what_is_held_here() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    assert_eq!(valet.value("held").await, "value://");
    centre.script.say(Err(Fault::new(FaultKind::Skipped, "planted")));
    clock.advance(Duration::from_mins(10));
    assert_eq!(valet.value("held").await, "value://");
    assert_eq!(reason(valet.get("cold").await), "SKIPPED");
    centre.script.say(Err(Fault::new(FaultKind::DeniedByPolicy, "planted")));
    clock.advance(Duration::from_mins(1));
    assert_eq!(reason(valet.get("held").await), "DENIED_BY_POLICY");
    centre.script.say(Err(Fault::new(FaultKind::SourceDown, "planted")));
    clock.advance(Duration::from_mins(1));
    assert_eq!(reason(valet.get("held").await), "SOURCE_DOWN", "a refusal dropped it");
}

#[tokio::test]
async fn something_that_is_no_valet_is_a_source_that_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("other.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let other = tokio_util::task::TaskTracker::new();
    other.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    let valet = Valet::start(&of_upstream(&socket), &Arc::clone(&clock())).await;
    let status = valet.get("a").await.unwrap_err();
    assert!(status.message().contains("the Valet at unix:"), "{status:?}");
    assert_eq!(reason::<()>(Err(status)), "SOURCE_DOWN");
}

#[tokio::test]
async fn a_value_as_long_as_an_answer_may_be_comes_through_and_a_longer_one_is_too_large_here_too() {
    let centre = Scripted::start().await;
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock()).await;
    let long = |bytes: usize| format!("x://{}", "y".repeat(bytes));
    centre.script.say(Ok(Some(answer(&long(3 << 20)))));
    assert_eq!(valet.value("long").await, long(3 << 20));
    centre.script.say(Ok(Some(answer(&long(4 << 20)))));
    assert_eq!(reason(valet.get("longer").await), "TOO_LARGE");
}

#[tokio::test]
async fn a_vault_that_hangs_behind_the_upstream_costs_a_lookup_a_second_and_no_value() {
    let (vault, yaml) = crate::lab::vault(&[("airflow-connections-pg", "pg://")]).await;
    let clock = clock();
    let centre = Valet::start(&yaml, &clock).await;
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    assert_eq!(valet.value("pg").await, "pg://");
    vault.inject(valet_testvault::FaultRule::new(valet_testvault::Fault::Hold {}));
    clock.advance(Duration::from_mins(10));
    let asked = tokio::time::timeout(Duration::from_secs(5), valet.get("pg")).await;
    let stale = asked.expect("it does not wait for the vault").unwrap();
    assert_eq!((stale.value.as_str(), stale.state()), ("pg://", valet::proto::v1::State::Stale));
}

#[tokio::test]
async fn who_waits_for_a_connection_shares_how_the_one_try_ends() {
    // It takes connections and never says a word.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let yaml = format!(
        "sources: {{central: {{kind: upstream, target: \"https://localhost:{}\"}}}}",
        mute.local_addr().unwrap().port()
    );
    let valet = Valet::start(&yaml, &clock()).await;
    let names: Vec<_> = (0..20).map(|number| format!("cold_{number}")).collect();
    let all = futures::future::join_all(names.iter().map(|name| valet.get(name)));
    let all = tokio::time::timeout(Duration::from_secs(9), all).await.expect("not one after the other");
    for refused in all {
        let status = refused.unwrap_err();
        assert!(status.message().contains("cannot be reached: no connection within 5 s"), "{status:?}");
        assert_eq!(reason::<()>(Err(status)), "SOURCE_DOWN");
    }
}
