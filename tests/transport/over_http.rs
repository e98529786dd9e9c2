//! What HTTP allows and Valet does not, and the other way round.

use crate::{
    clients::{GET_CONNECTION, Reply, post, raw, send},
    script::{CANARY, Valet},
};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use tokio_util::task::TaskTracker;
use valet::{telemetry::Counter, transport::Limits};

const BODY: &str = r#"{"connId":"hit"}"#;

/// The head of a `GetConnection` in JSON with these further lines.
fn head(lines: &str) -> String {
    format!("POST {GET_CONNECTION} HTTP/1.1\r\nHost: valet\r\nContent-Type: application/json\r\n{lines}\r\n")
}

fn whole(body: &str) -> String {
    head(&format!("Content-Length: {}\r\n", body.len())) + body
}

fn chunked(body: &str) -> String {
    head("Transfer-Encoding: chunked\r\n") + &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

#[tokio::test]
async fn the_content_type_finds_the_face_and_says_utf8_if_anything() {
    let valet = Valet::start().await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for content_type in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\";"]
        {
            let request = post(GET_CONNECTION, content_type).version(version).body(BODY).unwrap();
            let reply = send(&valet.tasks(), request).await;
            assert_eq!((reply.status.as_u16(), reply.json()["value"].as_str()), (200, Some(CANARY)), "{content_type}");
        }
        for content_type in [
            "text/plain",
            "",
            "application/jsonx",
            "application/json; charset=latin1",
            "application/connect+json",
            "application/connect+proto",
            "application/grpc-web+proto",
            "application/grpc+json",
            "application/x-www-form-urlencoded",
        ] {
            let request = post(GET_CONNECTION, content_type).version(version).body(BODY).unwrap();
            let reply = send(&valet.tasks(), request).await;
            assert_eq!(reply.status, 415, "{content_type} {version:?}");
            assert_eq!(reply.header("accept-post"), Some("application/json, application/proto, application/grpc"));
            assert_eq!(reply.refused().reason, "UNSUPPORTED");
        }
    }
    let request = post(GET_CONNECTION, "application/grpc").body(BODY).unwrap();
    assert_eq!(send(&valet.tasks(), request).await.status, 415, "gRPC needs HTTP/2");
}

#[tokio::test]
async fn only_post_is_a_call() {
    let valet = Valet::start().await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"] {
            for content_type in ["application/json", "application/grpc"] {
                let request = post(GET_CONNECTION, content_type).method(method).version(version).body("").unwrap();
                let reply = send(&valet.tasks(), request).await;
                assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, Some("POST")), "{method} {version:?}");
            }
        }
        let request = Request::get("http://valet/").version(version).header("host", "valet").body("").unwrap();
        let reply = send(&valet.tasks(), request).await;
        assert_eq!((reply.status.as_u16(), &*reply.refused().code), (404, "unimplemented"));
    }
    assert!(
        raw(&valet.tasks(), "CONNECT valet:443 HTTP/1.1\r\nHost: valet\r\nConnection: close\r\n\r\n")
            .await
            .contains(" 404 ")
    );
}

#[tokio::test]
async fn connects_own_headers_are_checked() {
    let valet = Valet::start().await;
    let with = async |name: &str, value: &str| -> Reply {
        send(&valet.tasks(), post(GET_CONNECTION, "application/json").header(name, value).body(BODY).unwrap()).await
    };
    assert_eq!(with("connect-protocol-version", "1").await.status, 200);
    assert_eq!(with("connect-protocol-version", "2").await.refused().reason, "BAD_REQUEST");
    assert_eq!(with("content-encoding", "identity").await.status, 200);
    assert_eq!(with("content-encoding", "gzip").await.refused().code, "unimplemented");
    assert_eq!(with("accept-encoding", "gzip, br").await.header("content-encoding"), None);
}

#[tokio::test]
async fn a_compressed_grpc_message_is_unsupported() {
    let valet = Valet::start().await;
    let request = post(GET_CONNECTION, "application/grpc")
        .version(Version::HTTP_2)
        .header("grpc-encoding", "gzip")
        .body(vec![1, 0, 0, 0, 1, 0])
        .unwrap();
    let reply = send(&valet.tasks(), request).await;
    assert_eq!((reply.header("grpc-status"), reply.header("valet-reason")), (Some("12"), Some("UNSUPPORTED")));
}

#[tokio::test]
async fn a_length_together_with_an_encoding_is_refused_and_the_connection_closed() {
    let valet = Valet::start().await;
    for lines in [
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "content-length: 0\r\nX: y\r\nTRANSFER-ENCODING: chunked\r\n",
    ] {
        // What follows must not be answered as a request of its own.
        let attack = chunked(BODY).replace("Transfer-Encoding: chunked\r\n", lines) + &whole(BODY);
        let answers = raw(&valet.tasks(), attack).await;
        assert_eq!(statuses(&answers), ["400"], "{lines}");
        assert!(answers.contains("connection: close") && answers.contains("invalid_argument"), "{answers}");
    }
    // The requests before it, on the same connection and in the same packet, are answered.
    let attack = whole(BODY) + &whole(BODY) + &chunked(BODY).replace("Host", "Content-Length: 4\r\nHost");
    assert_eq!(statuses(&raw(&valet.tasks(), attack).await), ["200", "200", "400"]);
    assert_eq!(valet.script.lookups().len(), 2);
}

#[tokio::test]
async fn a_chunked_request_is_answered_and_is_the_last_on_its_connection() {
    let valet = Valet::start().await;
    let answers = raw(&valet.tasks(), whole(BODY) + &chunked(BODY) + &whole(BODY)).await;
    assert_eq!(statuses(&answers), ["200", "200"]);
    assert!(answers.contains("connection: close"), "{answers}");
}

#[tokio::test]
async fn framing_errors_close_the_connection() {
    let valet = Valet::start().await;
    for (attack, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/3.0\r\nHost: valet\r\n\r\n".to_owned(), "400"),
        (head("Content-Length: 5\r\nContent-Length: 6\r\n"), "400"),
        (head("Content-Length: -1\r\n"), "400"),
        (head("Content-Length: +5\r\n"), "400"),
        (head("Transfer-Encoding: gzip\r\n"), "400"),
        (head("Transfer-Encoding: chunked, gzip\r\n"), "400"),
        (head("Content-Length : 5\r\n"), "400"),
        (head("Folded: a\r\n b\r\n"), "400"),
        (head("Bad\0Name: a\r\n"), "400"),
        (format!("POST {GET_CONNECTION} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400"),
        (
            format!("POST {GET_CONNECTION} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"),
            "400",
        ),
        (head("Host: other\r\nContent-Length: 0\r\n"), "400"),
        (head("Transfer-Encoding: chunked\r\n") + "zz\r\nxx\r\n0\r\n\r\n", "400"),
    ] {
        let answers = raw(&valet.tasks(), attack.clone() + &whole(BODY)).await;
        assert_eq!(statuses(&answers).first(), Some(&status), "{attack}: {answers}");
        assert_eq!(statuses(&answers).len(), 1, "{attack}: {answers}");
    }
    valet.is_left_alone().await;
}

#[tokio::test]
async fn http10_and_whole_urls_work() {
    let valet = Valet::start().await;
    let length = BODY.len();
    let old = format!(
        "POST {GET_CONNECTION} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}"
    );
    assert!(raw(&valet.tasks(), old).await.starts_with("HTTP/1.0 200 OK"));
    let proxied = whole(BODY).replace("POST /", "POST http://anything/").replace("Host", "Connection: close\r\nHost");
    assert_eq!(statuses(&raw(&valet.tasks(), proxied).await), ["200"]);
}

#[tokio::test]
async fn a_request_that_is_cut_off_leaves_nothing_behind() {
    let valet = Valet::start().await;
    let (json, chunked) = (whole(BODY), chunked(BODY));
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for whole in [&*json, &*chunked, http2] {
        for end in (0..whole.len()).step_by(7) {
            let mut stream = UnixStream::connect(valet.tasks()).await.unwrap();
            stream.write_all(&whole.as_bytes()[..end]).await.unwrap();
            stream.shutdown().await.unwrap();
            // Whatever it says, it ends.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }
    valet.is_left_alone().await;
    assert_eq!(valet.script.lookups(), []);
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_long_body_first_hears_that_it_is_too_large() {
    let valet = Valet::start().await;
    let long = format!(r#"{{"connId":"{}"}}"#, "x".repeat(5 << 20));
    for attack in [whole(&long), chunked(&long)] {
        let mut stream = UnixStream::connect(valet.tasks()).await.unwrap();
        stream.write_all(attack.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 429");
    }
    // Beyond what is discarded, the answer comes and the connection closes.
    let mut stream = UnixStream::connect(valet.tasks()).await.unwrap();
    stream.write_all(head("Content-Length: 99999999999\r\n").as_bytes()).await.unwrap();
    let blanks = vec![b' '; 1 << 16];
    while stream.write_all(&blanks).await.is_ok() {}
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
    drop(stream);
    // One that asks first is told at once.
    let asks = head("Content-Length: 99999999\r\nExpect: 100-continue\r\n");
    assert_eq!(statuses(&raw(&valet.tasks(), asks).await), ["429"]);
    assert_eq!(valet.counted(Counter::RequestsTooLarge), 4);
    valet.is_left_alone().await;
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let valet = Valet::start().await;
    let lines = format!("Expect: 100-continue\r\nConnection: close\r\nContent-Length: {}\r\n", BODY.len());
    assert_eq!(statuses(&raw(&valet.tasks(), head(&lines) + BODY).await), ["100", "200"]);
}

#[tokio::test]
async fn heads_that_are_too_long_or_too_many_are_refused() {
    let valet = Valet::start().await;
    let long = head(&format!("Long: {}\r\n", "x".repeat(Limits::default().head_bytes as usize)));
    assert_eq!(statuses(&raw(&valet.tasks(), long).await), ["431"]);
    let many = head(&"A: b\r\n".repeat(Limits::default().headers));
    assert_eq!(statuses(&raw(&valet.tasks(), many).await), ["431"]);
    let request = post(GET_CONNECTION, "application/json")
        .version(Version::HTTP_2)
        .header("long", "x".repeat(Limits::default().head_bytes as usize))
        .body(BODY)
        .unwrap();
    assert_eq!(send(&valet.tasks(), request).await.status, 431);
    valet.is_left_alone().await;
}

#[tokio::test]
async fn slow_heads_and_bodies_are_cut_and_counted() {
    let short = Duration::from_millis(30);
    let valet = Valet::with(Limits { head_read: short, body_read: short, ..Limits::default() }).await;
    let all = whole(BODY);
    assert_eq!(raw(&valet.tasks(), &all[..40]).await, "", "within the head");
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 1);
    assert_eq!(raw(&valet.tasks(), all.clone() + "P").await.matches("HTTP/1.1 200").count(), 1, "the second head");
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 2);
    let answer = raw(&valet.tasks(), &all[..all.len() - 1]).await;
    assert!(
        answer.starts_with("HTTP/1.1 504") && answer.contains("the request's body took longer than 30ms"),
        "{answer}"
    );
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 3);
    let all = chunked(BODY);
    assert!(raw(&valet.tasks(), &all[..all.len() - 2]).await.starts_with("HTTP/1.1 504"));
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 4);
    valet.is_left_alone().await;
}

#[tokio::test]
async fn a_slow_body_over_http2_ends_its_call_and_no_other() {
    let valet = Valet::with(Limits { body_read: Duration::from_millis(30), ..Limits::default() }).await;
    let io = TokioIo::new(UnixStream::connect(valet.tasks()).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    TaskTracker::new().spawn(connection);
    for (content_type, first, slow) in
        [("application/grpc", &b"\0\0\0\0\x05\x0a"[..], ("200", Some("4"))), ("application/json", b"{", ("504", None))]
    {
        let begun = futures::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(first)))]);
        let body = StreamBody::new(begun.chain(futures::stream::pending()));
        let request = post(GET_CONNECTION, content_type).version(Version::HTTP_2).body(BodyExt::boxed(body)).unwrap();
        let reply = sender.send_request(request).await.unwrap();
        let said = |name: &str| reply.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((reply.status().as_str(), said("grpc-status")), slow);
        assert_eq!(said("valet-reason"), Some("TIMED_OUT"));
    }
    let whole = BodyExt::boxed(Full::from(BODY));
    let request = post(GET_CONNECTION, "application/json").version(Version::HTTP_2).body(whole).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 2);
    drop(sender);
    valet.is_left_alone().await;
}

#[tokio::test]
async fn a_slow_drip_does_not_buy_time() {
    let valet = Valet::with(Limits { head_read: Duration::from_millis(50), ..Limits::default() }).await;
    let mut stream = UnixStream::connect(valet.tasks()).await.unwrap();
    let mut every = tokio::time::interval(Duration::from_millis(5));
    let mut drops = 0;
    while stream.write_all(b"x").await.is_ok() {
        every.tick().await;
        drops += 1;
        assert!(drops < 1000, "it goes on for ever");
    }
    assert_eq!(valet.counted(Counter::ConnectionsTooSlow), 1);
    valet.is_left_alone().await;
}
