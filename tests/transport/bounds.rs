//! Bounds on what is open at a time, and the end of it all.

use crate::{
    clients::{Face, GET_CONNECTION, Refused, call, channel, get, post},
    script::Valet,
};
use http::{HeaderMap, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use tokio_util::task::TaskTracker;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use valet::{proto::v1, telemetry::Counter, transport::Limits};

const WAIT: &str = r#"{"connId":"wait"}"#;

fn waiting() -> String {
    let length = WAIT.len();
    format!(
        "POST {GET_CONNECTION} HTTP/1.1\r\nHost: valet\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{WAIT}"
    )
}

async fn connect(valet: &Valet) -> UnixStream {
    UnixStream::connect(valet.tasks()).await.unwrap()
}

/// Whether the other side has closed without a word.
async fn is_refused(mut stream: UnixStream) -> bool {
    let mut byte = [0];
    let reading = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte));
    match reading.await.expect("the other side does not close") {
        Ok(read) => read == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[tokio::test]
async fn a_connection_too_many_is_closed_and_the_other_listener_goes_on() {
    let valet = Valet::with(Limits { connections: 2, ..Limits::default() }).await;
    let held = [connect(&valet).await, connect(&valet).await];
    assert!(is_refused(connect(&valet).await).await);
    assert_eq!(valet.counted(Counter::ConnectionsRefused), 1);
    let status: Result<v1::StatusResponse, _> =
        call(Face::Grpc, &valet.admin(), "/valet.v1.Admin/Status", &HeaderMap::new(), &v1::StatusRequest {}).await;
    assert_eq!(status.unwrap().listeners[0].connections, 2);
    drop(held);
    valet.is_left_alone().await;
    assert_eq!(get(&valet, "hit").await.status, 200);
}

#[tokio::test]
async fn a_request_too_many_is_refused_at_once_on_every_face() {
    let valet = Valet::with(Limits { requests: 1, ..Limits::default() }).await;
    let mut first = connect(&valet).await;
    first.write_all(waiting().as_bytes()).await.unwrap();
    valet.script.waiting.acquire().await.unwrap().forget();
    let request = v1::GetConnectionRequest { conn_id: "hit".to_owned(), team: String::new() };
    for face in Face::ALL {
        let said: Result<v1::Answer, _> = call(face, &valet.tasks(), GET_CONNECTION, &HeaderMap::new(), &request).await;
        let overloaded = Refused {
            code: "resource_exhausted".to_owned(),
            reason: "OVERLOADED".to_owned(),
            message: "valet is answering as many requests as it may; ask again in a moment".to_owned(),
            retry_after: Some("1".to_owned()),
        };
        assert_eq!(said, Err(overloaded), "{face:?}");
    }
    assert_eq!(valet.counted(Counter::RequestsRefused), 5);
    valet.script.go.add_permits(1);
    first.read_exact(&mut [0; 12]).await.unwrap();
    drop(first);
    valet.is_left_alone().await;
    assert_eq!(get(&valet, "hit").await.status, 200);
}

#[tokio::test]
async fn an_http2_client_waits_for_its_turn() {
    let valet = Valet::with(Limits { streams: 1, ..Limits::default() }).await;
    let io = TokioIo::new(connect(&valet).await);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io).await.unwrap();
    TaskTracker::new().spawn(connection);
    let send = |body: &'static str| {
        let mut sender = sender.clone();
        let request =
            post(GET_CONNECTION, "application/json").version(Version::HTTP_2).body(Full::<bytes::Bytes>::from(body));
        async move { sender.send_request(request.unwrap()).await.unwrap().status() }
    };
    // The client learns of the bound with the server's settings, which come before the first answer.
    assert_eq!(send(r#"{"connId":"hit"}"#).await, 200);
    let (first, second, ()) = tokio::join!(send(WAIT), send(WAIT), async {
        valet.script.waiting.acquire().await.unwrap().forget();
        assert_eq!(valet.script.waiting.available_permits(), 0);
        valet.script.go.add_permits(2);
    });
    assert_eq!((first.as_u16(), second.as_u16()), (200, 200));
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let valet = Valet::with(Limits { idle: Duration::from_millis(50), ..Limits::default() }).await;
    assert!(is_refused(connect(&valet).await).await, "silent from the start");
    let mut used = connect(&valet).await;
    let mut answers = String::new();
    for _ in 0..2 {
        used.write_all(waiting().as_bytes()).await.unwrap();
        valet.script.go.add_permits(1);
    }
    used.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("200 OK").count(), 2);
    let mut grpc = HealthClient::new(channel(&valet.tasks()).await);
    grpc.check(HealthCheckRequest::default()).await.unwrap();
    valet.is_left_alone().await;
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 0, "idle is not slow");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let valet =
        Valet::with(Limits { write: Duration::from_millis(30), answer_bytes: 8 << 20, ..Limits::default() }).await;
    let mut stream = connect(&valet).await;
    stream.write_all(waiting().replace("wait\"", "big\" ").as_bytes()).await.unwrap();
    valet.is_left_alone().await;
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 1);
}

#[tokio::test]
async fn a_stream_keeps_its_place_while_it_is_open() {
    let valet = Valet::with(Limits { requests: 1, ..Limits::default() }).await;
    let mut client = HealthClient::new(channel(&valet.tasks()).await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap();
    assert_eq!(get(&valet, "hit").await.refused().reason, "OVERLOADED");
    drop((watch, client));
    valet.is_left_alone().await;
    assert_eq!(get(&valet, "hit").await.status, 200);
}

#[tokio::test]
async fn a_caller_who_gives_up_frees_its_place() {
    let valet = Valet::with(Limits { requests: 1, ..Limits::default() }).await;
    let mut stream = connect(&valet).await;
    stream.write_all(waiting().as_bytes()).await.unwrap();
    valet.script.waiting.acquire().await.unwrap().forget();
    drop(stream);
    valet.is_left_alone().await;
    assert_eq!(get(&valet, "hit").await.status, 200);
}

#[tokio::test]
async fn a_drain_finishes_what_runs_closes_what_waits_and_takes_nothing_new() {
    let valet = Valet::start().await;
    let idle = connect(&valet).await;
    let mut kept = connect(&valet).await;
    kept.write_all(waiting().as_bytes()).await.unwrap();
    let request = v1::GetConnectionRequest { conn_id: "wait".to_owned(), team: String::new() };
    let (tasks, none) = (valet.tasks(), HeaderMap::new());
    let grpc = async { call::<_, v1::Answer>(Face::Grpc, &tasks, GET_CONNECTION, &none, &request).await };
    let mut health = HealthClient::new(channel(&tasks).await);
    let service = "valet.v1.Broker".to_owned();
    let mut watch = health.watch(HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let rest = async {
        valet.script.waiting.acquire_many(2).await.unwrap().forget();
        valet.shutdown.cancel();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert_eq!(watch.message().await.unwrap(), None);
        assert!(is_refused(idle).await);
        while tasks.exists() {
            tokio::task::yield_now().await;
        }
        assert_eq!(UnixStream::connect(&tasks).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!valet.running.is_finished());
        valet.script.go.add_permits(2);
        let mut answer = String::new();
        kept.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"waited\""), "{answer}");
    };
    let (answer, ()) = tokio::join!(grpc, rest);
    assert_eq!(answer.unwrap().value, "waited");
    valet.running.await.unwrap();
}

#[tokio::test]
async fn a_drain_ends_in_time_whatever_still_runs() {
    let valet = Valet::with(Limits { drain: Duration::from_millis(50), ..Limits::default() }).await;
    let mut stuck = connect(&valet).await;
    stuck.write_all(waiting().as_bytes()).await.unwrap();
    let (tasks, none) = (valet.tasks(), HeaderMap::new());
    let request = v1::GetConnectionRequest { conn_id: "wait".to_owned(), team: String::new() };
    let grpc = async { call::<_, v1::Answer>(Face::Grpc, &tasks, GET_CONNECTION, &none, &request).await };
    let (answer, ()) = tokio::join!(grpc, async {
        valet.script.waiting.acquire_many(2).await.unwrap().forget();
        valet.shutdown.cancel();
    });
    assert!(answer.is_err());
    valet.running.await.unwrap();
    assert!(is_refused(stuck).await);
}

#[tokio::test]
async fn health_and_reflection_are_on() {
    let valet = Valet::start().await;
    for service in ["", "valet.v1.Broker", "valet.v1.Admin"] {
        let mut client = HealthClient::new(channel(&valet.tasks()).await);
        let answer = client.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
    }
    let mut client = ServerReflectionClient::new(channel(&valet.tasks()).await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("{answer:?}") };
    let mut services: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    services.sort();
    let known = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "valet.v1.Admin", "valet.v1.Broker"];
    assert_eq!(services, known);
}

#[tokio::test]
async fn many_clients_at_once_are_all_answered() {
    let valet = Valet::start().await;
    let answers = (0..200).map(|_| get(&valet, "hit"));
    assert!(futures::future::join_all(answers).await.iter().all(|answer| answer.status == 200));
    let mut sender = {
        let io = TokioIo::new(connect(&valet).await);
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        TaskTracker::new().spawn(connection);
        sender
    };
    for _ in 0..200 {
        sender.ready().await.unwrap();
        let request =
            post(GET_CONNECTION, "application/json").body(Full::<bytes::Bytes>::from(r#"{"connId":"hit"}"#)).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(valet.counted(Counter::ConnectionsAccepted), 201);
    drop(sender);
    valet.is_left_alone().await;
}
