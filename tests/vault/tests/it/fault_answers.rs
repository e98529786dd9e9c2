//! How each fault looks on the wire.

use std::time::{Duration, SystemTime};

use http_body_util::BodyExt;
use serde_json::json;
use valet_testvault::{
    ErrorBody, Fault, FaultRule, ForbiddenCode, Limit, Options, RetryAfter, Seed, TestVault, UPSTREAM_CANARY, When,
};

use crate::client::{Answer, Client, v};

async fn start() -> TestVault {
    let seed = Seed::of([("key", "value")]);
    TestVault::start(Options { seed, ..Options::default() }).await.expect("a test vault")
}

/// The answer to an authorized read that meets the fault.
async fn met(vault: &TestVault, fault: Fault) -> Result<Answer, hyper::Error> {
    vault.inject(FaultRule::new(fault).times(1));
    Client::new(vault).get(&v("/secrets/key")).await
}

#[tokio::test]
async fn a_throttled_answer_has_the_retry_after_that_was_asked_for() {
    let vault = start().await;
    let throttled = async |retry_after| {
        let answer = met(&vault, Fault::Throttled { retry_after }).await.expect("an answer");
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (429, &json!("Throttled")));
        answer.header("retry-after").map(str::to_owned)
    };
    assert_eq!(throttled(None).await, None);
    assert_eq!(throttled(Some(RetryAfter::Seconds(2))).await.as_deref(), Some("2"));
    assert_eq!(throttled(Some(RetryAfter::Seconds(86_400))).await.as_deref(), Some("86400"));
    assert_eq!(throttled(Some(RetryAfter::Text("soon".to_owned()))).await.as_deref(), Some("soon"));
    let then = throttled(Some(RetryAfter::Date { date_in: 90 })).await.expect("a date");
    let then: SystemTime = httpdate::parse_http_date(&then).expect("an HTTP date");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(vault.clock().now().unsigned_abs());
    assert!(then > now + Duration::from_secs(80) && then <= now + Duration::from_secs(90));
}

#[tokio::test]
async fn a_vault_with_a_limit_answers_so_often_and_no_more_whoever_asks() {
    let vault = start().await;
    vault.set_limit("default", Some(Limit { requests: 3, seconds: 10 }));
    let client = Client::new(&vault);
    let status = async |client: &Client| client.get(&v("/secrets/key")).await.expect("an answer").status;
    let no_token = Client::new(&vault).token(None);
    assert_eq!([status(&no_token).await, status(&client).await, status(&client).await], [401, 200, 200]);
    assert_eq!([status(&no_token).await, status(&client).await], [429, 429]);
    vault.set_clock_offset(11);
    assert_eq!(status(&client).await, 200);
    vault.set_limit("default", None);
    for _ in 0..5 {
        assert_eq!(status(&client).await, 200);
    }
}

#[tokio::test]
async fn a_server_error_has_the_body_that_was_asked_for() {
    let vault = start().await;
    for (status, body, content_type) in [
        (500, ErrorBody::Empty, None),
        (503, ErrorBody::Html, Some("text/html; charset=utf-8")),
        (503, ErrorBody::Json, Some("application/json; charset=utf-8")),
    ] {
        let answer = met(&vault, Fault::Status { status, body, retry_after: None }).await.expect("an answer");
        assert_eq!((answer.status, answer.header("content-type")), (status, content_type));
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(text.contains(UPSTREAM_CANARY), content_type.is_some(), "{text}");
    }
}

#[tokio::test]
async fn each_refusal_has_its_inner_code() {
    let vault = start().await;
    for (code, inner) in [
        (ForbiddenCode::ForbiddenByRbac, "ForbiddenByRbac"),
        (ForbiddenCode::AccessDenied, "AccessDenied"),
        (ForbiddenCode::ForbiddenByPolicy, "ForbiddenByPolicy"),
        (ForbiddenCode::ForbiddenByFirewall, "ForbiddenByFirewall"),
        (ForbiddenCode::ForbiddenByConnection, "ForbiddenByConnection"),
        (ForbiddenCode::SecretDisabled, "SecretDisabled"),
    ] {
        let answer = met(&vault, Fault::Forbidden { code }).await.expect("an answer");
        assert_eq!((answer.status, &answer.json()["error"]["innererror"]), (403, &json!({"code": inner})));
    }
}

#[tokio::test]
async fn a_200_may_be_html_or_empty_or_other_json_or_half_of_itself_or_huge() {
    let vault = start().await;
    let html = met(&vault, Fault::Html {}).await.expect("an answer");
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let empty = met(&vault, Fault::Empty {}).await.expect("an answer");
    assert_eq!((empty.status, empty.body.len(), empty.header("content-length")), (200, 0, Some("0")));
    let wrong = met(&vault, Fault::WrongJson {}).await.expect("an answer");
    assert_eq!((wrong.status, wrong.json()), (200, json!({"unexpected": [UPSTREAM_CANARY]})));
    let half = met(&vault, Fault::TruncatedJson {}).await.expect("an answer");
    assert_eq!(half.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&half.body).expect_err("half of it").is_eof());
    let huge = met(&vault, Fault::HugeBody { bytes: 10_000_000 }).await.expect("an answer");
    assert_eq!(huge.json()["value"].as_str().map(str::len), Some(10_000_000));
}

#[tokio::test]
async fn a_redirect_and_a_next_link_lead_to_the_foreign_host() {
    let vault = start().await;
    let foreign = vault.endpoints().foreign_url.clone();
    let moved = met(&vault, Fault::Redirect { location: None }).await.expect("an answer");
    assert_eq!((moved.status, moved.header("location")), (302, Some(format!("{foreign}/secrets/key").as_str())));
    vault.inject(FaultRule::new(Fault::ForeignNextLink { location: None }));
    let page = Client::new(&vault).get(&v("/secrets")).await.expect("a page").json();
    assert_eq!(page["value"].as_array().map(Vec::len), Some(1));
    assert!(page["nextLink"].as_str().is_some_and(|link| link.starts_with(&format!("{foreign}/secrets?"))));
}

#[tokio::test]
async fn a_challenge_may_name_another_cloud() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::foreign_challenge()).on(When::Probe));
    let probe = Client::new(&vault).token(None).get(&v("/secrets/key")).await.expect("an answer");
    let challenge =
        "Bearer authorization=\"https://login.chinacloudapi.cn/common\", resource=\"https://vault.azure.cn\"";
    assert_eq!((probe.status, probe.header("www-authenticate")), (401, Some(challenge)));
}

#[tokio::test]
async fn a_reset_ends_the_connection_without_an_answer() {
    let vault = start().await;
    let error = met(&vault, Fault::Reset {}).await.expect_err("no answer");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::ConnectionReset), "{error:?}");
    assert_eq!(vault.log(0).last().and_then(|entry| entry.status), None);
}

#[tokio::test]
async fn a_cut_body_ends_before_its_promised_length() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::CutBody {}));
    let open = Client::new(&vault).open("GET", &v("/secrets/key"), "").await.expect("a head");
    assert_eq!(open.response.status(), 200);
    assert!(open.response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_slow_body_comes_whole() {
    let vault = start().await;
    let answer = met(&vault, Fault::SlowBody { millis: 40 }).await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["value"]), (200, &json!("value")));
}

#[tokio::test]
async fn a_slow_answer_ends_when_its_client_goes_away() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::SlowHeaders { millis: 3_600_000 }).times(1));
    let client = Client::new(&vault);
    let (one_hour, goes_away) = (v("/secrets/key"), vault.wait_for(|log| !log.is_empty()));
    tokio::select! {
        _ = client.get(&one_hour) => panic!("an answer after an hour"),
        () = goes_away => {}
    }
    // The next answer comes at once: nothing waits for the hour, and the dropped one never gets a status.
    assert_eq!(client.get(&v("/secrets/key")).await.expect("an answer").status, 200);
    vault.wait_for(|log| log.iter().any(|entry| entry.gone)).await;
    let statuses: Vec<_> = vault.log(0).into_iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
}

#[tokio::test]
async fn a_held_answer_comes_when_the_fault_is_cleared() {
    let vault = start().await;
    let fault = vault.inject(FaultRule::new(Fault::Hold {}));
    let client = Client::new(&vault);
    let release = async {
        vault.wait_for(|log| !log.is_empty()).await;
        // The answer was made when the request came.
        vault.delete_secret("default", "key").expect("the seeded secret");
        vault.clear_faults(Some(fault));
    };
    let path = v("/secrets/key");
    let (answer, ()) = tokio::join!(client.get(&path), release);
    assert_eq!(answer.expect("an answer").json()["value"], "value");
    assert_eq!(client.get(&path).await.expect("an answer").status, 404);
}
