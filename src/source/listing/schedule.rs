use std::time::Duration;

/// When a vault is listed next. Times are monotonic.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    due: Option<Duration>,
    /// In a row.
    failures: u32,
}

/// Why a list did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// It may be had soon, or when the vault says.
    Once(Option<Duration>),
    /// Somebody has to do something first.
    ForNow,
}

/// The first list is taken this long after the start at most, so that a thousand pods which start together do not list together.
const FIRST_WITHIN: Duration = Duration::from_secs(1);

/// Up to one part in this many is taken off the time between two lists.
const JITTER: u32 = 8;

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The longest pause, and that after a list which somebody has to allow first.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

impl Schedule {
    /// How long to wait for the next list.
    pub(super) fn wait(&mut self, now: Duration, random: u64) -> Duration {
        let due = *self.due.get_or_insert_with(|| now + part_of(FIRST_WITHIN, random));
        due.saturating_sub(now)
    }

    /// Looks again after this time.
    pub(super) fn put_off(&mut self, now: Duration, pause: Duration) {
        self.due = Some(now + pause);
    }

    /// A list is complete: the next one is there before this one is older than `every`, if it takes as long.
    pub(super) fn succeeded(&mut self, began: Duration, ended: Duration, every: Duration, random: u64) {
        self.failures = 0;
        let jittered = every - part_of(every / JITTER, random);
        self.due = Some(began + jittered.saturating_sub(ended.saturating_sub(began)).max(every / 2));
    }

    /// A list did not come about.
    pub(super) fn failed(&mut self, now: Duration, failed: Failed, random: u64) {
        let longest = match failed {
            Failed::Once(_) => LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(10))),
            Failed::ForNow => LONGEST_PAUSE,
        };
        let wanted = if let Failed::Once(Some(wanted)) = failed { wanted } else { Duration::ZERO };
        self.due = Some(now + (longest - part_of(longest / 4, random)).max(wanted));
        self.failures += 1;
    }
}

/// A part of `span`, by a random number.
fn part_of(span: Duration, random: u64) -> Duration {
    span / 1024 * u32::try_from(random % 1024).expect("it is below 1024")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_list_is_taken_within_a_second_and_no_later_for_being_asked_about_again() {
        let mut schedule = Schedule::default();
        let first = schedule.wait(seconds(5), 1023);
        assert!(first < FIRST_WITHIN && first > seconds(1) * 9 / 10, "{first:?}");
        assert_eq!(schedule.wait(seconds(5) + first, 7), Duration::ZERO);
    }

    #[test]
    fn what_fails_is_tried_ever_more_seldom_and_after_a_success_as_before() {
        let mut schedule = Schedule::default();
        let pauses: Vec<_> = (0..12)
            .map(|_| {
                schedule.failed(seconds(0), Failed::Once(None), 0);
                schedule.wait(seconds(0), 0).as_secs()
            })
            .collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        schedule.succeeded(seconds(0), seconds(1), seconds(150), 0);
        schedule.failed(seconds(0), Failed::Once(Some(seconds(20))), 1023);
        assert_eq!(schedule.wait(seconds(0), 0), seconds(20), "as the vault says, if that is later");
        schedule.failed(seconds(0), Failed::ForNow, 0);
        assert_eq!(schedule.wait(seconds(0), 0), LONGEST_PAUSE);
    }

    proptest! {
        #[test]
        fn a_list_follows_before_the_one_before_it_is_too_old_unless_lists_take_half_of_that_time(
            began in 0_u64..1_000_000, took in 0_u64..10_000_000, every in 1_000_u64..10_000_000, random: u64,
        ) {
            let [began, took, every] = [began, took, every].map(Duration::from_millis);
            let mut schedule = Schedule::default();
            schedule.succeeded(began, began + took, every, random);
            let due = schedule.wait(Duration::ZERO, 0);
            prop_assert!(due >= began + every / 2);
            if took < every / 4 {
                prop_assert!(due + took <= began + every);
                prop_assert!(due + took >= began + every - every / 7);
            }
        }
    }
}
