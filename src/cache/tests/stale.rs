//! Refresh ahead, and what a value past its fresh time is good for.

use super::*;

const NEAR_THE_END: Duration = Duration::from_secs(299);

/// Lets the tasks that are ready run.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hit_near_the_end_is_answered_at_once_and_refreshed_meanwhile() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(NEAR_THE_END);
    assert_eq!(lab.get_held(Ok(Some("two"))).now_or_never(), Some(fresh("one")));
    assert_eq!(lab.get_held(Ok(Some("three"))).now_or_never(), Some(fresh("one")), "one refresh is enough");
    lab.gate.notify_one();
    settle().await;
    let hit = lab.get("k", Ok(Some("four"))).await.unwrap().unwrap();
    assert_eq!((hit.value.as_str(), hit.age), ("two", Duration::ZERO));
    assert_eq!((lab.reads(), lab.counters.get(Counter::RefreshesBegun)), (2, 1));
    assert_eq!((lab.counters.get(Counter::CacheHits), lab.counters.get(Counter::CacheMisses)), (3, 1));
}

#[tokio::test]
async fn a_fetch_is_told_whether_anybody_waits_for_it() {
    let lab = Lab::new();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    for age in [Duration::ZERO, NEAR_THE_END, TIMES.fresh] {
        lab.clock.advance(age);
        let fetch = || {
            let told = Arc::clone(&told);
            move |urgency| {
                told.lock().unwrap().push(urgency);
                std::future::ready(Ok(Some("v".to_owned())))
            }
        };
        lab.cache.get(&key("k"), TIMES, fetch).await.unwrap();
        settle().await;
    }
    assert_eq!(*told.lock().unwrap(), [Urgency::Awaited, Urgency::Ahead, Urgency::Awaited]);
}

#[tokio::test]
async fn a_refresh_that_fails_changes_nothing_and_is_tried_again_after_the_pause() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(NEAR_THE_END - FAILURE_PAUSE);
    for _ in 0..5 {
        assert_eq!(lab.text("k", Err(down())).await, fresh("one"));
        settle().await;
    }
    assert_eq!(lab.reads(), 2, "neither retried nor begun anew in the pause");
    lab.clock.advance(FAILURE_PAUSE);
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("one"));
    settle().await;
    assert_eq!(lab.text("k", Ok(Some("three"))).await, fresh("two"));
}

#[tokio::test]
async fn a_refresh_that_is_refused_ends_the_fresh_value_at_once() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(NEAR_THE_END);
    assert_eq!(lab.text("k", Err(denied())).await, fresh("one"));
    settle().await;
    assert_eq!(lab.get("k", Ok(Some("two"))).await, Err(denied()));
}

#[tokio::test]
async fn refreshes_yield_to_the_fetches_of_callers() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(NEAR_THE_END);
    let held = lab.hold(MAX_FLIGHTS_TO_REFRESH);
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("one"));
    assert_eq!((lab.reads(), lab.counters.get(Counter::RefreshesDropped)), (1, 1));
    lab.gate.notify_one();
    settle().await;
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("one"));
    settle().await;
    assert_eq!(lab.text("k", Ok(Some("three"))).await, fresh("two"));
    drop(held);
}

#[tokio::test]
async fn a_value_outlives_its_source_for_the_stale_time_and_says_so() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(TIMES.fresh * 2);
    for kind in [FaultKind::SourceDown, FaultKind::Throttled, FaultKind::TimedOut] {
        let hit = lab.get("k", Err(Fault::new(kind, "planted"))).await.unwrap().unwrap();
        assert_eq!((hit.value.as_str(), hit.state), ("one", State::Stale), "{kind:?}");
        let held = lab.get("k", Ok(Some("in the pause nobody asks"))).await.unwrap().unwrap();
        assert_eq!(held, hit);
        assert_eq!(lab.clock.monotonic(), hit.age, "counted from the reading, not from the failure");
        assert_eq!(hit.fresh_until, SystemTime::UNIX_EPOCH + TIMES.fresh, "never stamped as fresh again");
        lab.clock.advance(FAILURE_PAUSE);
    }
    assert_eq!((lab.reads(), lab.counters.get(Counter::StaleServed)), (4, 6));
    lab.clock.advance(TIMES.stale - lab.clock.monotonic() - Duration::from_millis(1));
    assert_eq!(lab.text("k", Err(down())).await, stale("one"));
    lab.clock.advance(Duration::from_millis(1));
    assert_eq!(lab.text("k", Err(down())).await, Err(down()), "over, although it was served a millisecond ago");
}

#[tokio::test]
async fn a_source_that_comes_back_is_believed_at_once() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(TIMES.fresh);
    assert_eq!(lab.text("k", Err(down())).await, stale("one"));
    lab.clock.advance(FAILURE_PAUSE);
    assert_eq!(lab.text("k", Ok(Some("two"))).await, fresh("two"));
    lab.clock.advance(TIMES.fresh + TIMES.stale - Duration::from_secs(1));
    assert_eq!(lab.text("k", Ok(None)).await, Ok(None));
    lab.clock.advance(TIMES.not_found);
    assert_eq!(lab.text("k", Err(denied())).await, Err(denied()), "what is not here leaves nothing behind");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_here_is_no_answer_once_its_time_is_over() {
    let lab = Lab::new();
    lab.get("k", Ok(None)).await.unwrap();
    lab.clock.advance(TIMES.not_found);
    assert_eq!(lab.text("k", Err(down())).await, Err(down()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_acts_at_once_and_for_good_though_a_stale_value_was_there() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(TIMES.fresh);
    assert_eq!(lab.text("k", Err(denied())).await, Err(denied()));
    assert_eq!(lab.text("k", Ok(Some("two"))).await, Err(denied()));
    lab.clock.advance(FAILURE_PAUSE);
    assert_eq!(lab.text("k", Err(down())).await, Err(down()), "who went down after refusing has refused");
    assert_eq!((lab.cache.usage().values, lab.counters.get(Counter::StaleServed)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn with_a_stale_value_a_source_is_waited_for_a_second_and_the_fetch_goes_on() {
    let lab = Lab::new();
    lab.get("k", Ok(Some("one"))).await.unwrap();
    lab.clock.advance(TIMES.fresh);
    #[expect(clippy::disallowed_methods, reason = "tokio's paused clock")]
    let start = tokio::time::Instant::now();
    assert_eq!(lab.get_held(Ok(Some("two"))).await, stale("one"));
    assert_eq!(start.elapsed(), STALE_WAIT);
    lab.clock.advance(STALE_WAIT);
    assert_eq!(lab.get_held(Ok(Some("three"))).await, stale("one"));
    assert_eq!(
        start.elapsed(),
        STALE_WAIT,
        "it is the source that is waited for a second, not each caller that waits one"
    );
    assert_eq!((lab.counters.get(Counter::StaleWaitsCut), lab.counters.get(Counter::StaleServed)), (2, 2));
    lab.gate.notify_one();
    settle().await;
    assert_eq!(lab.text("k", Ok(Some("four"))).await, fresh("two"));
    assert_eq!(lab.reads(), 2);
}

#[tokio::test]
async fn times_belong_to_who_asks() {
    let lab = Lab::new();
    let ask = async |times, answer: &'static str| {
        let fetch = || move |_| std::future::ready(Ok(Some(answer.to_owned())));
        let hit = lab.cache.get(&key("k"), times, fetch).await.unwrap().unwrap();
        (hit.value.to_string(), hit.fresh_until)
    };
    let at = |span| SystemTime::UNIX_EPOCH + span;
    let minute = Duration::from_mins(1);
    assert_eq!(ask(TIMES, "one").await, ("one".to_owned(), at(TIMES.fresh)));
    lab.clock.advance(minute);
    assert_eq!(ask(Times { fresh: minute * 3, ..TIMES }, "two").await, ("one".to_owned(), at(minute * 3)));
    assert_eq!(ask(TIMES.no_older_than(minute), "three").await, ("three".to_owned(), at(minute * 2)));
    let off = Times { fresh: Duration::ZERO, ..TIMES };
    assert_eq!(ask(off, "four").await.0, "four");
    assert_eq!(ask(off, "five").await.0, "five");
}

/// A value that ends of itself.
#[derive(Debug)]
struct Token(SystemTime);

impl Weigh for Token {
    fn weight(&self) -> usize {
        0
    }

    fn ends_at(&self) -> Option<SystemTime> {
        Some(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_never_handed_out_not_even_after_a_wait() {
    let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
    let cache = Cache::new(&Config::default(), Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(|| 0), Arc::default());
    let end = SystemTime::UNIX_EPOCH + TIMES.fresh + STALE_WAIT;
    let fetch = || move |_| std::future::ready(Ok(Some(Token(end))));
    cache.get(&key("k"), TIMES, fetch).await.unwrap();
    clock.advance(TIMES.fresh);
    let slow = || {
        let clock = Arc::clone(&clock);
        move |_| {
            let clock = Arc::clone(&clock);
            async move {
                clock.advance(STALE_WAIT);
                tokio::time::sleep(STALE_WAIT * 2).await;
                Err(down())
            }
        }
    };
    assert_eq!(cache.get(&key("k"), TIMES, slow).await.unwrap_err(), down(), "the source's own word, waited for");
}
