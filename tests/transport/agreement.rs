//! One table of cases over every face and both versions of HTTP: they must agree in code, reason, retry-after, message and answer.

use crate::{
    clients::{Face, GET_CONNECTION, Refused, call, get, post, send},
    log::Log,
    script::{CANARY, Valet, then},
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use prost::{Message, Name};
use std::{fmt::Debug, os::unix::fs::MetadataExt as _, path::Path, time::Duration};
use tracing::level_filters::LevelFilter;
use valet::{
    proto::v1::{self, batch_get_result::Outcome, lookup},
    transport::Limits,
};

/// What all faces say to this; it fails where they differ.
pub(crate) async fn all_say<Q, A>(socket: &Path, path: &str, headers: &HeaderMap, request: &Q) -> Result<A, Refused>
where
    Q: Message + Name + Clone + Default + Debug + 'static,
    A: Message + Name + Default + PartialEq + Debug + 'static,
{
    let first = call(Face::ALL[0], socket, path, headers, request).await;
    for face in &Face::ALL[1..] {
        let said = call(*face, socket, path, headers, request).await;
        assert!(said == first, "{path} {request:?}: gRPC says {first:?}, {face:?} says {said:?}");
    }
    first
}

async fn connection(valet: &Valet, conn_id: &str) -> Result<v1::Answer, Refused> {
    let request = v1::GetConnectionRequest { conn_id: conn_id.to_owned(), team: String::new() };
    all_say(&valet.tasks(), GET_CONNECTION, &HeaderMap::new(), &request).await
}

pub(crate) fn refused(code: &str, reason: &str, message: &str) -> Refused {
    let (code, reason, message) = (code.to_owned(), reason.to_owned(), message.to_owned());
    Refused { code, reason, message, retry_after: None }
}

fn whole_answer(value: &str) -> v1::Answer {
    v1::Answer {
        value: value.to_owned(),
        source: "prod".to_owned(),
        version: "v1".to_owned(),
        age: Some(Duration::from_millis(1500).try_into().unwrap()),
        fresh_until: Some(then().into()),
        expires_at: Some((then() + Duration::from_hours(1)).into()),
        state: v1::State::Stale.into(),
        mask: vec![value.to_owned()],
        ends: true,
    }
}

#[tokio::test]
async fn a_hit_is_the_same_whole_answer_for_every_kind() {
    let valet = Valet::start().await;
    let (tasks, none) = (valet.tasks(), HeaderMap::new());
    assert_eq!(connection(&valet, "hit").await, Ok(whole_answer(CANARY)));
    let request = v1::GetVariableRequest { key: "hit".to_owned(), team: "a".to_owned() };
    assert_eq!(all_say(&tasks, "/valet.v1.Broker/GetVariable", &none, &request).await, Ok(whole_answer(CANARY)));
    let request = v1::GetConfigRequest { key: "hit".to_owned(), team: String::new() };
    assert_eq!(all_say(&tasks, "/valet.v1.Broker/GetConfig", &none, &request).await, Ok(whole_answer(CANARY)));
    let lookups: Vec<_> = valet.script.lookups().iter().map(ToString::to_string).collect();
    let thrice = |kind: &str| vec![format!("{kind} \"hit\""); Face::ALL.len()];
    assert_eq!(lookups, [thrice("connection"), thrice("variable"), thrice("config")].concat());
}

#[tokio::test]
async fn an_empty_value_without_version_or_end_is_an_answer_too() {
    let valet = Valet::start().await;
    let bare = v1::Answer {
        version: String::new(),
        age: Some(prost_types::Duration::default()),
        expires_at: None,
        state: v1::State::Fresh.into(),
        mask: vec![],
        ends: false,
        ..whole_answer("")
    };
    assert_eq!(connection(&valet, "bare").await, Ok(bare));
}

#[tokio::test]
async fn json_is_proto3_json_with_every_field_written() {
    let valet = Valet::start().await;
    let expected = serde_json::json!({
        "value": CANARY, "source": "prod", "version": "v1", "age": "1.500s", "freshUntil": "2026-11-23T00:00:00Z",
        "expiresAt": "2026-11-23T01:00:00Z", "state": "STATE_STALE", "mask": [CANARY], "ends": true,
    });
    assert_eq!(get(&valet, "hit").await.json(), expected);
    let expected = serde_json::json!({
        "value": "", "source": "prod", "version": "", "age": "0s", "freshUntil": "2026-11-23T00:00:00Z",
        "state": "STATE_FRESH", "mask": [], "ends": false,
    });
    assert_eq!(get(&valet, "bare").await.json(), expected);
    for body in [
        r#"{"conn_id": "hit"}"#,
        r#"{"connId": "hit", "team": null}"#,
        r#" {"connId": "\u0068it", "team": "", "new": [{"deep": {}}]} "#,
    ] {
        let reply = send(&valet.tasks(), post(GET_CONNECTION, "application/json").body(body).unwrap()).await;
        assert_eq!(reply.json()["value"], CANARY, "{body}");
    }
}

#[tokio::test]
async fn every_fault_has_its_code_reason_and_http_status() {
    let valet = Valet::start().await;
    let unavailable = Some("3");
    for (reason, code, status, retry_after) in [
        ("SKIPPED", "not_found", 404, unavailable),
        ("BAD_NAME", "invalid_argument", 400, None),
        ("BAD_REQUEST", "invalid_argument", 400, None),
        ("MALFORMED_VALUE", "failed_precondition", 400, None),
        ("DENIED_BY_POLICY", "permission_denied", 403, None),
        ("DENIED_BY_SOURCE", "permission_denied", 403, None),
        ("UNAUTHENTICATED", "unauthenticated", 401, None),
        ("THROTTLED", "unavailable", 503, unavailable),
        ("SOURCE_DOWN", "unavailable", 503, unavailable),
        ("TIMED_OUT", "deadline_exceeded", 504, unavailable),
        ("OVERLOADED", "resource_exhausted", 429, unavailable),
        ("TOO_LARGE", "resource_exhausted", 429, None),
        ("NOT_YET_AVAILABLE", "unimplemented", 501, None),
        ("UNSUPPORTED", "unimplemented", 501, None),
        ("BAD_CONFIG", "failed_precondition", 400, None),
        ("INTERRUPTED", "aborted", 409, None),
    ] {
        let retry_after = retry_after.map(str::to_owned);
        let expected = Refused { retry_after, ..refused(code, reason, &format!("the script says \"{reason}\", é")) };
        assert_eq!(connection(&valet, reason).await, Err(expected));
        assert_eq!(get(&valet, reason).await.status, status, "{reason}");
    }
    let message = "connection \"miss\" is not here: no source that was asked has it";
    assert_eq!(connection(&valet, "miss").await, Err(refused("not_found", "NOT_FOUND", message)));
    assert_eq!(get(&valet, "miss").await.status, 404);
}

#[tokio::test]
async fn an_internal_fault_and_a_panic_show_only_a_number_that_is_in_the_log() {
    let log = Log::start(LevelFilter::ERROR);
    let valet = Valet::start().await;
    let mut number = 0;
    for name in ["INTERNAL", "panic"] {
        for face in Face::ALL {
            number += 1;
            let id = format!("{number:016x}");
            let request = v1::GetConnectionRequest { conn_id: name.to_owned(), team: String::new() };
            let said: Result<v1::Answer, _> =
                call(face, &valet.tasks(), GET_CONNECTION, &HeaderMap::new(), &request).await;
            let message = format!("internal error {id}: look for this id in valet's log");
            assert_eq!(said, Err(refused("internal", "INTERNAL", &message)), "{face:?}");
            assert!(log.text().contains(&format!("internal fault id=\"{id}\"")), "{}", log.text());
        }
    }
    assert_eq!(get(&valet, "INTERNAL").await.status, 500);
    assert!(log.text().contains("detail=\"the script says \\\"INTERNAL\\\", é\""), "{}", log.text());
    assert!(log.text().contains("detail=\"a panic; its message is on stderr\""));
}

#[tokio::test]
async fn a_bad_name_is_refused_before_anybody_is_asked() {
    let valet = Valet::start().await;
    for (name, message) in [
        ("", "the name is empty"),
        ("a\0b", "the name has a control character"),
        ("a\nb", "the name has a control character"),
        (&*"x".repeat(10_000), "the name is longer than 1024 bytes"),
    ] {
        assert_eq!(connection(&valet, name).await, Err(refused("invalid_argument", "BAD_NAME", message)));
    }
    assert_eq!(valet.script.lookups(), []);
    for odd in ["a/b", "..", "a?b", "%2e", "😀", "a b"] {
        assert_eq!(connection(&valet, odd).await.unwrap_err().reason, "NOT_FOUND", "{odd}");
    }
}

#[tokio::test]
async fn a_batch_answers_each_lookup_in_order_with_its_own_value_or_fault() {
    let valet = Valet::start().await;
    let lookup = |name: Option<lookup::Name>| v1::Lookup { name, team: String::new() };
    let lookups = vec![
        lookup(Some(lookup::Name::Connection("THROTTLED".to_owned()))),
        lookup(Some(lookup::Name::Variable("hit".to_owned()))),
        lookup(Some(lookup::Name::Config("miss".to_owned()))),
        lookup(Some(lookup::Name::Connection(String::new()))),
        lookup(None),
    ];
    let fault = |code: &str, reason: &str, message: &str, retry_after: Option<Duration>| {
        Outcome::Fault(v1::Fault {
            code: code.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            retry_after: retry_after.map(|wait| wait.try_into().unwrap()),
        })
    };
    let wait = Some(Duration::from_millis(2001));
    let expected = [
        fault("unavailable", "THROTTLED", "the script says \"THROTTLED\", é", wait),
        Outcome::Answer(whole_answer(CANARY)),
        fault("not_found", "NOT_FOUND", "config \"miss\" is not here: no source that was asked has it", None),
        fault("invalid_argument", "BAD_NAME", "the name is empty", None),
        fault("invalid_argument", "BAD_REQUEST", "the lookup names nothing: set connection, variable or config", None),
    ];
    let said = all_say(&valet.tasks(), BATCH_GET, &HeaderMap::new(), &v1::BatchGetRequest { lookups }).await;
    let results = expected.map(|outcome| v1::BatchGetResult { outcome: Some(outcome) }).into();
    assert_eq!(said, Ok(v1::BatchGetResponse { results }));
}

const BATCH_GET: &str = "/valet.v1.Broker/BatchGet";

#[tokio::test]
async fn a_batch_of_too_many_and_an_answer_of_too_much_are_refused_as_a_whole() {
    let valet = Valet::start().await;
    let batch = |name: &str, count| {
        let name = Some(lookup::Name::Connection(name.to_owned()));
        v1::BatchGetRequest { lookups: vec![v1::Lookup { name, team: String::new() }; count] }
    };
    let none = HeaderMap::new();
    let full: Result<v1::BatchGetResponse, _> = all_say(&valet.tasks(), BATCH_GET, &none, &batch("bare", 100)).await;
    assert_eq!(full.map(|full| full.results.len()), Ok(100));
    let over: Result<v1::BatchGetResponse, _> = all_say(&valet.tasks(), BATCH_GET, &none, &batch("bare", 101)).await;
    let message = "a batch holds at most 100 lookups; send several";
    assert_eq!(over, Err(refused("invalid_argument", "BAD_REQUEST", message)));
    // The value and its mask, three megabytes each.
    let message = "the answer is longer than 4194304 bytes; ask for less at a time";
    assert_eq!(connection(&valet, "big").await, Err(refused("resource_exhausted", "TOO_LARGE", message)));
}

#[tokio::test]
async fn the_admin_service_answers_on_its_own_listener_only() {
    let valet = Valet::start().await;
    let none = HeaderMap::new();
    let (status, reload) = ("/valet.v1.Admin/Status", "/valet.v1.Admin/Reload");
    let denied = refused("permission_denied", "DENIED_BY_POLICY", "tasks may not");
    let said_status: Result<v1::StatusResponse, _> =
        all_say(&valet.tasks(), status, &none, &v1::StatusRequest {}).await;
    assert_eq!(said_status, Err(denied.clone()));
    let said_reload: Result<v1::ReloadResponse, _> =
        all_say(&valet.tasks(), reload, &none, &v1::ReloadRequest {}).await;
    assert_eq!(said_reload, Err(denied.clone()));
    let path = "/valet.v1.Admin/Explain";
    let explained: Result<v1::ExplainResponse, _> =
        all_say(&valet.tasks(), path, &none, &v1::ExplainRequest::default()).await;
    assert_eq!(explained, Err(denied));

    let expected = v1::ReloadResponse { loaded_at: Some(then().into()), warnings: vec!["mind the gap".to_owned()] };
    assert_eq!(all_say(&valet.admin(), reload, &none, &v1::ReloadRequest {}).await, Ok(expected));
    for face in Face::ALL {
        let said: v1::StatusResponse = call(face, &valet.admin(), status, &none, &v1::StatusRequest {}).await.unwrap();
        assert_eq!(said.version, "1.2.3");
        let config = v1::ConfigStatus {
            path: "/etc/valet.yaml".to_owned(),
            loaded_at: Some(then().into()),
            last_reload_error: String::new(),
        };
        assert_eq!(said.config, Some(config));
        let source = v1::SourceStatus {
            name: "prod".to_owned(),
            kind: "key-vault".to_owned(),
            healthy: false,
            reason: "THROTTLED".to_owned(),
            unhealthy_since: Some(then().into()),
            reads: 7,
            budget_left: Some(40),
            breaker: "half-open".to_owned(),
        };
        assert_eq!(said.sources, [source]);
        let key = v1::KeyStatus {
            reference: "{secret: prod/key1}".to_owned(),
            fingerprint: "fingerprint".to_owned(),
            version: "v1".to_owned(),
            created_at: Some(then().into()),
            signs: true,
            reason: "BAD_KEY".to_owned(),
            safe_to_regenerate_after: Some((then() + Duration::from_hours(12)).into()),
            suspect_until: Some((then() + Duration::from_hours(1)).into()),
        };
        let before = v1::KeyStatus {
            reference: "{secret: prod/key1}".to_owned(),
            fingerprint: "before".to_owned(),
            ..v1::KeyStatus::default()
        };
        let account = v1::AccountStatus {
            name: "landing".to_owned(),
            kind: "storage".to_owned(),
            keys: vec![key],
            earlier_keys: vec![before],
        };
        assert_eq!(said.accounts, [account]);
        let admin = v1::ListenerStatus {
            name: "admin".to_owned(),
            address: format!("unix:{}", valet.admin().display()),
            allow: vec!["admin".to_owned()],
            connections: said.listeners[1].connections,
        };
        assert_eq!(said.listeners[1], admin);
        assert!(admin.connections >= 1);
        assert!(said.counters["connections_accepted"] >= 1, "{:?}", said.counters);
    }
}

#[tokio::test]
async fn a_token_and_a_signature_are_the_same_on_every_face() {
    let valet = Valet::start().await;
    let (tasks, none) = (valet.tasks(), HeaderMap::new());
    let (issue, sign) = ("/valet.v1.Broker/IssueToken", "/valet.v1.Broker/SignRequest");
    let asked = |grant: &str, seconds: Option<i64>| v1::IssueTokenRequest {
        grant: grant.to_owned(),
        min_remaining: seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
    };
    let token = v1::IssueTokenResponse { token: CANARY.to_owned(), ..v1::IssueTokenResponse::default() };
    assert_eq!(all_say(&tasks, issue, &none, &asked("grant", None)).await, Ok(token.clone()));
    let ends = v1::IssueTokenResponse {
        expires_at: Some((then() + Duration::from_mins(1)).into()),
        key_fingerprint: "fingerprint".to_owned(),
        renewed_at: Some(then().into()),
        ..token
    };
    assert_eq!(all_say(&tasks, issue, &none, &asked("grant", Some(60))).await, Ok(ends));

    let header = |name: &str| v1::Header { name: name.to_owned(), value: "é".to_owned() };
    let request = |grant: &str| v1::SignRequestRequest {
        grant: grant.to_owned(),
        method: "GET".to_owned(),
        url: "https://h/c".to_owned(),
        headers: vec![header("a"), header("b")],
    };
    let x_ms_date = "GET https://h/c a: é, b: é".to_owned();
    let signed = v1::SignRequestResponse { authorization: CANARY.to_owned(), x_ms_date };
    assert_eq!(all_say(&tasks, sign, &none, &request("grant")).await, Ok(signed));

    let absent = refused("not_found", "NOT_FOUND", "there is no grant \"other\" in valet.yaml");
    let bad_name = refused("invalid_argument", "BAD_NAME", "the name is empty");
    let out_of_range = refused("out_of_range", "OUT_OF_RANGE", "the script says \"OUT_OF_RANGE\", é");
    for (grant, expected) in [("other", absent), ("", bad_name), ("OUT_OF_RANGE", out_of_range)] {
        let said: Result<v1::IssueTokenResponse, _> = all_say(&tasks, issue, &none, &asked(grant, None)).await;
        assert_eq!(said, Err(expected.clone()));
        let said: Result<v1::SignRequestResponse, _> = all_say(&tasks, sign, &none, &request(grant)).await;
        assert_eq!(said, Err(expected));
    }
    let message = "minRemaining: expected a duration of nothing or more, such as \"3600s\"";
    let said: Result<v1::IssueTokenResponse, _> = all_say(&tasks, issue, &none, &asked("grant", Some(-1))).await;
    assert_eq!(said, Err(refused("invalid_argument", "BAD_REQUEST", message)));
}

#[tokio::test]
async fn what_is_declared_and_not_there_yet_says_so() {
    let valet = Valet::start().await;
    let message = "this method is declared, but not yet available in this version";
    let expected = refused("unimplemented", "NOT_YET_AVAILABLE", message);
    let said: Result<v1::ExplainResponse, _> =
        all_say(&valet.admin(), "/valet.v1.Admin/Explain", &HeaderMap::new(), &v1::ExplainRequest::default()).await;
    assert_eq!(said.unwrap_err(), expected);
}

#[tokio::test]
async fn a_method_that_is_not_declared_is_unsupported() {
    let valet = Valet::start().await;
    let expected = refused("unimplemented", "UNSUPPORTED", "there is no such method");
    for path in ["/valet.v1.Broker/Nothing", "/valet.v2.Broker/GetConnection", "/x"] {
        let request = v1::StatusRequest {};
        let said: Result<v1::Answer, _> = all_say(&valet.tasks(), path, &HeaderMap::new(), &request).await;
        assert_eq!(said, Err(expected.clone()), "{path}");
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_nonsense_is_no_deadline() {
    let valet = Valet::with(Limits { deadline: Duration::from_millis(30), ..Limits::default() }).await;
    let message = "no answer within 30ms; a read that was begun goes on, so ask again";
    assert_eq!(connection(&valet, "wait").await, Err(refused("deadline_exceeded", "TIMED_OUT", message)));

    let valet = Valet::with(Limits { deadline_cap: Duration::from_millis(30), ..Limits::default() }).await;
    let request = v1::GetConnectionRequest { conn_id: "wait".to_owned(), team: String::new() };
    for (name, value) in [("grpc-timeout", "1H"), ("connect-timeout-ms", "3600000")] {
        let headers = headers(&[(name, value)]);
        let said: Result<v1::Answer, _> = all_say(&valet.tasks(), GET_CONNECTION, &headers, &request).await;
        assert_eq!(said.unwrap_err().reason, "TIMED_OUT", "{name}");
    }
    for (name, value) in [("grpc-timeout", "soon"), ("connect-timeout-ms", "-1")] {
        let headers = headers(&[(name, value)]);
        let said: Result<v1::Answer, _> = all_say(&valet.tasks(), GET_CONNECTION, &headers, &request).await;
        assert_eq!(said.unwrap_err().reason, "BAD_REQUEST", "{name}");
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

#[tokio::test]
async fn every_face_carries_the_claims_and_the_peer() {
    let valet = Valet::start().await;
    let headers = headers(&[
        ("valet-dag-id", "d%C3%A9j%C3%A0%0Avu"),
        ("valet-task-id", "t"),
        ("valet-run-id", "manual__2026-11-23T00:00:00+00:00"),
        ("valet-map-index", "-1"),
        ("valet-try-number", "2"),
    ]);
    let request = v1::GetConnectionRequest { conn_id: "hit".to_owned(), team: String::new() };
    let said: Result<v1::Answer, _> = all_say(&valet.tasks(), GET_CONNECTION, &headers, &request).await;
    said.unwrap();
    let callers = valet.script.callers();
    assert_eq!(callers.len(), Face::ALL.len());
    for caller in callers {
        assert_eq!(&*caller.listener, "tasks");
        let peer = caller.peer.unwrap();
        let us = std::fs::metadata("/proc/self").unwrap();
        assert_eq!((peer.uid, peer.gid), (us.uid(), us.gid()));
        assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
        assert_eq!(caller.claims.dag_id.as_deref(), Some("déjà\u{fffd}vu"));
        assert_eq!(caller.claims.task_id.as_deref(), Some("t"));
        assert_eq!(caller.claims.run_id.as_deref(), Some("manual__2026-11-23T00:00:00+00:00"));
        assert_eq!(caller.claims.map_index.as_deref(), Some("-1"));
        assert_eq!(caller.claims.try_number.as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_a_bad_request_that_repeats_none_of_it() {
    let valet = Valet::start().await;
    // Field 1 with a length beyond the end, then the canary.
    let binary = [&[0x0a, 0x7f][..], CANARY.as_bytes()].concat();
    let framed = |flag, length, message: &[u8]| [&[flag, 0, 0, 0, length], message].concat();
    let grpc = [
        (framed(0, u8::try_from(binary.len()).unwrap(), &binary), ("3", "BAD_REQUEST")),
        (framed(0, 0x7f, CANARY.as_bytes()), ("3", "BAD_REQUEST")),
        (framed(7, 0, &[]), ("3", "BAD_REQUEST")),
        (vec![], ("3", "BAD_REQUEST")),
        (vec![0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3], ("8", "TOO_LARGE")),
    ];
    for (body, (status, reason)) in grpc {
        let request = post(GET_CONNECTION, "application/grpc").version(Version::HTTP_2).body(body.clone()).unwrap();
        let reply = send(&valet.tasks(), request).await;
        assert_eq!(
            (reply.header("grpc-status"), reply.header("valet-reason")),
            (Some(status), Some(reason)),
            "{body:?}"
        );
        assert!(!format!("{reply:?}").contains("canary"));
    }
    for (content_type, body) in [
        ("application/proto", binary),
        ("application/json", Vec::new()),
        ("application/json", b"[]".to_vec()),
        ("application/json", format!("{{\"connId\": \"{CANARY}").into()),
        ("application/json", format!("{{\"connId\": [\"{CANARY}\"]}}").into()),
        ("application/json", format!("{{\"connId\": \"a\"}} {CANARY}").into()),
        ("application/json", [b"{\"connId\": \"", &[0xff][..], CANARY.as_bytes(), b"\"}"].concat()),
        ("application/json", "[".repeat(10_000).into()),
    ] {
        let reply = send(&valet.tasks(), post(GET_CONNECTION, content_type).body(body.clone()).unwrap()).await;
        assert_eq!(reply.status, 400, "{}", String::from_utf8_lossy(&body));
        let refused = reply.refused();
        assert_eq!((&*refused.code, &*refused.reason), ("invalid_argument", "BAD_REQUEST"));
        assert!(!format!("{reply:?}").contains("canary"), "{}", refused.message);
    }
    assert_eq!(valet.script.lookups(), []);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_too_large_on_every_face() {
    let valet = Valet::with(Limits { request_bytes: 2000, ..Limits::default() }).await;
    let request = v1::GetConnectionRequest { conn_id: "x".repeat(2000), team: String::new() };
    let said: Result<v1::Answer, _> = all_say(&valet.tasks(), GET_CONNECTION, &HeaderMap::new(), &request).await;
    assert_eq!(said, Err(refused("resource_exhausted", "TOO_LARGE", "the request is longer than 2000 bytes")));
    assert_eq!(valet.counted(valet::telemetry::Counter::RequestsTooLarge), 5);
}

#[tokio::test]
async fn a_value_is_in_answers_and_nowhere_else() {
    let log = Log::start(LevelFilter::TRACE);
    let valet = Valet::start().await;
    let answer = connection(&valet, "hit").await.unwrap();
    get(&valet, "INTERNAL").await;
    valet.is_left_alone().await;
    let text = log.text();
    assert!(text.contains("h2::") && text.contains("valet::"), "the log is on");
    assert!(!text.contains("canary"), "{text}");
    assert!(!format!("{answer:?} {answer:#?} {:?}", valet.script).contains("canary"));
}
