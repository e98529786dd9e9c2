//! The one stream: what is told of changes, how, and how it ends.

use crate::{
    clients::{channel, post, send},
    script::Valet,
};
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Status, Streaming, transport::Channel};
use valet::{
    model::{Changes, Fault, FaultKind, Kind, Lookup},
    proto::v1::{self, WatchResponse, broker_client::BrokerClient},
    telemetry::Counter,
    transport::Limits,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Watches. The answer's head comes at once, and what changes from then on is told.
async fn watch(valet: &Valet) -> Result<Streaming<WatchResponse>, Status> {
    let mut broker: BrokerClient<Channel> = BrokerClient::new(channel(&valet.tasks()).await);
    let begun = timeout(PATIENCE, broker.watch(v1::WatchRequest {})).await.expect("it begins before anything changes");
    Ok(begun?.into_inner())
}

async fn next(stream: &mut Streaming<WatchResponse>) -> Result<WatchResponse, (tonic::Code, String)> {
    let message = timeout(PATIENCE, stream.message()).await.expect("a message comes");
    message.map(|message| message.expect("it does not end without a word")).map_err(|status| {
        let reason = status.metadata().get("valet-reason").map_or("", |reason| reason.to_str().unwrap());
        (status.code(), reason.to_owned())
    })
}

fn changes(names: &[&str], grants: &[&str]) -> Changes {
    let lookup = |name: &&str| Lookup::parse(Kind::Connection, name, "").unwrap();
    Changes { names: names.iter().map(lookup).collect(), grants: grants.iter().map(|&grant| grant.into()).collect() }
}

fn message(names: &[&str], grants: &[&str]) -> WatchResponse {
    let lookup =
        |name: &&str| v1::Lookup { name: Some(v1::lookup::Name::Connection((*name).to_owned())), team: String::new() };
    WatchResponse {
        changed: names.iter().map(lookup).collect(),
        grants: grants.iter().map(|&it| it.to_owned()).collect(),
    }
}

fn interrupted<T>() -> Result<T, (tonic::Code, String)> {
    Err((tonic::Code::Aborted, "INTERRUPTED".to_owned()))
}

#[tokio::test]
async fn what_changes_together_is_told_together_and_once() {
    let valet = Valet::with(Limits { watch_gather: Duration::from_millis(300), ..Limits::default() }).await;
    let mut stream = watch(&valet).await.unwrap();
    for (names, grants) in [(&["a", "b"][..], &["g"][..]), (&["b", "c"], &[]), (&[], &["g", "h"])] {
        valet.script.told.send(Ok(changes(names, grants))).unwrap();
    }
    assert_eq!(next(&mut stream).await, Ok(message(&["a", "b", "c"], &["g", "h"])));
    valet.script.told.send(Ok(changes(&["a"], &[]))).unwrap();
    assert_eq!(next(&mut stream).await, Ok(message(&["a"], &[])));
}

#[tokio::test]
async fn more_names_than_fit_come_in_several_messages_and_an_end_comes_after_them() {
    let valet = Valet::with(Limits { watch_names: 2, ..Limits::default() }).await;
    let mut stream = watch(&valet).await.unwrap();
    valet.script.told.send(Ok(changes(&["a", "b", "c", "d", "e"], &["g"]))).unwrap();
    valet.script.told.send(Err(Fault::new(FaultKind::Interrupted, "planted"))).unwrap();
    assert_eq!(next(&mut stream).await, Ok(message(&["a", "b"], &["g"])));
    assert_eq!(next(&mut stream).await, Ok(message(&["c", "d"], &[])));
    assert_eq!(next(&mut stream).await, Ok(message(&["e"], &[])));
    assert_eq!(next(&mut stream).await, interrupted());
}

#[tokio::test]
async fn silence_is_broken_by_messages_without_names() {
    let valet = Valet::with(Limits { watch_beat: Duration::from_millis(20), ..Limits::default() }).await;
    let mut stream = watch(&valet).await.unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut stream).await, Ok(WatchResponse::default()));
    }
}

#[tokio::test]
async fn a_process_that_ends_does_not_wait_for_those_who_watch() {
    let valet = Valet::start().await;
    let mut stream = watch(&valet).await.unwrap();
    valet.shutdown.cancel();
    assert_eq!(next(&mut stream).await, interrupted());
    drop(stream);
    timeout(PATIENCE, valet.running).await.expect("the drain ends before its time").unwrap();
}

#[tokio::test]
async fn those_who_watch_have_places_of_their_own() {
    let valet = Valet::with(Limits { watchers: 1, requests: 1, ..Limits::default() }).await;
    let stream = watch(&valet).await.unwrap();
    assert_eq!(crate::clients::get(&valet, "hit").await.status, 200, "a request has its place still");
    let refused = watch(&valet).await.unwrap_err();
    assert_eq!(refused.metadata().get("valet-reason").unwrap(), "OVERLOADED");
    assert_eq!(valet.counted(Counter::WatchesBegun), 1);
    drop(stream);
    let again = async { while watch(&valet).await.is_err() {} };
    timeout(PATIENCE, again).await.expect("a place that is left is free");
}

#[tokio::test]
async fn a_refusal_has_its_reason_and_connect_has_no_streams() {
    let valet = Valet::start().await;
    let mut broker = BrokerClient::new(channel(&valet.admin()).await);
    let refused = broker.watch(v1::WatchRequest {}).await.unwrap_err();
    assert_eq!(refused.metadata().get("valet-reason").unwrap(), "DENIED_BY_POLICY");
    let sent = post("/valet.v1.Broker/Watch", "application/json").body("{}").unwrap();
    let refused = send(&valet.tasks(), sent).await;
    assert_eq!((refused.status.as_u16(), refused.refused().reason.as_str()), (501, "UNSUPPORTED"));
}
