//! One fetch per key, and what becomes of its failure.

use super::*;

#[tokio::test]
async fn a_refusal_is_held_for_a_short_pause_and_never_cached() {
    let lab = Lab::new();
    assert_eq!(lab.get("k", Err(denied())).await, Err(denied()));
    lab.clock.advance(FAILURE_PAUSE - Duration::from_millis(1));
    assert_eq!(lab.get("k", Ok(Some("up"))).await, Err(denied()));
    assert_eq!(lab.counters.get(Counter::FaultsHeld), 1);
    lab.clock.advance(Duration::from_millis(1));
    assert_eq!(lab.text("k", Ok(Some("up"))).await, fresh("up"));
    assert_eq!(lab.reads(), 2, "a refusal is not retried");
}

#[tokio::test]
async fn a_retry_after_lengthens_the_pause_up_to_a_bound() {
    let lab = Lab::new();
    let throttled = |wait| Fault::new(FaultKind::Throttled, "busy").retry_after(Some(wait));
    lab.get("k", Err(throttled(Duration::from_secs(8)))).await.unwrap_err();
    lab.clock.advance(Duration::from_secs(7));
    assert_eq!(lab.get("k", Ok(None)).await.unwrap_err().kind(), FaultKind::Throttled);
    lab.clock.advance(Duration::from_secs(1));
    lab.get("k", Err(throttled(Duration::from_hours(9)))).await.unwrap_err();
    lab.clock.advance(MAX_FAILURE_PAUSE);
    assert_eq!(lab.get("k", Ok(None)).await, Ok(None));
    assert_eq!(lab.reads(), 3, "nobody waits that long for a retry");
}

#[tokio::test(start_paused = true)]
async fn a_flight_retries_a_transient_fault_twice_and_then_its_pause_begins() {
    let lab = Lab::new();
    assert_eq!(lab.get("k", Err(down())).await, Err(down()));
    assert_eq!((lab.reads(), lab.counters.get(Counter::ReadsRetried)), (3, 2));
    assert_eq!(lab.get("k", Ok(Some("up"))).await, Err(down()));
    assert_eq!(lab.reads(), 3);
    lab.clock.advance(FAILURE_PAUSE);
    assert_eq!(lab.text("k", Ok(Some("up"))).await, fresh("up"));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_passes_is_no_fault_for_who_waits() {
    let lab = Lab::new();
    let answers = Arc::new(std::sync::Mutex::new(vec![Ok(Some("up".to_owned())), Err(down())]));
    let fetch = || move |_| std::future::ready(answers.lock().unwrap().pop().unwrap());
    let hit = lab.cache.get(&key("k"), TIMES, fetch).await.unwrap().unwrap();
    assert_eq!((hit.value.as_str(), hit.state), ("up", State::Fresh));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_cost_one_flight_also_when_it_fails() {
    for (answer, reads) in [(Ok(Some("v")), 1), (Ok(None), 1), (Err(denied()), 1), (Err(down()), 3)] {
        let lab = Lab::new();
        let mut callers: Vec<_> = (0..1000).map(|_| lab.get_held(answer.clone())).collect();
        assert!(callers.iter_mut().all(|caller| caller.now_or_never().is_none()));
        let open_the_gate = async {
            for _ in 0..reads {
                lab.gate.notify_one();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let (outcomes, ()) = futures::future::join(futures::future::join_all(callers), open_the_gate).await;
        let expected = answer.map(|value| value.map(|value| (value.to_owned(), State::Fresh)));
        assert!(outcomes.into_iter().all(|outcome| outcome == expected));
        assert_eq!((lab.reads(), lab.cache.in_flight()), (reads, 0));
    }
}

#[tokio::test]
async fn a_cancelled_caller_does_not_cancel_the_fetch() {
    let lab = Lab::new();
    let mut first = lab.get_held(Ok(Some("v")));
    assert!(first.as_mut().now_or_never().is_none());
    drop(first);
    let mut second = lab.get_held(Ok(Some("never read")));
    assert!(second.as_mut().now_or_never().is_none());
    lab.gate.notify_one();
    assert_eq!(second.await, fresh("v"));
    assert_eq!(lab.reads(), 1);
}

#[tokio::test]
async fn a_fetch_that_panics_is_an_internal_fault_and_the_next_caller_starts_anew() {
    let lab = Lab::new();
    let fetch = || |_| async { panic!("planted") };
    let outcome = lab.cache.get(&key("k"), TIMES, fetch).await;
    assert_eq!(outcome.unwrap_err().kind(), FaultKind::Internal);
    assert_eq!(lab.text("k", Ok(Some("v"))).await, fresh("v"));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_never_ends_times_out() {
    let lab = Lab::new();
    assert_eq!(lab.get_held(Ok(None)).await.unwrap_err().kind(), FaultKind::TimedOut);
    assert_eq!(lab.cache.in_flight(), 0);
}

#[tokio::test]
async fn too_many_fetches_at_once_are_refused_and_counted_unless_a_stale_value_stands_in() {
    let lab = Lab::new();
    lab.get("stale", Ok(Some("old"))).await.unwrap();
    lab.clock.advance(TIMES.fresh);
    let held = lab.hold(MAX_FLIGHTS);
    assert_eq!(lab.get("one more", Ok(None)).await.unwrap_err().kind(), FaultKind::Overloaded);
    assert_eq!(lab.text("stale", Ok(Some("new"))).await, stale("old"));
    assert_eq!(lab.counters.get(Counter::FlightsRefused), 2);
    assert!(lab.get_held(Ok(None)).now_or_never().is_some_and(|outcome| outcome.is_err()));
    drop(held);
    assert_eq!(lab.cache.in_flight(), MAX_FLIGHTS, "they go on without those who waited");
}
