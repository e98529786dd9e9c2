use super::{OnUnavailable, Reader, RouteConfig};
use crate::{
    cache::Times,
    model::{Kind, Lookup},
};
use globset::GlobMatcher;
use std::{sync::Arc, time::Duration};

/// Which sources answer which names: the first route that matches, else every source in the order of valet.yaml.
#[derive(Debug)]
pub struct Routes {
    routes: Vec<Route>,
    fallback: Target,
}

#[derive(Debug)]
struct Route {
    pattern: GlobMatcher,
    kinds: Vec<Kind>,
    target: Target,
}

/// A reader, and how long what it reads is believed.
#[derive(Debug, Clone)]
pub struct TimedReader {
    /// The reader.
    pub reader: Arc<Reader>,
    /// The times of its source; those of a route may differ.
    pub times: Times,
}

impl TimedReader {
    /// The same, for somebody who believes nothing that is older.
    pub(super) fn no_older_than(&self, age: Duration) -> Self {
        Self { times: self.times.no_older_than(age), ..self.clone() }
    }
}

/// Where a matching lookup goes.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) readers: Vec<TimedReader>,
    pub(super) on_unavailable: OnUnavailable,
}

/// A route's pattern that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("routes[{index}].match is no glob; write * for any text and ? for any character")]
pub struct BadPattern {
    /// The route's place in the list, from 0.
    pub index: usize,
}

impl Routes {
    /// The routes over these readers. A source that a route names and nobody reads is passed over: the configuration has been checked.
    ///
    /// # Errors
    /// [`BadPattern`] for the first pattern that is no glob.
    pub fn new(configs: &[RouteConfig], readers: Vec<TimedReader>) -> Result<Self, BadPattern> {
        let routes = configs.iter().enumerate().map(|(index, config)| {
            let of_name = |name| {
                let known = readers.iter().find(|known| known.reader.source().name() == name)?;
                Some(TimedReader { times: known.times.with(config.cache), ..known.clone() })
            };
            Ok(Route {
                pattern: RouteConfig::glob(&config.pattern).ok_or(BadPattern { index })?,
                kinds: config.kinds.clone(),
                target: Target {
                    readers: config.sources.iter().filter_map(of_name).collect(),
                    on_unavailable: config.on_unavailable,
                },
            })
        });
        let routes = routes.collect::<Result<_, _>>()?;
        Ok(Self { routes, fallback: Target { readers, on_unavailable: OnUnavailable::Fail } })
    }

    /// With routes in place a name that none of them matches goes to every source, as it would without any.
    pub(super) fn of(&self, lookup: &Lookup) -> &Target {
        let matches = |route: &&Route| {
            (route.kinds.is_empty() || route.kinds.contains(&lookup.kind))
                && route.pattern.is_match(lookup.name.as_str())
        };
        self.routes.iter().find(matches).map_or(&self.fallback, |route| &route.target)
    }

    pub(super) fn readers(&self) -> &[TimedReader] {
        &self.fallback.readers
    }
}
