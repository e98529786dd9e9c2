use crate::model::{Fault, FaultKind};
use std::{cmp::max, time::Duration};

/// Most attempts after the first one.
const MAX_RETRIES: u32 = 2;

/// The pause before the first retry; the second one is four times as long. Up to half of it is taken off at random.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The same where the source says that it is asked too often: it must not be asked again at once.
const FIRST_PAUSE_THROTTLED: Duration = Duration::from_secs(1);

/// No attempt begins later than this after the first one, so that whoever waits with the default deadline (10 s) hears why there is no answer.
const RETRY_WITHIN: Duration = Duration::from_secs(3);

/// The same where the source says that it is asked too often: it works, and only wants to be asked later.
const RETRY_WITHIN_THROTTLED: Duration = Duration::from_secs(7);

/// How long a flight that has `elapsed` since its first attempt waits before it tries once more; `None` where it must not.
pub(super) fn pause_before_retry(fault: &Fault, retries: u32, elapsed: Duration, random: u64) -> Option<Duration> {
    let is_transient = matches!(fault.kind(), FaultKind::Throttled | FaultKind::SourceDown | FaultKind::TimedOut);
    // Who was not asked, lest it be asked too often, must not be asked again sooner for that.
    if !is_transient || fault.is_unasked() || retries >= MAX_RETRIES {
        return None;
    }
    let (first, within) = match fault.kind() {
        FaultKind::Throttled => (FIRST_PAUSE_THROTTLED, RETRY_WITHIN_THROTTLED),
        _ => (FIRST_PAUSE, RETRY_WITHIN),
    };
    let longest = first * 4_u32.pow(retries);
    let jittered = longest - longest / 1024 * u32::try_from(random % 512).expect("it is below 512");
    let pause = max(jittered, fault.retry_delay().unwrap_or_default());
    (elapsed.saturating_add(pause) <= within).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_transient_fault_is_retried_twice_ever_later_and_not_too_late() {
        for (kind, retries, elapsed, retry_after, expected) in [
            (FaultKind::SourceDown, 0, 0, None, Some(200)),
            (FaultKind::SourceDown, 1, 250, None, Some(800)),
            (FaultKind::SourceDown, 2, 1100, None, None),
            (FaultKind::TimedOut, 0, 2800, None, Some(200)),
            (FaultKind::TimedOut, 0, 2801, None, None),
            (FaultKind::Throttled, 0, 0, Some(50), Some(1000)),
            (FaultKind::Throttled, 0, 0, Some(3000), Some(3000)),
            (FaultKind::Throttled, 1, 1000, None, Some(4000)),
            (FaultKind::Throttled, 1, 3000, None, Some(4000)),
            (FaultKind::Throttled, 1, 3001, None, None),
            (FaultKind::Throttled, 0, 0, Some(u64::MAX), None),
        ] {
            let fault = Fault::new(kind, "planted").retry_after(retry_after.map(millis));
            let pause = pause_before_retry(&fault, retries, millis(elapsed), 0);
            assert_eq!(pause, expected.map(millis), "{fault:?} {retries} {elapsed}");
        }
    }

    #[test]
    fn jitter_takes_up_to_half_off_but_never_below_what_the_source_said() {
        let down = Fault::new(FaultKind::SourceDown, "planted");
        let shortest = pause_before_retry(&down, 0, Duration::ZERO, 511).unwrap();
        assert!(shortest >= millis(100) && shortest < millis(102), "{shortest:?}");
        let busy = down.retry_after(Some(millis(150)));
        assert_eq!(pause_before_retry(&busy, 0, Duration::ZERO, 511), Some(millis(150)));
    }

    #[test]
    fn what_is_not_transient_is_never_retried() {
        for kind in [FaultKind::DeniedBySource, FaultKind::BadConfig, FaultKind::Overloaded, FaultKind::Internal] {
            assert_eq!(pause_before_retry(&Fault::new(kind, "planted"), 0, Duration::ZERO, 0), None, "{kind:?}");
        }
        let held_back = Fault::new(FaultKind::Throttled, "planted").unasked();
        assert_eq!(pause_before_retry(&held_back, 0, Duration::ZERO, 0), None, "a source that was not even asked");
    }
}
