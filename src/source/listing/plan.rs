use crate::source::{ListConfig, ListWhen};
use globset::GlobSet;
use std::time::Duration;

/// How often a vault is listed, and what for: its `list` in valet.yaml, with the times that depend on those of the source.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// From the beginning of one list to that of the next, at most.
    pub(super) every: Duration,
    /// How long a list is believed that does not show a name.
    pub(super) absent_for: Duration,
    /// How long a value is served without being read again, if nothing confirms it.
    fresh: Duration,
    when: ListWhen,
    /// The most pages of one list.
    pub(super) max_pages: u32,
    /// What is read at start.
    pub(super) prefetch: GlobSet,
}

/// Where nobody says how often: not seldom enough that a value which nothing confirmed would be read again first …
const LISTS_PER_FRESH: u32 = 2;

/// … nor so seldom that a new name would be seen much later than without lists …
const LONGEST_PER_NOT_FOUND: u32 = 3;

/// … and not more often than this.
const SHORTEST: Duration = Duration::from_secs(5);

/// Before the first list nobody knows how many pages it takes; then it is worth while for more values than one page shows.
const UNKNOWN_WORTH: usize = 25;

impl ListPlan {
    /// The plan of a source whose values are fresh and whose absent names are believed for so long.
    pub fn new(config: &ListConfig, fresh: Duration, not_found: Duration) -> Self {
        let longest = if not_found.is_zero() { Duration::MAX } else { not_found * LONGEST_PER_NOT_FOUND };
        let every = config.every.unwrap_or_else(|| (fresh / LISTS_PER_FRESH).min(longest).max(SHORTEST));
        // Who never believes "not here" does not believe it of a list.
        let absent_for = if not_found.is_zero() { Duration::ZERO } else { every };
        let (when, max_pages, prefetch) = (config.when, config.max_pages, ListConfig::globs(&config.prefetch));
        Self { every, absent_for, fresh, when, max_pages, prefetch: prefetch.unwrap_or_default() }
    }

    /// Whether listing costs fewer requests than reading `held` values again would; the last list took so many pages.
    pub(super) fn is_worth(&self, held: usize, pages: Option<u32>) -> bool {
        match (self.when, pages) {
            (ListWhen::Always, _) => true,
            // Everything would be read again before a list confirms it.
            (ListWhen::Worthwhile, _) if self.every > self.fresh / 5 * 4 => false,
            (ListWhen::Worthwhile, None) => held > UNKNOWN_WORTH || !self.prefetch.is_empty(),
            (ListWhen::Worthwhile, Some(pages)) => {
                held as u128 * self.every.as_millis() > u128::from(pages) * self.fresh.as_millis()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn plan(config: &ListConfig, fresh: u32, not_found: u32) -> ListPlan {
        ListPlan::new(config, SECOND * fresh, SECOND * not_found)
    }

    #[test]
    fn a_vault_is_listed_twice_in_a_fresh_time_and_not_much_more_seldom_than_names_not_found_are_asked_for() {
        let default = ListConfig::default();
        for (fresh, not_found, every, absent_for) in [
            (300, 60, 150, 150),
            (3600, 60, 180, 180),
            (3600, 0, 1800, 0),
            (300, 5, 15, 15),
            (2, 60, 5, 5),
            (0, 0, 5, 0),
        ] {
            let plan = plan(&default, fresh, not_found);
            assert_eq!((plan.every, plan.absent_for), (SECOND * every, SECOND * absent_for), "{fresh} {not_found}");
        }
        let written = ListConfig { every: Some(SECOND), ..default };
        assert_eq!(plan(&written, 300, 60).every, SECOND);
    }

    #[test]
    fn lists_are_worth_while_for_as_long_as_they_cost_less_than_reading() {
        let plan_of = |when| plan(&ListConfig { when, ..ListConfig::default() }, 300, 60);
        let worthwhile = plan_of(ListWhen::Worthwhile);
        for (held, pages, expected) in [
            (0, None, false),
            (25, None, false),
            (26, None, true),
            // Each value is read once in 5 minutes, each page twice.
            (40, Some(20), false),
            (41, Some(20), true),
            (1, Some(1), false),
            (usize::MAX, Some(u32::MAX), true),
        ] {
            assert_eq!(worthwhile.is_worth(held, pages), expected, "{held} {pages:?}");
        }
        assert!(plan_of(ListWhen::Always).is_worth(0, Some(u32::MAX)));
        for (fresh, expected) in [(0, false), (6, false), (7, true), (300, true)] {
            assert_eq!(plan(&ListConfig::default(), fresh, 60).is_worth(1000, None), expected, "fresh for {fresh} s");
        }
    }

    #[test]
    fn what_is_to_be_read_at_start_makes_the_first_list_worth_while() {
        let prefetch = vec!["airflow-*".to_owned()];
        let plan = plan(&ListConfig { when: ListWhen::Worthwhile, prefetch, ..ListConfig::default() }, 300, 60);
        assert!(plan.is_worth(0, None) && !plan.is_worth(0, Some(1)));
        assert!(plan.prefetch.is_match("Airflow-connections-db"));
    }
}
