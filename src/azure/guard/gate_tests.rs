//! What a request meets at the gate: turns, trials, and how long each is waited for. No time passes but by hand.

use super::*;
use crate::{
    azure::{
        BudgetConfig,
        error::{Error, Peer, Trouble},
        http::HostName,
    },
    clock::ManualClock,
};
use futures::{FutureExt as _, future::join_all};
use std::time::SystemTime;

struct Lab {
    gate: Gate,
    budget: Budget,
    clock: Arc<ManualClock>,
    peer: Peer,
}

impl Lab {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let (as_clock, counters) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(Counters::new()));
        let seams = Seams { clock: as_clock, random: Arc::new(|| 0), counters };
        let peer = Peer::Vault { host: HostName::of(&"https://acme.test".parse().unwrap()) };
        Self { gate: Gate::new(seams.clone()), budget: Budget::new(seams), clock, peer }
    }

    /// One request that ends so, as soon as it goes out.
    async fn ask(&self, ended: Ended) -> Result<(), Error> {
        self.gate.pass(&self.peer, None).await.map(|pass| pass.end(ended))
    }

    async fn open(&self, trouble: Trouble, wanted: u64) {
        self.ask(Ended::Failed(trouble, Some(Duration::from_millis(wanted)))).await.unwrap();
    }

    /// Moves both the gate's time and the runtime's.
    async fn advance(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
        tokio::time::advance(Duration::from_millis(millis)).await;
    }

    fn held(&self, trouble: Trouble, millis: u64) -> Error {
        Error::HeldBack { peer: self.peer.clone(), trouble, retry_after: Duration::from_millis(millis) }
    }
}

const DOWN: Trouble = Trouble::Failing(503);

#[tokio::test(start_paused = true)]
async fn a_turn_that_comes_soon_is_waited_for_and_a_later_one_is_not() {
    let lab = Lab::new();
    lab.budget.limit(BudgetConfig { requests: 1, per: Duration::from_secs(10) });
    let pass = || lab.gate.pass(&lab.peer, Some(&lab.budget));
    assert!(pass().now_or_never().unwrap().is_ok());
    assert!(matches!(pass().now_or_never(), Some(Err(Error::BudgetSpent { .. }))));
    lab.advance(3_500).await;
    let mut waiting = Box::pin(pass());
    assert!(futures::poll!(&mut waiting).is_pending());
    assert!(matches!(pass().now_or_never(), Some(Err(Error::BudgetSpent { .. }))), "that turn is taken");
    lab.advance(6_499).await;
    assert!(futures::poll!(&mut waiting).is_pending());
    lab.advance(1).await;
    assert!(waiting.now_or_never().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_short_pause_that_a_throttled_service_asks_for_is_waited_for() {
    let lab = Lab::new();
    lab.open(Trouble::Throttled, 7_500).await;
    let held = lab.ask(Ended::Answered).now_or_never();
    assert_eq!(held, Some(Err(lab.held(Trouble::Throttled, 7_500))));
    lab.advance(600).await;
    let mut waiting = Box::pin(lab.ask(Ended::Answered));
    assert!(futures::poll!(&mut waiting).is_pending());
    lab.advance(6_900).await;
    assert_eq!(waiting.now_or_never(), Some(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_is_not_waited_for_however_short_the_pause() {
    let lab = Lab::new();
    lab.open(DOWN, 10).await;
    assert_eq!(lab.ask(Ended::Answered).now_or_never(), Some(Err(lab.held(DOWN, 10))));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_during_a_trial_waits_for_its_outcome() {
    for (outcome, expected) in [(Ended::Answered, None), (Ended::Failed(DOWN, None), Some(4_000))] {
        let lab = Lab::new();
        lab.open(DOWN, 10).await;
        lab.advance(10).await;
        let trial = lab.gate.pass(&lab.peer, None).await.unwrap();
        let mut others = Box::pin(join_all((0..3).map(|_| lab.ask(Ended::Answered))));
        assert!(futures::poll!(&mut others).is_pending());
        trial.end(outcome);
        let expected = expected.map_or(Ok(()), |millis| Err(lab.held(DOWN, millis)));
        assert_eq!(others.now_or_never(), Some(vec![expected.clone(), expected.clone(), expected]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_trial_is_waited_for_no_longer_than_a_second_and_by_no_more_than_a_bound() {
    let lab = Lab::new();
    lab.open(DOWN, 10).await;
    lab.advance(10).await;
    let _trial = lab.gate.pass(&lab.peer, None).await.unwrap();
    let mut waiting = Box::pin(join_all((0..gate::MOST_WAITING).map(|_| lab.ask(Ended::Answered))));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert_eq!(lab.ask(Ended::Answered).now_or_never(), Some(Err(lab.held(DOWN, 1_000))), "no place is left");
    lab.advance(999).await;
    assert!(futures::poll!(&mut waiting).is_pending());
    lab.advance(1).await;
    let outcomes = tokio::time::timeout(Duration::from_millis(1), waiting).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Err(lab.held(DOWN, 1_000))));
}

#[tokio::test(start_paused = true)]
async fn a_trial_whose_caller_goes_away_is_followed_by_another() {
    let lab = Lab::new();
    lab.open(DOWN, 10).await;
    lab.advance(10).await;
    let trial = lab.gate.pass(&lab.peer, None).await.unwrap();
    let mut next = Box::pin(lab.ask(Ended::Answered));
    assert!(futures::poll!(&mut next).is_pending());
    drop(trial);
    assert_eq!(next.now_or_never(), Some(Ok(())));
    assert_eq!(lab.gate.state(), BreakerState::Closed);
}
