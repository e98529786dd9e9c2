//! What was invalidated is as if it had never been read.

use super::*;

#[tokio::test]
async fn what_is_invalidated_is_dropped_and_counted_and_nothing_else_is() {
    let lab = Lab::new();
    lab.get("a", Ok(Some("1"))).await.unwrap();
    lab.get("b", Ok(None)).await.unwrap();
    lab.get("c", Err(denied())).await.unwrap_err();
    lab.get("d", Ok(Some("4"))).await.unwrap();
    assert_eq!(lab.cache.invalidate(|key| key.lookup.name.as_str() != "d"), 2);
    assert_eq!(lab.cache.invalidate(|key| key.lookup.name.as_str() != "d"), 0);
    for name in ["a", "b", "c"] {
        assert_eq!(lab.text(name, Ok(Some("new"))).await, fresh("new"));
    }
    assert_eq!(lab.text("d", Ok(Some("new"))).await, fresh("4"));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_was_under_way_answers_who_waited_and_nobody_else() {
    let lab = Lab::new();
    let mut early = lab.get_held(Ok(Some("old")));
    assert!(early.as_mut().now_or_never().is_none());
    assert_eq!(lab.cache.invalidate(|_| true), 0);
    let mut late = lab.get_held(Ok(Some("new")));
    assert!(late.as_mut().now_or_never().is_none());
    assert_eq!(lab.cache.in_flight(), 2);
    lab.gate.notify_one();
    assert_eq!(early.await, fresh("old"));
    assert!(late.as_mut().now_or_never().is_none());
    lab.gate.notify_one();
    assert_eq!(late.await, fresh("new"));
    assert_eq!(lab.text("k", Ok(Some("newer"))).await, fresh("new"));
    assert_eq!((lab.reads(), lab.cache.in_flight()), (2, 0));
}

#[tokio::test]
async fn neither_the_absence_nor_the_failure_that_an_older_fetch_brings_is_kept() {
    for outcome in [Ok(None), Err(denied())] {
        let lab = Lab::new();
        let mut early = lab.get_held(outcome.clone());
        assert!(early.as_mut().now_or_never().is_none());
        lab.cache.invalidate(|_| true);
        assert_eq!(lab.text("k", Ok(Some("new"))).await, fresh("new"));
        lab.gate.notify_one();
        assert_eq!(early.await, outcome.map(|_| None));
        assert_eq!(lab.text("k", Ok(Some("newer"))).await, fresh("new"));
    }
}

#[tokio::test]
async fn fetches_that_were_invalidated_count_against_the_bound() {
    let lab = Lab::new();
    for _ in 0..MAX_FLIGHTS {
        assert!(lab.get_held(Ok(None)).now_or_never().is_none());
        lab.cache.invalidate(|_| true);
    }
    assert_eq!(lab.get("k", Ok(None)).await.unwrap_err().kind(), FaultKind::Overloaded);
}
