use super::link::Link;
use crate::{
    azure::Random,
    clock::Clock,
    model::{Fault, FaultKind, Held, Kind, Lookup, Review, SourceName, Via},
    proto::v1::{self, WatchResponse},
    source::{Asked, News},
};
use std::{collections::HashSet, fmt, sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use tonic::Streaming;

/// How long nothing may be heard, not even that nobody has anything to say: three times as long as a Valet is silent.
const SILENCE: Duration = Duration::from_secs(90);

/// The pause after a stream that ended or did not come about, up to half of it taken off at random; each further time it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// … up to this. A fleet that was heard out by a reload comes back within seconds, not at once.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The pause where there is nothing to hear: that Valet is of another version, or does not let this one listen.
const REFUSED_PAUSE: Duration = Duration::from_mins(10);

/// Listens to what another Valet tells of changes: one stream for as long as it lasts, then the next.
pub(super) struct Ear {
    hearing: Mutex<Hearing>,
    clock: Arc<dyn Clock>,
    random: Random,
}

/// What outlasts a wait that is given up in the middle.
#[derive(Default)]
struct Hearing {
    stream: Option<Streaming<WatchResponse>>,
    failures: u32,
    /// Monotonic time before which no other stream is begun.
    not_before: Duration,
    /// Whether it has been said that nothing is heard.
    is_deaf: bool,
}

impl Ear {
    pub(super) fn new(clock: Arc<dyn Clock>, random: Random) -> Self {
        Self { hearing: Mutex::default(), clock, random }
    }

    /// Waits for the next change. A stream that begins is news too: what happened before it, to what was read before it, nobody has told.
    pub(super) async fn news(&self, name: &SourceName, link: &Link, via: &Via) -> News {
        let mut hearing = self.hearing.lock().await;
        loop {
            let Some(stream) = &mut hearing.stream else {
                let pause = hearing.not_before.saturating_sub(self.clock.monotonic());
                sleep(pause).await;
                match link.watch(via).await {
                    Ok(stream) => {
                        if std::mem::take(&mut hearing.is_deaf) {
                            tracing::info!(source = %name, "changes are heard again");
                        }
                        hearing.stream = Some(stream);
                        return News { as_of: self.clock.monotonic(), judge: Box::new(|_, _| Review::Lapse) };
                    }
                    Err(fault) => self.lose(&mut hearing, name, &fault),
                }
                continue;
            };
            let heard = timeout(SILENCE, stream.message()).await;
            let fault = match heard {
                Ok(Ok(Some(message))) => {
                    // Not before it has been of use: one that ends as soon as it begins must not be begun again and again.
                    hearing.failures = 0;
                    if message.changed.is_empty() && message.grants.is_empty() {
                        continue;
                    }
                    let as_of = self.clock.monotonic();
                    return News { as_of, judge: Box::new(judge(message)) };
                }
                Ok(Ok(None)) => Fault::new(FaultKind::Interrupted, "the stream of changes ended"),
                Ok(Err(status)) => {
                    Fault::new(FaultKind::Interrupted, format!("the stream of changes broke off: {}", status.code()))
                }
                Err(_) => Fault::new(FaultKind::TimedOut, "nothing was heard for 90 s"),
            };
            hearing.stream = None;
            self.lose(&mut hearing, name, &fault);
        }
    }

    fn lose(&self, hearing: &mut Hearing, name: &SourceName, fault: &Fault) {
        let is_refused = !fault.kind().is_unavailable() && fault.kind() != FaultKind::Interrupted;
        let pause = pause(hearing.failures, is_refused, (self.random)());
        hearing.failures = hearing.failures.saturating_add(1);
        hearing.not_before = self.clock.monotonic() + pause;
        // That a stream ends is usual; that the next does not begin is worth a line.
        if fault.kind() != FaultKind::Interrupted && !std::mem::replace(&mut hearing.is_deaf, true) {
            let reason = fault.kind().reason();
            tracing::warn!(source = %name, reason, error = %fault, "changes are not heard; values are asked for again as they age");
        }
    }
}

/// How long no stream is begun after so many that failed before the last.
fn pause(failures: u32, is_refused: bool, random: u64) -> Duration {
    let usual = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let longest = if is_refused { REFUSED_PAUSE } else { usual };
    longest - longest / 1024 * u32::try_from(random % 512).expect("it is below 512")
}

/// What a change means for what is held: it is read again if it is meant, whichever team it was read for where none is named.
fn judge(message: WatchResponse) -> impl Fn(Asked<'_>, Held<'_>) -> Review + Send + Sync {
    let changed = message.changed.into_iter().filter_map(|lookup| {
        let (kind, name) = match lookup.name? {
            v1::lookup::Name::Connection(name) => (Kind::Connection, name),
            v1::lookup::Name::Variable(name) => (Kind::Variable, name),
            v1::lookup::Name::Config(name) => (Kind::Config, name),
        };
        Lookup::parse(kind, &name, &lookup.team).ok()
    });
    let (names, grants): (HashSet<_>, HashSet<_>) = (changed.collect(), message.grants.into_iter().collect());
    move |asked, _| {
        let is_meant = match asked {
            Asked::Lookup(lookup) => names.contains(lookup) || names.contains(&Lookup { team: None, ..lookup.clone() }),
            Asked::Token(grant) => grants.contains(grant.as_str()),
            Asked::Named(_) => false,
        };
        if is_meant { Review::Doubt } else { Review::Leave }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[test]
    fn a_change_is_meant_for_its_name_and_for_every_team_where_it_names_none() {
        let lookup = |kind, name: &str, team: &str| Lookup::parse(kind, name, team).unwrap();
        let judge = judge(WatchResponse {
            changed: vec![
                v1::Lookup { name: Some(v1::lookup::Name::Connection("pg".to_owned())), team: String::new() },
                v1::Lookup { name: Some(v1::lookup::Name::Variable("v".to_owned())), team: "red".to_owned() },
                v1::Lookup { name: Some(v1::lookup::Name::Variable(String::new())), team: String::new() },
                v1::Lookup::default(),
            ],
            grants: vec!["raw".to_owned()],
        });
        let since = Duration::ZERO;
        for (kind, name, team, expected) in [
            (Kind::Connection, "pg", "", Review::Doubt),
            (Kind::Connection, "pg", "red", Review::Doubt),
            (Kind::Connection, "other", "", Review::Leave),
            (Kind::Variable, "pg", "", Review::Leave),
            (Kind::Variable, "v", "red", Review::Doubt),
            (Kind::Variable, "v", "", Review::Leave),
        ] {
            assert_eq!(
                judge(Asked::Lookup(&lookup(kind, name, team)), Held::Awaited { since }),
                expected,
                "{kind} {name} {team}"
            );
        }
        let name = |name| Name::parse(name).unwrap();
        assert_eq!(judge(Asked::Token(&name("raw")), Held::Awaited { since }), Review::Doubt);
        assert_eq!(judge(Asked::Token(&name("pg")), Held::Awaited { since }), Review::Leave);
        assert_eq!(judge(Asked::Named(&name("pg")), Held::Awaited { since }), Review::Leave);
    }

    #[test]
    fn the_pauses_between_streams_grow_and_a_refusal_is_not_argued_with() {
        let seconds = |failures| pause(failures, false, 0).as_secs();
        assert_eq!([0, 1, 2, 4, 5, 100].map(seconds), [2, 4, 8, 32, 60, 60]);
        assert_eq!(pause(0, true, 0), REFUSED_PAUSE);
        assert!(pause(0, false, 511) >= FIRST_PAUSE / 2);
    }
}
