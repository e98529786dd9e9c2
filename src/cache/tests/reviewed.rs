//! What a source's news do to what is held, and who hears of it.

use super::*;
use crate::model::{Held, Review};
use std::cell::Cell;
use tokio::{sync::broadcast::error::TryRecvError, task::yield_now};

impl Lab {
    /// News of every name, true as of now.
    fn review(&self, judge: impl Fn(&str) -> Review) -> Reviewed {
        self.cache.review(self.clock.monotonic(), |key, _| judge(key.lookup.name.as_str()))
    }
}

/// The names that were told since it was asked last.
fn heard(changed: &mut Changed) -> Vec<String> {
    let mut names = Vec::new();
    while let Ok(keys) = changed.try_recv() {
        names.extend(keys.iter().map(|key| key.lookup.name.as_str().to_owned()));
    }
    names.sort();
    names
}

#[tokio::test]
async fn what_is_confirmed_is_as_good_as_read_again() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(None)).await.unwrap();
    lab.clock.advance(Duration::from_secs(50));
    assert_eq!(lab.review(|_| Review::Confirm), Reviewed { confirmed: 2, ..Reviewed::default() });
    lab.clock.advance(Duration::from_secs(59));
    assert_eq!(lab.get("none", Ok(Some("made"))).await, Ok(None));
    lab.clock.advance(TIMES.fresh - Duration::from_mins(1));
    let hit = lab.get("k", Ok(Some("two"))).await.unwrap().unwrap();
    assert_eq!((hit.value.as_str(), hit.age), ("one", TIMES.fresh - Duration::from_secs(1)));
}

#[tokio::test]
async fn what_is_doubted_is_read_again_and_stands_in_only_where_that_fails() {
    for (answer, expected) in [(Ok(Some("two")), fresh("two")), (Err(down()), stale("one"))] {
        let lab = Lab::new();
        lab.get("k", Ok(Some("one"))).await.unwrap();
        assert_eq!(lab.review(|_| Review::Doubt).doubted, [key("k")]);
        assert_eq!(lab.review(|_| Review::Doubt).doubted, [], "it is told once");
        assert_eq!(lab.text("k", answer).await, expected);
    }
}

#[tokio::test]
async fn an_answer_in_place_of_what_is_doubted_does_not_say_that_it_is_fresh_for_long() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.review(|_| Review::Doubt);
    lab.clock.advance(Duration::from_secs(1));
    let hit = lab.get("k", Err(down())).await.unwrap().unwrap();
    assert_eq!((hit.age, hit.fresh_until), (Duration::from_secs(1), lab.clock.wall()));
}

#[tokio::test]
async fn what_is_doubted_and_then_confirmed_is_fresh_again() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.review(|_| Review::Doubt);
    lab.review(|_| Review::Confirm);
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("one"));
}

#[tokio::test]
async fn what_has_lapsed_is_told_and_read_again_only_when_it_is_asked_for() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(None)).await.unwrap();
    let mut changed = lab.cache.changed();
    let expected = Reviewed { dropped: vec![key("none")], ..Reviewed::default() };
    assert_eq!(lab.review(|_| Review::Lapse), expected, "nothing is to be read at once");
    assert_eq!(*changed.recv().await.unwrap(), [key("none"), key("k")]);
    assert_eq!(lab.get("k", Err(down())).await.unwrap().unwrap().state, State::Stale);
    lab.clock.advance(Duration::from_secs(2));
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("two"));
}

#[tokio::test]
async fn what_is_dropped_stands_in_for_nothing_and_a_name_not_found_is_dropped_when_in_doubt() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(None)).await.unwrap();
    let judge = |name: &str| if name == "k" { Review::Drop } else { Review::Doubt };
    let reviewed = lab.review(judge);
    assert_eq!((reviewed.doubted.len(), reviewed.dropped), (0, vec![key("k"), key("none")]));
    assert_eq!(lab.get("k", Err(down())).await, Err(down()));
    assert_eq!(lab.text("none", Ok(Some("made"))).await, fresh("made"));
}

#[tokio::test]
async fn what_was_read_after_the_news_is_passed_over() {
    let lab = Lab::new();
    lab.get("old", Ok(Some("one"))).await.unwrap();
    let as_of = lab.clock.monotonic();
    lab.clock.advance(Duration::from_secs(1));
    lab.get("new", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(None)).await.unwrap();
    let seen = std::sync::Mutex::new(Vec::new());
    let reviewed = lab.cache.review(as_of, |key, held| {
        seen.lock().unwrap().push((key.lookup.name.to_string(), matches!(held, Held::Value { .. })));
        Review::Drop
    });
    assert_eq!(reviewed.dropped, [key("old")]);
    assert_eq!(seen.into_inner().unwrap(), [("old".to_owned(), true)]);
}

#[tokio::test]
async fn a_read_that_began_before_the_news_is_not_kept() {
    for (began_before, expected) in [(true, "new"), (false, "old")] {
        let lab = Lab::new();
        let before = lab.clock.monotonic();
        lab.clock.advance(Duration::from_secs(1));
        let mut early = lab.get_held(Ok(Some("old")));
        assert!(early.as_mut().now_or_never().is_none());
        let as_of = if began_before { lab.clock.monotonic() } else { before };
        lab.cache.review(as_of, |_, held| match held {
            Held::Awaited { .. } => Review::Doubt,
            Held::Value { .. } | Held::NotFound { .. } => Review::Leave,
        });
        lab.gate.notify_one();
        assert_eq!(early.await, fresh("old"), "who waits gets what it brings");
        assert_eq!(lab.text("k", Ok(Some("new"))).await, fresh(expected));
    }
}

#[tokio::test]
async fn whoever_listens_hears_of_each_name_of_which_something_else_is_held() {
    let lab = Lab::new();
    let mut changed = lab.cache.changed();
    let stale = TIMES.fresh;
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(None)).await.unwrap();
    assert_eq!(heard(&mut changed), [""; 0], "what nobody knew before is no news");
    lab.clock.advance(stale);
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.get("none", Ok(Some("made"))).await.unwrap();
    assert_eq!(heard(&mut changed), ["none"]);
    lab.clock.advance(stale);
    lab.get("k", Err(down())).await.unwrap();
    lab.get("none", Err(denied())).await.unwrap_err();
    assert_eq!(heard(&mut changed), ["none"], "a refusal takes a value away, an outage does not");
    lab.clock.advance(stale);
    lab.get("k", Ok(Some("two"))).await.unwrap();
    assert_eq!(heard(&mut changed), ["k"]);
    lab.review(|_| Review::Confirm);
    assert_eq!(heard(&mut changed), [""; 0]);
    lab.review(|_| Review::Doubt);
    assert_eq!(heard(&mut changed), ["k"]);
    lab.cache.invalidate(|_| true);
    assert_eq!(heard(&mut changed), ["k"]);
}

#[tokio::test]
async fn who_listens_too_slowly_hears_that_it_missed_something() {
    let lab = Lab::new();
    let mut changed = lab.cache.changed();
    for _ in 0..1000 {
        lab.get("k", Ok(Some("one"))).await.unwrap();
        lab.cache.invalidate(|_| true);
    }
    assert!(matches!(changed.try_recv(), Err(TryRecvError::Lagged(_))));
}

#[tokio::test]
async fn a_value_is_as_old_to_its_source_as_the_question_and_to_callers_as_the_answer() {
    let lab = Lab::new();
    let mut caller = lab.get_held(Ok(Some("one")));
    assert!(caller.as_mut().now_or_never().is_none());
    yield_now().await;
    let (asked_at, second) = (lab.clock.monotonic(), Duration::from_secs(1));
    lab.clock.advance(second * 5);
    lab.gate.notify_one();
    assert_eq!(caller.await, fresh("one"));
    let held = |as_of| {
        let told = Cell::new(None);
        let note = |_: &Key, held: Held<'_>| {
            told.set(if let Held::Value { read_at, .. } = held { Some(read_at) } else { None });
            Review::Leave
        };
        lab.cache.review(as_of, note);
        told.get()
    };
    assert_eq!(held(asked_at + second), Some(asked_at), "what was changed a second after the question is news");
    lab.clock.advance(second);
    assert_eq!(lab.get("k", Ok(Some("two"))).await.unwrap().unwrap().age, second);
    lab.cache.review(asked_at + second, |_, _| Review::Confirm);
    assert_eq!(held(asked_at + second * 2), Some(asked_at + second));
    assert_eq!(lab.get("k", Ok(Some("two"))).await.unwrap().unwrap().age, second, "it is no older for that");
}
