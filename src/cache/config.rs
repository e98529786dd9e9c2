use std::{cmp::min, time::Duration};

/// `cache` of valet.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long answers are believed.
    pub times: Times,
    /// Most memory for keys, values and their overhead, in bytes; values kept for the case that their source fails count too.
    pub max_bytes: u64,
}

/// How long answers are believed, counted from when the source was last asked successfully. They belong to the question, not to what is held:
/// two routes may ask for the same name with different times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// How long a value is served without asking its source again.
    pub fresh: Duration,
    /// How long a value may be served while its source cannot be asked.
    pub stale: Duration,
    /// How long "not here" is believed.
    pub not_found: Duration,
}

/// `cache` of a source or of a route: what is different there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Instead of [`Times::fresh`].
    pub fresh: Option<Duration>,
    /// Instead of [`Times::stale`].
    pub stale: Option<Duration>,
    /// Instead of [`Times::not_found`].
    pub not_found: Option<Duration>,
}

impl Times {
    /// These times but for what is different.
    #[must_use]
    pub fn with(self, different: Overrides) -> Self {
        Self {
            fresh: different.fresh.unwrap_or(self.fresh),
            stale: different.stale.unwrap_or(self.stale),
            not_found: different.not_found.unwrap_or(self.not_found),
        }
    }

    /// The times of somebody who does not believe what is older than `age`: reads past the cache, at most once in `age`.
    #[must_use]
    pub fn no_older_than(self, age: Duration) -> Self {
        Self { fresh: min(self.fresh, age), not_found: min(self.not_found, age), ..self }
    }
}

impl Default for Times {
    fn default() -> Self {
        Self { fresh: Duration::from_mins(5), stale: Duration::from_hours(24), not_found: Duration::from_mins(1) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { times: Times::default(), max_bytes: 64 << 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_a_source_or_a_route_does_not_say_stays_as_it_is() {
        let times = Times::default();
        assert_eq!(times.with(Overrides::default()), times);
        let short = times.with(Overrides { fresh: Some(SECOND), ..Overrides::default() });
        assert_eq!(short, Times { fresh: SECOND, ..times });
        let all = Overrides { fresh: None, stale: Some(Duration::ZERO), not_found: Some(SECOND) };
        assert_eq!(short.with(all), Times { fresh: SECOND, stale: Duration::ZERO, not_found: SECOND });
    }

    #[test]
    fn who_wants_it_young_may_still_have_it_stale() {
        let times = Times { not_found: Duration::ZERO, ..Times::default() };
        assert_eq!(times.no_older_than(SECOND), Times { fresh: SECOND, ..times });
    }
}
