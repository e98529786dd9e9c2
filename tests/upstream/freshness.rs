//! Ages add up from hop to hop, and nobody is fresher than who told him.

use crate::{
    lab::{Valet, clock, of_upstream, reason},
    script::{Scripted, answer},
};
use std::time::Duration;
use valet::{
    clock::Clock as _,
    model::{Answer, Found, Secret, State},
    proto::v1,
};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn kind_name_and_team_go_there_and_what_is_said_of_the_value_comes_back() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    let expires_at = clock.wall() - MINUTE;
    centre.script.say(Ok(Some(Answer {
        found: Found { version: Some("v7".into()), expires_at: Some(expires_at), ..Found::plain("a b") },
        age: MINUTE * 2,
        mask: vec![Secret::new("b")],
        ..answer("")
    })));
    let mut asking = valet.ask().await;
    let expected = v1::Answer {
        value: "a b".to_owned(),
        source: "central".to_owned(),
        version: "v7".to_owned(),
        age: Some((MINUTE * 2).try_into().unwrap()),
        fresh_until: Some((clock.wall() + MINUTE * 3).into()),
        expires_at: Some(expires_at.into()),
        state: v1::State::Fresh.into(),
        mask: vec!["b".to_owned()],
        ends: false,
    };
    assert_eq!(asking.variable("key", "red").await.unwrap(), expected, "a secret's expiry is not its end");
    asking.config("sql_alchemy_conn").await.unwrap();
    asking.connection("x").await.unwrap_err();
    assert_eq!(centre.script.asked(), ["variable \"key\" of red", "config \"sql_alchemy_conn\"", "connection \"x\""]);
}

#[tokio::test]
async fn age_there_counts_here() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    centre.script.say(Ok(Some(Answer { age: MINUTE * 4, ..answer("old://") })));
    assert_eq!(valet.value("a").await, "old://");
    centre.script.say(Ok(Some(answer("new://"))));
    clock.advance(MINUTE);
    assert_eq!(valet.value("a").await, "new://", "it was 4 minutes old, so it is fresh for one more of 5");
    assert_eq!(centre.script.asked().len(), 2);
    assert_eq!(valet.value("a").await, "new://");
    assert_eq!(centre.script.asked().len(), 2);
}

#[tokio::test]
async fn what_is_stale_there_is_stale_here_and_asked_for_each_time() {
    let centre = Scripted::start().await;
    let clock = clock();
    let valet = Valet::start(&of_upstream(&centre.socket()), &clock).await;
    centre.script.say(Ok(Some(Answer { age: MINUTE * 20, state: State::Stale, ..answer("old://") })));
    for asked in 1..=3 {
        let stale = valet.get("a").await.unwrap();
        assert_eq!((stale.value.as_str(), stale.state()), ("old://", v1::State::Stale));
        assert_eq!(stale.age, Some((MINUTE * 20).try_into().unwrap()));
        assert_eq!(centre.script.asked().len(), asked);
    }
    centre.script.say(Ok(Some(answer("new://"))));
    let fresh = valet.get("a").await.unwrap();
    assert_eq!((fresh.value.as_str(), fresh.state()), ("new://", v1::State::Fresh));
}

#[tokio::test]
async fn what_is_too_stale_here_is_no_answer_however_long_it_is_kept_there() {
    let centre = Scripted::start().await;
    let clock = clock();
    let short = format!("{}\ncache: {{stale: 10m}}", of_upstream(&centre.socket()));
    let valet = Valet::start(&short, &clock).await;
    centre.script.say(Ok(Some(Answer { age: MINUTE * 10, state: State::Stale, ..answer("old://") })));
    assert_eq!(reason(valet.get("a").await), "SOURCE_DOWN");
    centre.script.say(Ok(Some(Answer { age: MINUTE * 9, state: State::Stale, ..answer("old://") })));
    assert_eq!(valet.value("a").await, "old://");
}

#[tokio::test]
async fn what_carries_a_token_is_asked_for_when_it_is_renewed_there_and_never_handed_out_after_its_end() {
    let centre = Scripted::start().await;
    let clock = clock();
    let start = clock.wall();
    let long = format!("{}\ncache: {{fresh: 12h}}", of_upstream(&centre.socket()));
    let valet = Valet::start(&long, &clock).await;
    let brokered = |value: &str, renewed: u32, ends: u32| Answer {
        found: Found { expires_at: Some(start + MINUTE * ends), ends: true, ..Found::plain(value) },
        fresh_until: start + MINUTE * renewed,
        ..answer("")
    };
    centre.script.say(Ok(Some(brokered("one://", 30, 60))));
    let one = valet.get("a").await.unwrap();
    assert_eq!(one.fresh_until, Some((start + MINUTE * 30).into()), "not 12 h");
    clock.advance(MINUTE * 20);
    assert_eq!(valet.value("a").await, "one://");
    assert_eq!(centre.script.asked().len(), 1);
    centre.script.say(Ok(Some(brokered("two://", 90, 120))));
    clock.advance(MINUTE * 10);
    assert_eq!(valet.value("a").await, "two://", "it is renewed there from now on");
    centre.script.say(Err(valet::model::Fault::new(valet::model::FaultKind::SourceDown, "planted")));
    clock.advance(MINUTE * 89);
    assert_eq!(valet.get("a").await.unwrap().state(), v1::State::Stale, "it works for one more minute");
    clock.advance(MINUTE);
    assert_eq!(reason(valet.get("a").await), "SOURCE_DOWN", "it has ended, stale or not");
}
