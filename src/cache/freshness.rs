use super::Times;
use std::time::Duration;

/// What a value that is held may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the answer.
    Fresh,
    /// It is the answer, and its source should be asked again meanwhile.
    RefreshAhead,
    /// It is the answer if its source cannot be asked.
    Stale,
    /// It is no answer.
    Gone,
}

/// How long before the end of its fresh time a value is refreshed, in 1024ths of that time. Drawn for each value, so that what was read together
/// is not refreshed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lead(u16);

/// From a twentieth …
const SHORTEST_LEAD: u64 = 51;

/// … to a fifth: of the default 5 minutes, the last 15 to 60 seconds.
const LONGEST_LEAD: u64 = 205;

impl Lead {
    /// The lead that a random number stands for.
    pub(super) fn of(random: u64) -> Self {
        let lead = SHORTEST_LEAD + random % (LONGEST_LEAD - SHORTEST_LEAD + 1);
        Self(u16::try_from(lead).expect("it is at most LONGEST_LEAD"))
    }

    fn before_end(self, fresh: Duration) -> Duration {
        fresh / 1024 * u32::from(self.0)
    }
}

/// What a value may be used for whose source was last asked successfully `age` ago.
pub(super) fn judge(age: Duration, lead: Lead, times: Times) -> Verdict {
    match times.fresh.checked_sub(age) {
        Some(left) if left > lead.before_end(times.fresh) => Verdict::Fresh,
        Some(left) if !left.is_zero() => Verdict::RefreshAhead,
        _ if age < times.stale => Verdict::Stale,
        _ => Verdict::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn times(fresh: u64, stale: u64) -> Times {
        Times { fresh: seconds(fresh), stale: seconds(stale), not_found: Duration::ZERO }
    }

    #[test]
    fn a_value_is_fresh_then_refreshed_ahead_then_stale_then_gone() {
        use Verdict::{Fresh, Gone, RefreshAhead, Stale};
        let (early, late) = (Lead::of(LONGEST_LEAD - SHORTEST_LEAD), Lead::of(0));
        for (fresh, stale, lead, age, expected) in [
            (1024, 5000, early, 0, Fresh),
            (1024, 5000, early, 1024 - 206, Fresh),
            (1024, 5000, early, 1024 - 205, RefreshAhead),
            (1024, 5000, late, 1024 - 52, Fresh),
            (1024, 5000, late, 1024 - 51, RefreshAhead),
            (1024, 5000, late, 1023, RefreshAhead),
            (1024, 5000, late, 1024, Stale),
            (1024, 5000, late, 4999, Stale),
            (1024, 5000, late, 5000, Gone),
            // Stale counts from the check, not from the end of fresh: where it is shorter, there is none.
            (1024, 1000, late, 1001, RefreshAhead),
            (1024, 1000, late, 1024, Gone),
            // No fresh time: every lookup asks, and yet there is something for when nobody answers.
            (0, 60, late, 0, Stale),
            (0, 60, late, 60, Gone),
            (0, 0, late, 0, Gone),
            (1024, 0, late, 1024, Gone),
        ] {
            assert_eq!(judge(seconds(age), lead, times(fresh, stale)), expected, "{fresh} {stale} {lead:?} {age}");
        }
    }

    fn rank(verdict: Verdict) -> usize {
        [Verdict::Fresh, Verdict::RefreshAhead, Verdict::Stale, Verdict::Gone]
            .iter()
            .position(|it| *it == verdict)
            .unwrap()
    }

    proptest! {
        #[test]
        fn a_value_never_gets_better_with_age(
            fresh in 0_u64..10_000_000, stale in 0_u64..10_000_000, random: u64,
            age in 0_u64..20_000_000, later in 0_u64..20_000_000,
        ) {
            let times = Times {
                fresh: Duration::from_millis(fresh), stale: Duration::from_millis(stale), not_found: Duration::ZERO,
            };
            let lead = Lead::of(random);
            let at = |age| judge(Duration::from_millis(age), lead, times);
            prop_assert!(rank(at(age)) <= rank(at(age + later)));
            prop_assert_eq!(rank(at(age)) <= 1, age < fresh, "fresh exactly while it is younger than `fresh`");
            prop_assert_eq!(at(age) == Verdict::Gone, age >= fresh && age >= stale);
            if age < fresh - fresh / 5 - fresh / 100 {
                prop_assert_eq!(at(age), Verdict::Fresh, "not refreshed before its last fifth");
            }
        }
    }
}
