use super::{keeper::*, *};
use crate::{
    azure::{Error, IdentityProblem},
    clock::Clock,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};
use tokio::{sync::Semaphore, time};

/// Gives tokens `scope-1`, `scope-2`, … of an hour, or the failure that is set; each waits for a permit.
#[derive(Debug)]
struct Source {
    clock: Arc<TestClock>,
    permits: Semaphore,
    fetches: AtomicU64,
    failure: Mutex<Option<Error>>,
}

#[async_trait]
impl Fetch for Source {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
        self.permits.acquire().await.unwrap().forget();
        match self.failure.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(Token {
                text: Secret::new(format!("{scope}-{number}")),
                expires_at: self.clock.wall() + Duration::from_hours(1),
            }),
        }
    }
}

/// Seconds since the epoch, and since the start.
#[derive(Debug, Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

struct Lab {
    clock: Arc<TestClock>,
    source: Arc<Source>,
    keeper: Keeper,
}

impl Lab {
    fn new(permits: usize) -> Self {
        let clock = Arc::new(TestClock::default());
        let source = Arc::new(Source {
            clock: clock.clone(),
            permits: Semaphore::new(permits),
            fetches: AtomicU64::new(0),
            failure: Mutex::default(),
        });
        let keeper = Keeper::new("prod".into(), source.clone(), clock.clone());
        Self { clock, source, keeper }
    }

    async fn token(&self) -> String {
        self.keeper.token("s").await.unwrap().text.expose().to_owned()
    }

    /// Lets a minute pass for whoever sleeps, without anybody asking.
    async fn settle(&self) {
        time::sleep(Duration::from_mins(1)).await;
    }

    fn fetches(&self) -> u64 {
        self.source.fetches.load(Ordering::Relaxed)
    }

    fn at_minute(&self, minute: u64) {
        self.clock.0.store(minute * 60, Ordering::Relaxed);
    }
}

fn failure() -> Error {
    Error::Identity { identity: "prod".into(), why: IdentityProblem::NotAssigned }
}

#[tokio::test(start_paused = true)]
async fn each_scope_has_its_token_which_is_fetched_once() {
    let lab = Lab::new(9);
    let both = futures::future::join_all((0..50).map(|n| lab.keeper.token(if n % 2 == 0 { "a" } else { "b" }))).await;
    let texts: Vec<_> = both.into_iter().map(|token| token.unwrap().text.expose().to_owned()).collect();
    assert!(texts.iter().step_by(2).all(|text| *text == texts[0]) && texts[0].starts_with("a-"), "{texts:?}");
    assert!(texts.iter().skip(1).step_by(2).all(|text| *text == texts[1]) && texts[1].starts_with("b-"), "{texts:?}");
    assert_eq!(lab.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_new_token_takes_over_when_it_comes_and_not_before() {
    let lab = Lab::new(1);
    assert_eq!(lab.token().await, "s-1");
    lab.at_minute(50);
    for _ in 0..10 {
        assert_eq!(lab.token().await, "s-1");
        time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(lab.fetches(), 2);
    lab.source.permits.add_permits(1);
    time::sleep(Duration::from_secs(1)).await;
    assert_eq!(lab.token().await, "s-2");
    lab.at_minute(61);
    assert_eq!((lab.token().await.as_str(), lab.fetches()), ("s-2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_again_and_again_although_nobody_asks() {
    let lab = Lab::new(9);
    assert_eq!(lab.token().await, "s-1");
    for (minute, fetches) in [(47, 1), (48, 2), (95, 2), (96, 3)] {
        lab.at_minute(minute);
        lab.settle().await;
        assert_eq!(lab.fetches(), fetches, "minute {minute}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_whose_token_could_not_be_fetched_is_left_alone_until_somebody_asks() {
    let lab = Lab::new(9);
    *lab.source.failure.lock().unwrap() = Some(failure());
    assert_eq!(lab.keeper.token("s").await, Err(failure()));
    for minute in 1..10 {
        lab.at_minute(minute);
        lab.settle().await;
    }
    assert_eq!(lab.fetches(), 1);
    *lab.source.failure.lock().unwrap() = None;
    assert_eq!((lab.token().await.as_str(), lab.fetches()), ("s-2", 2));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_long_and_a_fetch_that_takes_still_longer_is_given_up() {
    let lab = Lab::new(0);
    let timed_out = |millis| {
        let why = IdentityProblem::TimedOut(Duration::from_millis(millis));
        Err(Error::Identity { identity: "prod".into(), why })
    };
    for answer in futures::future::join_all((0..10).map(|_| lab.keeper.token("s"))).await {
        assert_eq!(answer, timed_out(8_500));
    }
    // Whoever comes later waits for the same fetch, until that is over.
    assert_eq!(lab.keeper.token("s").await, timed_out(15_000));
    assert_eq!(lab.fetches(), 1);
    lab.at_minute(1);
    lab.source.permits.add_permits(1);
    assert_eq!(lab.token().await, "s-2");
}

#[tokio::test(start_paused = true)]
async fn all_who_want_a_token_that_lasts_wait_for_one_fetch_and_nobody_else_does() {
    let lab = Lab::new(1);
    let half_an_hour = Duration::from_mins(30);
    assert_eq!(lab.token().await, "s-1");
    lab.at_minute(31);
    let lasting = || async { lab.keeper.lasting_token("s", half_an_hour).await.unwrap().text.expose().to_owned() };
    let waiting = futures::future::join_all((0..10).map(|_| lasting()));
    let others = async {
        time::sleep(Duration::from_secs(1)).await;
        assert_eq!((lab.token().await.as_str(), lab.fetches()), ("s-1", 2));
        lab.source.permits.add_permits(9);
    };
    assert_eq!(futures::join!(waiting, others).0, vec!["s-2"; 10]);
    assert_eq!((lab.token().await.as_str(), lab.fetches()), ("s-2", 2));
    // Longer than any token lasts: one fetch a minute, and what there is.
    let ages = Duration::from_hours(9);
    assert_eq!(lab.keeper.lasting_token("s", ages).await.unwrap().text.expose(), "s-2");
    lab.at_minute(32);
    for _ in 0..3 {
        assert_eq!(lab.keeper.lasting_token("s", ages).await.unwrap().text.expose(), "s-3");
    }
    assert_eq!(lab.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ceases_to_last_and_nobody_waits_for_it() {
    let lab = Lab::new(1);
    let lasting = || async { lab.keeper.lasting_token("s", Duration::from_mins(30)).await.unwrap() };
    assert_eq!(lasting().await.text.expose(), "s-1");
    lab.at_minute(20);
    assert_eq!(lasting().await.text.expose(), "s-1");
    lab.settle().await;
    assert_eq!(lab.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_goes_to_those_whom_the_old_token_does_not_last() {
    let lab = Lab::new(9);
    assert_eq!(lab.token().await, "s-1");
    *lab.source.failure.lock().unwrap() = Some(failure());
    lab.at_minute(31);
    assert_eq!(lab.keeper.lasting_token("s", Duration::from_mins(30)).await, Err(failure()));
    assert_eq!((lab.token().await.as_str(), lab.fetches()), ("s-1", 2));
}

#[tokio::test(start_paused = true)]
async fn scopes_are_bounded() {
    let lab = Lab::new(99);
    for n in 0..64 {
        assert!(lab.keeper.token(&format!("s{n}")).await.is_ok());
    }
    let expected = Error::Identity { identity: "prod".into(), why: IdentityProblem::TooManyScopes };
    assert_eq!(lab.keeper.token("s64").await, Err(expected));
    assert!(lab.keeper.token("s3").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_tasks_end_with_the_keeper_even_in_the_middle_of_a_fetch() {
    let lab = Lab::new(1);
    assert_eq!(lab.token().await, "s-1");
    lab.at_minute(50);
    assert_eq!(lab.token().await, "s-1");
    tokio::task::yield_now().await;
    assert_eq!((lab.fetches(), Arc::strong_count(&lab.source) > 2), (2, true));
    let Lab { keeper, source, .. } = lab;
    drop(keeper);
    time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&source), 1);
}
