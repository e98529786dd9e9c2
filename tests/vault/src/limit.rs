//! How often a vault answers: so many requests within any span of time, as Key Vault's service limits are. What was refused for that is not counted,
//! or a client that goes on asking would never be served again.

use std::collections::VecDeque;

use serde::Deserialize;

/// A limit of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The most requests …
    pub requests: usize,
    /// … within any span of so many seconds.
    pub seconds: i64,
}

/// A limit, and what it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Limited {
    limit: Limit,
    /// Milliseconds at which the last requests were served, at most as many as the limit allows.
    served: VecDeque<i64>,
}

impl Limited {
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, served: VecDeque::new() }
    }

    /// Whether a request that comes `now`, in milliseconds, is served.
    pub(crate) fn serves(&mut self, now: i64) -> bool {
        while self.served.front().is_some_and(|at| at + self.limit.seconds * 1000 <= now) {
            self.served.pop_front();
        }
        let serves = self.served.len() < self.limit.requests;
        if serves {
            self.served.push_back(now);
        }
        serves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_as_many_as_the_limit_says_and_refusals_do_not_count() {
        let mut limited = Limited::new(Limit { requests: 2, seconds: 10 });
        let served: Vec<_> =
            [0, 4_000, 5_000, 9_999, 10_000, 10_001, 14_000].into_iter().map(|now| limited.serves(now)).collect();
        assert_eq!(served, [true, true, false, false, true, false, true]);
    }
}
