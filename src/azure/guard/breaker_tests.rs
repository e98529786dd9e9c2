//! What the breaker promises, whatever happens in whatever order.

use super::breaker::{Breaker, BreakerState, Change, FAILURES, Held, LONGEST_PAUSE, SHORTEST_PAUSE, Ticket};
use crate::azure::error::Trouble;
use proptest::prelude::*;
use std::time::Duration;

const DOWN: Trouble = Trouble::Failing(503);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fail(breaker: &mut Breaker, now: u64) -> Change {
    let ticket = breaker.begin(seconds(now)).unwrap();
    breaker.failed(&ticket, DOWN, None, seconds(now), 0)
}

#[test]
fn failures_in_a_row_open_it_and_pauses_double_until_an_answer_closes_it() {
    let mut breaker = Breaker::new();
    let changes: Vec<_> = (0..FAILURES).map(|_| fail(&mut breaker, 0)).collect();
    assert_eq!(changes, [Change::None, Change::None, Change::None, Change::None, Change::Opened(seconds(2))]);
    let mut now = 0;
    for (pause, next) in [(2, 4), (4, 8), (8, 16), (16, 32), (32, 60), (60, 60)] {
        assert_eq!(breaker.state(seconds(now)), BreakerState::Open);
        assert_eq!(breaker.begin(seconds(now)).unwrap_err(), Held { trouble: DOWN, left: Some(seconds(pause)) });
        now += pause;
        assert_eq!(breaker.state(seconds(now)), BreakerState::HalfOpen);
        assert_eq!(fail(&mut breaker, now), Change::Opened(seconds(next)));
    }
    now += 60;
    let trial = breaker.begin(seconds(now)).unwrap();
    assert_eq!(breaker.begin(seconds(now)).unwrap_err(), Held { trouble: DOWN, left: None }, "one trial at a time");
    assert_eq!(breaker.answered(&trial), Change::Closed);
    assert_eq!(breaker.state(seconds(now)), BreakerState::Closed);
    assert_eq!(fail(&mut breaker, now), Change::None, "it counts from nothing again");
}

#[test]
fn an_answer_between_failures_starts_the_count_anew() {
    let mut breaker = Breaker::new();
    for _ in 0..3 {
        for _ in 1..FAILURES {
            assert_eq!(fail(&mut breaker, 0), Change::None);
        }
        let ticket = breaker.begin(seconds(0)).unwrap();
        assert_eq!(breaker.answered(&ticket), Change::None);
    }
}

#[test]
fn the_time_that_a_service_names_is_obeyed_at_its_first_word() {
    let mut breaker = Breaker::new();
    let [first, second, third] = [(); 3].map(|()| breaker.begin(seconds(0)).unwrap());
    let mut throttled = |ticket, wanted, now| breaker.failed(ticket, Trouble::Throttled, wanted, seconds(now), 0);
    assert_eq!(throttled(&first, Some(seconds(7)), 0), Change::Opened(seconds(7)));
    assert_eq!(throttled(&second, Some(seconds(30)), 1), Change::None, "it was out already, and yet its word counts");
    assert_eq!(throttled(&third, None, 2), Change::None);
    let held = Held { trouble: Trouble::Throttled, left: Some(seconds(1)) };
    assert_eq!(breaker.begin(seconds(30)).unwrap_err(), held);
    assert!(breaker.begin(seconds(31)).is_ok());
}

#[test]
fn a_time_of_nothing_is_none() {
    let mut breaker = Breaker::new();
    let ticket = breaker.begin(seconds(0)).unwrap();
    assert_eq!(breaker.failed(&ticket, DOWN, Some(Duration::ZERO), seconds(0), 0), Change::None);
}

#[test]
fn a_trial_that_nobody_waits_for_any_more_leaves_its_place_to_the_next() {
    let mut breaker = Breaker::new();
    let late = breaker.begin(seconds(0)).unwrap();
    for _ in 0..FAILURES {
        fail(&mut breaker, 0);
    }
    let trial = breaker.begin(seconds(2)).unwrap();
    assert!(!breaker.abandoned(&late));
    assert_eq!(breaker.answered(&late), Change::None, "it began before the failures, and does not speak for now");
    assert!(breaker.abandoned(&trial));
    assert!(breaker.begin(seconds(2)).is_ok());
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Begin,
    Answer(usize),
    Fail(usize, Option<u64>, u64),
    Abandon(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u64..5_000).prop_map(Step::Pass),
        Just(Step::Begin),
        Just(Step::Begin),
        any::<usize>().prop_map(Step::Answer),
        (any::<usize>(), prop::option::of(0_u64..20_000), any::<u64>())
            .prop_map(|(which, wanted, random)| Step::Fail(which, wanted, random)),
        (any::<usize>(), any::<u64>()).prop_map(|(which, random)| Step::Fail(which, None, random)),
        any::<usize>().prop_map(Step::Abandon),
    ]
}

proptest! {
    #[test]
    fn nothing_goes_out_too_early_and_something_always_goes_out_in_the_end(
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let mut breaker = Breaker::new();
        let mut now = Duration::ZERO;
        let mut out: Vec<Ticket> = Vec::new();
        // The earliest time at which anything may go out, as far as the service and the pauses say.
        let mut not_before = Duration::ZERO;
        // What went out since the last change while it was half open.
        let mut trials = 0;
        for step in steps {
            let pick = |which: usize, out: &mut Vec<Ticket>| (!out.is_empty()).then(|| out.swap_remove(which % out.len()));
            match step {
                Step::Pass(millis) => now += Duration::from_millis(millis),
                Step::Begin => {
                    let is_half_open = breaker.state(now) == BreakerState::HalfOpen;
                    if let Ok(ticket) = breaker.begin(now) {
                        prop_assert!(now >= not_before);
                        out.push(ticket);
                        trials += usize::from(is_half_open);
                        prop_assert!(trials <= 1);
                    }
                }
                Step::Answer(which) => {
                    let Some(ticket) = pick(which, &mut out) else { continue };
                    if breaker.answered(&ticket) == Change::Closed {
                        (not_before, trials) = (now, 0);
                        prop_assert_eq!(breaker.state(now), BreakerState::Closed);
                    }
                }
                Step::Fail(which, wanted, random) => {
                    let Some(ticket) = pick(which, &mut out) else { continue };
                    let wanted = wanted.map(Duration::from_millis);
                    let change = breaker.failed(&ticket, DOWN, wanted, now, random);
                    if let Change::Opened(pause) = change {
                        let ours = SHORTEST_PAUSE..=LONGEST_PAUSE;
                        prop_assert!(wanted == Some(pause) || ours.contains(&pause), "{pause:?}");
                        (not_before, trials) = (now + pause, 0);
                        prop_assert_eq!(breaker.state(now), BreakerState::Open);
                    } else if breaker.state(now) == BreakerState::Open {
                        not_before = not_before.max(now + wanted.unwrap_or_default());
                    }
                }
                Step::Abandon(which) => {
                    let Some(ticket) = pick(which, &mut out) else { continue };
                    if breaker.abandoned(&ticket) {
                        trials = 0;
                    }
                }
            }
        }
        // Whoever is still out goes away; then the next one may go, once it is time.
        for ticket in out {
            breaker.abandoned(&ticket);
        }
        prop_assert!(breaker.begin(now.max(not_before)).is_ok());
    }
}
