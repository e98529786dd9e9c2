//! When a token is used, renewed, waited for and given up: pure functions of what is held and what time it is.

use super::Token;
use crate::azure::error::Error;
use std::{
    cmp::{max, min},
    time::{Duration, SystemTime},
};

/// How long before its end a token is renewed: a fifth of its life, at least this, at most half of its life.
const RENEW_AHEAD: Duration = Duration::from_mins(5);
/// How long a failure is answered before who gives tokens is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, reached by doubling while an old token still serves, or because it was asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a token counts as the newest that can be had, so that none is fetched for its longer life.
const NEWEST: Duration = Duration::from_mins(1);
/// How long after a rejection the new token is kept although it is rejected too: who rejects everything must not cause a fetch per request.
const REJECTION_PAUSE: Duration = Duration::from_secs(30);

/// The time, both ways: ends of tokens are other machines' times, pauses are our own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Wall clock.
    pub(super) wall: SystemTime,
    /// Since an arbitrary start.
    pub(super) monotonic: Duration,
}

/// What is held for one scope.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    token: Option<(Token, SystemTime)>,
    failure: Option<Failure>,
    rejected_at: Option<Duration>,
    /// The longest life that anybody has asked for since the last fetch.
    wanted: Duration,
    /// How many fetches have ended.
    pub(super) fetches: u64,
}

#[derive(Debug, Clone)]
struct Failure {
    error: Error,
    at: Duration,
    in_a_row: u32,
}

/// What somebody who wants a token gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// This one.
    Use(Token),
    /// This one, and a new one is to be fetched meanwhile.
    UseAndRenew(Token),
    /// Nothing: it was tried just now.
    Fail(Error),
    /// What the next fetch brings.
    Wait,
}

impl Held {
    /// What somebody who asks now gets, who wants it to last this long.
    pub(super) fn decide(&self, now: Now, at_least: Duration) -> Decision {
        match (self.lasting(now, at_least), &self.failure) {
            (Some(token), _) if self.renew_in(now, at_least) == Some(Duration::ZERO) => {
                Decision::UseAndRenew(token.clone())
            }
            (Some(token), _) => Decision::Use(token.clone()),
            (None, Some(failure)) if !self.pause_left(now).is_zero() => Decision::Fail(failure.error.clone()),
            (None, _) => Decision::Wait,
        }
    }

    /// Takes down that somebody waits for a token that lasts this long.
    pub(super) fn want(&mut self, at_least: Duration) {
        self.wanted = max(self.wanted, at_least);
    }

    /// Whether there is something to fetch, for those who wait or because it is time.
    pub(super) fn is_due(&self, now: Now) -> bool {
        matches!(self.decide(now, self.wanted), Decision::UseAndRenew(_) | Decision::Wait)
    }

    /// How long until the token is to be renewed, for somebody who wants it to last this long; `None` where there is none, so that one is
    /// fetched only for somebody who asks.
    pub(super) fn renew_in(&self, now: Now, at_least: Duration) -> Option<Duration> {
        self.usable(now)?;
        let (token, since) = self.token.as_ref()?;
        let due = renew_at(*since, token.expires_at, at_least).duration_since(now.wall).unwrap_or_default();
        Some(max(due, self.pause_left(now)))
    }

    /// Takes in what a fetch brought.
    pub(super) fn fetched(&mut self, result: Result<Token, Error>, now: Now) {
        self.fetches += 1;
        self.wanted = Duration::ZERO;
        match result {
            Ok(token) => {
                self.token = Some((token, now.wall));
                self.failure = None;
            }
            Err(error) => {
                let in_a_row = self.failure.as_ref().map_or(1, |failure| failure.in_a_row.saturating_add(1));
                self.failure = Some(Failure { error, at: now.monotonic, in_a_row });
            }
        }
    }

    /// Drops the token if it is this one. `false` where it is this one and is kept.
    pub(super) fn reject(&mut self, text: &str, now: Now) -> bool {
        if self.token.as_ref().is_none_or(|(token, _)| token.text.expose() != text) {
            return true;
        }
        if self.rejected_at.is_some_and(|at| now.monotonic.saturating_sub(at) < REJECTION_PAUSE) {
            return false;
        }
        self.token = None;
        self.failure = None;
        self.rejected_at = Some(now.monotonic);
        true
    }

    /// Whether there is a token that has not ended.
    pub(super) fn is_usable(&self, now: Now) -> bool {
        self.usable(now).is_some()
    }

    fn usable(&self, now: Now) -> Option<&Token> {
        self.token.as_ref().map(|(token, _)| token).filter(|token| now.wall < token.expires_at)
    }

    /// The token, if it lasts that long, or no other would last longer.
    fn lasting(&self, now: Now, at_least: Duration) -> Option<&Token> {
        let (token, since) = (self.usable(now)?, self.token.as_ref()?.1);
        let left = token.expires_at.duration_since(now.wall).unwrap_or_default();
        let is_newest = now.wall.duration_since(since).is_ok_and(|age| age < NEWEST);
        (left >= at_least || is_newest).then_some(token)
    }

    fn pause_left(&self, now: Now) -> Duration {
        let Some(failure) = &self.failure else {
            return Duration::ZERO;
        };
        // Nobody is helped by asking seldom where there is no token at all: whoever asks next is already waiting.
        let doubled = if self.usable(now).is_some() {
            PAUSE * 2_u32.saturating_pow(min(failure.in_a_row - 1, 16))
        } else {
            PAUSE
        };
        let pause = min(max(doubled, failure.error.retry_after().unwrap_or_default()), LONGEST_PAUSE);
        (failure.at + pause).saturating_sub(now.monotonic)
    }
}

/// When a token that came at `since` and ends at `end` is renewed: ahead of its end, or ahead of when it ceases to last for `at_least`.
fn renew_at(since: SystemTime, end: SystemTime, at_least: Duration) -> SystemTime {
    let life = end.duration_since(since).unwrap_or_default();
    let usual = life - min(max(RENEW_AHEAD, life / 5), life / 2);
    since + min(usual, max(usual.saturating_sub(at_least), NEWEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        azure::{error::Peer, http::HostName},
        model::Secret,
    };
    use proptest::{collection::vec, option, prelude::*};

    /// Of somebody who only wants a token that is good now.
    const ANY: Duration = Duration::ZERO;

    fn at(seconds: u64) -> Now {
        Now {
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds),
            monotonic: Duration::from_secs(seconds),
        }
    }

    fn token(text: &str, end: u64) -> Token {
        Token { text: Secret::new(text), expires_at: at(end).wall }
    }

    fn failure(retry_after: Option<u64>) -> Error {
        let peer = Peer::Vault { host: HostName::of(&"https://entra.test".parse().unwrap()) };
        Error::Throttled { peer, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn a_token_is_renewed_ahead_by_a_fifth_or_five_minutes_but_not_before_half_of_its_life() {
        for (life, expected) in
            [(86_400, 69_120), (3600, 2880), (1200, 900), (600, 300), (300, 150), (10, 5), (1, 0), (0, 0)]
        {
            let renewed = renew_at(at(0).wall, at(life).wall, ANY);
            let expected_at = if life == 1 { at(0).wall + Duration::from_millis(500) } else { at(expected).wall };
            assert_eq!(renewed, expected_at, "{life}");
        }
    }

    #[test]
    fn a_token_serves_until_its_end_and_is_renewed_meanwhile() {
        let mut held = Held::default();
        assert_eq!(held.decide(at(0), ANY), Decision::Wait);
        held.fetched(Ok(token("a", 3600)), at(0));
        assert_eq!(held.decide(at(2879), ANY), Decision::Use(token("a", 3600)));
        assert_eq!(held.decide(at(2880), ANY), Decision::UseAndRenew(token("a", 3600)));
        assert_eq!(held.decide(at(3599), ANY), Decision::UseAndRenew(token("a", 3600)));
        assert_eq!(held.decide(at(3600), ANY), Decision::Wait);
    }

    #[test]
    fn a_token_that_does_not_last_is_fetched_anew_unless_it_has_just_come() {
        let wants = |seconds| Duration::from_secs(seconds);
        let mut held = Held::default();
        held.fetched(Ok(token("a", 3600)), at(0));
        for (now, at_least, expected) in [
            (0, 3600, Decision::Use(token("a", 3600))),
            // No other lasts longer; after a minute there may be one.
            (59, 99_999, Decision::Use(token("a", 3600))),
            (60, 99_999, Decision::Wait),
            (60, 3541, Decision::Wait),
            (60, 3540, Decision::UseAndRenew(token("a", 3600))),
            // Renewed ahead of when it ceases to last, by as much as ahead of its end.
            (1079, 1800, Decision::Use(token("a", 3600))),
            (1080, 1800, Decision::UseAndRenew(token("a", 3600))),
            (1800, 1800, Decision::UseAndRenew(token("a", 3600))),
            (1801, 1800, Decision::Wait),
            (1801, 0, Decision::Use(token("a", 3600))),
        ] {
            assert_eq!(held.decide(at(now), wants(at_least)), expected, "{now} {at_least}");
        }
        // What is wanted is remembered for whoever fetches, until that has been tried.
        assert!(!held.is_due(at(1801)));
        held.want(wants(1800));
        held.want(wants(5));
        assert!(held.is_due(at(1801)));
        held.fetched(Err(failure(None)), at(1801));
        assert!(!held.is_due(at(1801)));
        assert_eq!(held.decide(at(1801), wants(1800)), Decision::Fail(failure(None)));
        assert_eq!(held.decide(at(1802), wants(1800)), Decision::Wait);
        assert_eq!(held.decide(at(1802), ANY), Decision::Use(token("a", 3600)));
    }

    #[test]
    fn a_failing_renewal_keeps_the_old_token_and_asks_ever_more_seldom() {
        let mut held = Held::default();
        held.fetched(Ok(token("a", 3600)), at(0));
        let mut now = 2880;
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            held.fetched(Err(failure(None)), at(now));
            assert_eq!(held.decide(at(now), ANY), Decision::Use(token("a", 3600)));
            assert_eq!(held.renew_in(at(now), ANY), Some(Duration::from_secs(pause)));
            now += pause;
            assert_eq!(held.decide(at(now), ANY), Decision::UseAndRenew(token("a", 3600)));
        }
        held.fetched(Ok(token("b", now + 3600)), at(now));
        assert_eq!(held.decide(at(now), ANY), Decision::Use(token("b", now + 3600)));
    }

    #[test]
    fn a_failure_is_answered_for_a_pause_and_then_tried_again() {
        let mut held = Held::default();
        for (tried_at, retry_after, pause) in [(0, None, 1), (10, None, 1), (20, Some(5), 5), (30, Some(3600), 30)] {
            held.fetched(Err(failure(retry_after)), at(tried_at));
            assert_eq!(held.decide(at(tried_at + pause - 1), ANY), Decision::Fail(failure(retry_after)));
            assert_eq!(held.decide(at(tried_at + pause), ANY), Decision::Wait);
            assert_eq!(held.renew_in(at(tried_at + pause), ANY), None);
        }
    }

    #[test]
    fn a_rejected_token_is_dropped_but_one_that_comes_after_it_is_kept_for_a_while() {
        let mut held = Held::default();
        held.fetched(Ok(token("a", 3600)), at(0));
        assert!(held.reject("other", at(1)));
        assert_eq!(held.decide(at(1), ANY), Decision::Use(token("a", 3600)));
        assert!(held.reject("a", at(1)));
        assert_eq!(held.decide(at(1), ANY), Decision::Wait);
        held.fetched(Ok(token("b", 3600)), at(2));
        assert!(!held.reject("b", at(30)));
        assert_eq!(held.decide(at(30), ANY), Decision::Use(token("b", 3600)));
        assert!(held.reject("b", at(31)));
    }

    proptest! {
        #[test]
        fn nobody_gets_a_token_that_has_ended_or_one_that_a_fetch_could_better(
            steps in vec((0..4000_u64, 0..5000_u64, option::of(1..7200_u64)), 1..30),
        ) {
            let (mut held, mut now, mut came) = (Held::default(), 0, 0);
            for (step, at_least, life) in steps {
                now += step;
                let asked = |held: &Held, now| held.decide(at(now), Duration::from_secs(at_least));
                if let Decision::Use(token) | Decision::UseAndRenew(token) = asked(&held, now) {
                    let left = token.expires_at.duration_since(at(now).wall);
                    prop_assert!(left.is_ok_and(|left| left > Duration::ZERO && (left.as_secs() >= at_least || now - came < 60)));
                }
                held.want(Duration::from_secs(at_least));
                let result = life.map(|life| token("a", now + life)).ok_or(failure(None));
                held.fetched(result.clone(), at(now));
                prop_assert!(!held.is_due(at(now)), "one fetch serves all who waited for it");
                if let Ok(token) = result {
                    came = now;
                    prop_assert_eq!(asked(&held, now), Decision::Use(token));
                }
            }
        }
    }
}
