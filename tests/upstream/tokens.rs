//! Tokens of grants that are written there.

use crate::{
    lab::{Valet, clock, of_upstream, reason},
    script::Scripted,
};
use std::time::Duration;
use valet::{
    clock::Clock as _,
    model::{IssuedToken, Secret, ValueDigest},
    proto::v1::{ReportRejectedRequest, report_rejected_request::Credential},
};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_grant_that_is_not_here_is_asked_of_the_upstream_and_its_token_kept_while_it_has_the_life_asked_for() {
    let centre = Scripted::start().await;
    let clock = clock();
    let start = clock.wall();
    let long = format!("{}\ncache: {{fresh: 12h}}", of_upstream(&centre.socket()));
    let valet = Valet::start(&long, &clock).await;
    let put = |text: &str, ends: u32, renewed: u32| {
        *centre.script.token.lock().unwrap() = Some(IssuedToken {
            token: Secret::new(text),
            expires_at: Some(start + MINUTE * ends),
            renewed_at: Some(start + MINUTE * renewed),
            fingerprint: Some("abc".into()),
            account: "theirs".into(),
        });
    };
    let mut asking = valet.ask().await;
    put("one", 120, 60);
    let one = asking.token("raw", None).await.unwrap();
    assert_eq!((one.token.as_str(), one.key_fingerprint.as_str()), ("one", "abc"));
    assert_eq!(one.expires_at, Some((start + MINUTE * 120).into()));
    assert_eq!(asking.token("raw", Some(90)).await.unwrap().token, "one");
    assert_eq!(centre.script.asked(), ["token raw None", "token raw Some(5400s)"], "each with its own life");
    clock.advance(MINUTE * 29);
    put("two", 300, 240);
    assert_eq!(asking.token("raw", None).await.unwrap().token, "one");
    assert_eq!(asking.token("raw", Some(90)).await.unwrap().token, "one");
    assert_eq!(centre.script.asked().len(), 2);
    clock.advance(MINUTE);
    assert_eq!(asking.token("raw", Some(90)).await.unwrap().token, "two", "90 minutes are no longer left of the first");
    assert_eq!(asking.token("raw", None).await.unwrap().token, "one");
    clock.advance(MINUTE * 30);
    assert_eq!(asking.token("raw", None).await.unwrap().token, "two", "the other Valet renews it from now on");
    *centre.script.token.lock().unwrap() = None;
    assert_eq!(reason(asking.token("other", None).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_credential_that_was_refused_is_reported_to_where_it_came_from_before_it_is_asked_for_again() {
    let centre = Scripted::start().await;
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock()).await;
    let mut asking = valet.ask().await;
    assert_eq!(asking.connection("pg").await.unwrap().value, "value://");
    centre.script.say(Ok(Some(crate::script::answer("new://"))));
    let reported = asking.0.report_rejected(ReportRejectedRequest {
        credential: Some(Credential::ConnId("pg".to_owned())),
        value_sha256: ValueDigest::of(&Secret::new("value://")).to_hex(),
        team: String::new(),
    });
    let reported = reported.await.unwrap().into_inner();
    assert!(reported.accepted && reported.superseded, "{reported:?}");
    let digest = &ValueDigest::of(&Secret::new("value://")).to_hex()[..4];
    let told = format!("rejected connection \"pg\" Some({digest:?})");
    assert_eq!(centre.script.asked(), ["connection \"pg\"", &told, "connection \"pg\""]);
    assert_eq!(asking.connection("pg").await.unwrap().value, "new://");
}

#[tokio::test]
async fn a_refused_token_is_reported_to_the_upstream_and_not_handed_out_again() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let put = |text: &str| {
        let end = clock.wall() + MINUTE * 120;
        *centre.script.token.lock().unwrap() = Some(IssuedToken {
            token: Secret::new(text),
            expires_at: Some(end),
            renewed_at: Some(end),
            fingerprint: None,
            account: "theirs".into(),
        });
    };
    let mut asking = valet.ask().await;
    put("one");
    for life in [None, Some(90)] {
        assert_eq!(asking.token("raw", life).await.unwrap().token, "one");
    }
    put("two");
    let digest = ValueDigest::of(&Secret::new("one")).to_hex();
    let report = |grant: &str| ReportRejectedRequest {
        credential: Some(Credential::Grant(grant.to_owned())),
        value_sha256: digest.clone(),
        team: String::new(),
    };
    let reported = asking.0.report_rejected(report("raw")).await.unwrap().into_inner();
    assert!(reported.accepted && reported.superseded, "{reported:?}");
    assert!(centre.script.asked().contains(&format!("rejected grant raw Some({:?})", &digest[..4])));
    for life in [None, Some(90)] {
        assert_eq!(asking.token("raw", life).await.unwrap().token, "two");
    }
    let asked = centre.script.asked().len();
    let reported = asking.0.report_rejected(report("raw")).await.unwrap().into_inner();
    assert!(!reported.accepted && reported.retry_after.is_some(), "{reported:?}");
    assert_eq!(centre.script.asked().len(), asked);
    *centre.script.token.lock().unwrap() = None;
    let nowhere = asking.0.report_rejected(report("other")).await.map(|_| ()).unwrap_err();
    assert_eq!(nowhere.code(), tonic::Code::NotFound);
}
