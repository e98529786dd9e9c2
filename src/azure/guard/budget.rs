use super::{PATIENCE, Seams};
use crate::{
    azure::{
        BudgetConfig,
        error::{Error, Peer},
    },
    telemetry::Counter,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// The share of a budget that is kept for reads that somebody waits for: one part in this many.
const KEPT_FOR_CALLERS: usize = 4;

/// The share of a budget whose turns are spread out: the last one part in this many.
const SPREAD: usize = 4;

/// How long anybody is made to wait so that the last turns are spread out.
const SPREAD_WAIT: Duration = Duration::from_secs(1);

/// What one vault may be asked by this process, whoever asks and for whatever.
#[derive(Debug)]
pub(in crate::azure) struct Budget {
    window: Mutex<Window>,
    seams: Seams,
}

impl Budget {
    /// The default budget, unspent.
    pub(in crate::azure) fn new(seams: Seams) -> Self {
        Self { window: Mutex::new(Window::new(BudgetConfig::default())), seams }
    }

    /// Takes another limit into use. What was spent stays spent.
    pub(in crate::azure) fn limit(&self, config: BudgetConfig) {
        self.lock().config = config;
    }

    /// Takes one request out of the budget; waits a little where the budget is spent and that helps.
    pub(super) async fn take(&self, peer: &Peer) -> Result<(), Error> {
        let (wait, config) = {
            let mut window = self.lock();
            (window.reserve(self.seams.now(), PATIENCE), window.config)
        };
        match wait {
            Ok(Duration::ZERO) => Ok(()),
            Ok(wait) => {
                sleep(wait).await;
                Ok(())
            }
            Err(retry_after) => {
                self.seams.count(Counter::BudgetSpent);
                Err(Error::BudgetSpent { peer: peer.clone(), budget: config, retry_after })
            }
        }
    }

    /// Whether a read that nobody waits for may begin.
    ///
    /// # Errors
    /// [`Error::Yielded`], where what is left is kept for others.
    pub(in crate::azure) fn spare(&self, peer: &Peer) -> Result<(), Error> {
        if self.lock().can_spare(self.seams.now()) {
            return Ok(());
        }
        self.seams.count(Counter::RefreshesYielded);
        Err(Error::Yielded { peer: peer.clone() })
    }

    /// How many requests are left now, of how many.
    pub(in crate::azure) fn left(&self) -> (u32, BudgetConfig) {
        let window = self.lock();
        let left = u32::try_from(window.left(self.seams.now())).expect("it is at most `requests`, which is a u32");
        (left, window.config)
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sliding window: when each of the last requests went out, or will, once its turn has come.
#[derive(Debug, Clone)]
struct Window {
    config: BudgetConfig,
    /// In order: at most `requests` of the last `per`, and those whose turn comes within [`PATIENCE`]. So nobody waits in a queue without bound.
    departures: VecDeque<Duration>,
}

impl Window {
    fn new(config: BudgetConfig) -> Self {
        Self { config, departures: VecDeque::new() }
    }

    /// Takes the next turn, if it comes within `patience`, and says how long to wait for it; else how long it would take.
    fn reserve(&mut self, now: Duration, patience: Duration) -> Result<Duration, Duration> {
        self.forget(now);
        let turn = self.next_turn(now);
        if turn - now > patience {
            return Err(turn - now);
        }
        // A burst must not fail for being asked to wait in between: it gets the last turns at once.
        let turn = self.spread(now).filter(|spread| *spread <= now + SPREAD_WAIT).unwrap_or(turn);
        let place = self.departures.partition_point(|at| *at <= turn);
        self.departures.insert(place, turn);
        Ok(turn - now)
    }

    /// Whether more is left than what is kept for those who wait.
    fn can_spare(&self, now: Duration) -> bool {
        self.left(now) > self.requests() / KEPT_FOR_CALLERS
    }

    /// How many more may go out at once.
    fn left(&self, now: Duration) -> usize {
        let spent = self.departures.iter().rev().take_while(|at| **at + self.config.per > now).count();
        self.requests().saturating_sub(spent)
    }

    fn next_turn(&self, now: Duration) -> Duration {
        // The one that has to have left the window first.
        let first = self.departures.len().checked_sub(self.requests());
        first.map_or(now, |first| (self.departures[first] + self.config.per).max(now))
    }

    /// When the next of the last turns had better come: they are spread over the time until the first request leaves the window. So whoever asks
    /// for one name after another becomes slower and is not refused.
    fn spread(&self, now: Duration) -> Option<Duration> {
        let left = self.requests().checked_sub(self.departures.len()).filter(|left| *left > 0)?;
        if left > self.requests() / SPREAD {
            return None;
        }
        let (first, last) = (self.departures.front()?, self.departures.back()?);
        let gap = (*first + self.config.per).saturating_sub(*last) / u32::try_from(left + 1).ok()?;
        Some((*last + gap).max(now))
    }

    fn forget(&mut self, now: Duration) {
        while self.departures.front().is_some_and(|at| *at + self.config.per <= now) {
            self.departures.pop_front();
        }
    }

    fn requests(&self) -> usize {
        self.config.requests.max(1).try_into().unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn window(requests: u32, per: u64) -> Window {
        Window::new(BudgetConfig { requests, per: seconds(per) })
    }

    #[test]
    fn a_spent_budget_says_when_the_next_turn_is_and_nobody_waits_long_for_it() {
        let mut window = window(2, 10);
        let mut ask =
            |millis| window.reserve(Duration::from_millis(millis), seconds(1)).map_err(|wait| wait.as_millis());
        assert_eq!([ask(0), ask(500)], [Ok(Duration::ZERO); 2]);
        assert_eq!([ask(500), ask(8_999)], [Err(9_500), Err(1_001)]);
        assert_eq!(ask(9_000), Ok(seconds(1)), "the turn at 10 s");
        assert_eq!(ask(9_000), Err(1_500), "and the next one is at 10.5 s");
        assert_eq!([ask(10_000), ask(10_000)], [Ok(Duration::from_millis(500)), Err(10_000)]);
    }

    #[test]
    fn what_nobody_waits_for_leaves_a_quarter_to_the_others() {
        let mut window = window(8, 10);
        for left in (0..8).rev() {
            window.reserve(Duration::ZERO, seconds(10)).unwrap();
            assert_eq!((window.left(Duration::ZERO), window.can_spare(Duration::ZERO)), (left, left > 2));
        }
        assert_eq!((window.left(seconds(20)), window.can_spare(seconds(20))), (8, true));
    }

    #[test]
    fn a_new_limit_counts_what_the_old_one_spent() {
        let mut window = window(2, 10);
        for _ in 0..2 {
            window.reserve(Duration::ZERO, Duration::ZERO).unwrap();
        }
        window.config.requests = 1;
        assert_eq!(window.reserve(seconds(1), seconds(1)), Err(seconds(9)));
        window.config.requests = 3;
        assert_eq!(window.left(seconds(1)), 1);
        assert_eq!(
            [window.reserve(seconds(1), seconds(1)), window.reserve(seconds(1), seconds(1))],
            [Ok(Duration::ZERO), Err(seconds(9))]
        );
    }

    #[test]
    fn who_asks_for_one_name_after_another_becomes_slower_and_is_not_refused() {
        let mut window = window(200, 10);
        let (mut now, mut at) = (Duration::ZERO, Vec::new());
        for _ in 0..1000 {
            now += window.reserve(now, PATIENCE).expect("a turn comes in time") + Duration::from_millis(1);
            at.push(now.as_secs());
        }
        assert_eq!([at[149], at[199], at[999]], [0, 9, 49], "150 at once, 200 in 10 s, 1000 in 50 s");
    }

    #[test]
    fn a_burst_gets_the_whole_budget_within_a_second() {
        let mut window = window(200, 10);
        let waits: Vec<_> = (0..201).map(|_| window.reserve(Duration::ZERO, PATIENCE)).collect();
        assert!(waits[..200].iter().all(|wait| matches!(wait, Ok(wait) if *wait <= SPREAD_WAIT)));
        assert_eq!(waits[200], Err(seconds(10)));
    }

    proptest! {
        #[test]
        fn no_span_ever_holds_more_than_the_budget(
            requests in 1_u32..20, per in 1_u64..30,
            steps in prop::collection::vec((0_u64..2_000, 1_usize..30), 1..60),
        ) {
            let mut window = window(requests, per);
            let (mut now, mut departures) = (Duration::ZERO, Vec::new());
            for (step, burst) in steps {
                now += Duration::from_millis(step);
                for _ in 0..burst {
                    match window.reserve(now, PATIENCE) {
                        Ok(wait) => departures.push(now + wait),
                        Err(wait) => prop_assert!(wait > PATIENCE && wait <= seconds(per) + PATIENCE),
                    }
                }
                let spans = 2 + usize::try_from(PATIENCE.as_secs() / per).unwrap();
                prop_assert!(window.departures.len() <= spans * window.requests(), "nothing grows without bound");
            }
            departures.sort_unstable();
            for (first, at) in departures.iter().enumerate() {
                let within = departures[first..].iter().take_while(|other| **other < *at + seconds(per)).count();
                prop_assert!(within <= window.requests(), "{within} from {at:?}");
            }
        }
    }
}
