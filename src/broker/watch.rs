use super::{Broker, Brokered, Referenced};
use crate::{
    audit::Outcome,
    cache::{Changed, Key},
    model::{Caller, Changes, Fault, FaultKind, Kind, Lookup, Name, Right},
};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// Hears of which names the answer may be another one now, of those that a caller may ask for.
pub struct Watch {
    broker: Arc<Broker>,
    caller: Caller,
    caches: [Changed; CACHES],
}

/// Values, keys of accounts, user delegation keys, tokens of other Valets.
const CACHES: usize = 4;

impl Broker {
    /// Tells from now on what changes, to a caller who may ask for something that can. Every call leaves one audit event.
    ///
    /// # Errors
    /// [`FaultKind::DeniedByPolicy`].
    pub fn watch(self: &Arc<Self>, caller: &Caller) -> Result<Watch, Fault> {
        let event = self.audit.begin(caller, "watch", None);
        let rights = [Right::Connections, Right::Variables, Right::Config, Right::Tokens];
        let mut refusals: Vec<_> = rights.into_iter().filter_map(|right| self.decide(caller, right).err()).collect();
        if refusals.len() == rights.len() {
            let denied = refusals.swap_remove(0);
            event.end(&Err(denied.clone()));
            return Err(denied);
        }
        event.end_as(|| Outcome::Done("watching"));
        let stores = self.issuer.stores();
        let caches =
            [self.cache.changed(), stores.keys.changed(), stores.delegation.changed(), stores.relayed.changed()];
        Ok(Watch { broker: Arc::clone(self), caller: caller.clone(), caches })
    }

    /// What else is meant where this key was: names that are asked for, or brokered connections with it as a part.
    fn changed_by(&self, key: &Key, changes: &mut Collected) {
        for timed in self.readers() {
            if timed.reader.scope() == key.scope {
                changes.names.insert(key.lookup.clone());
            }
            if Referenced::scope_of(&timed.reader) == key.scope {
                changes.connections(self.brokered.values().filter(|it| it.refers_to(key)).map(Brokered::id));
            }
            if super::relayed::scope_of(timed.reader.scope()) == key.scope {
                changes.grants.insert(key.lookup.name.as_str().into());
            }
        }
        let grants = self.issuer.grants_signed_with(key);
        changes.connections(
            self.brokered.values().filter(|it| it.grants().any(|it| grants.contains(it))).map(Brokered::id),
        );
        changes.grants.extend(grants);
    }
}

/// What has changed, each once.
#[derive(Default)]
struct Collected {
    names: HashSet<Lookup>,
    grants: HashSet<Arc<str>>,
}

impl Collected {
    fn connections<'a>(&mut self, ids: impl Iterator<Item = &'a Name>) {
        self.names.extend(ids.map(|id| Lookup { kind: Kind::Connection, name: id.clone(), team: None }));
    }
}

impl Watch {
    /// Waits for the next change, and takes what has come together with it.
    ///
    /// # Errors
    /// [`FaultKind::Interrupted`] where more has changed than could be told.
    pub async fn next(&mut self) -> Result<Changes, Fault> {
        loop {
            let [values, keys, delegation, relayed] = &mut self.caches;
            let first = tokio::select! {
                changed = values.recv() => changed,
                changed = keys.recv() => changed,
                changed = delegation.recv() => changed,
                changed = relayed.recv() => changed,
            };
            let mut heard = vec![first.map_err(|lost| too_slow(&lost))?];
            for cache in &mut self.caches {
                loop {
                    match cache.try_recv() {
                        Ok(more) => heard.push(more),
                        Err(TryRecvError::Lagged(_)) => return Err(lost()),
                        Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                    }
                }
            }
            let changes = self.for_caller(heard.iter().flat_map(|keys| keys.iter()));
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }

    fn for_caller<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Changes {
        let mut all = Collected::default();
        // The same key is told again and again while its source is doubted.
        let distinct: HashSet<&Key> = keys.collect();
        for key in distinct {
            self.broker.changed_by(key, &mut all);
        }
        let may = |right| self.broker.decide(&self.caller, right).is_ok();
        let mut names: Vec<_> = all.names.into_iter().filter(|it| may(Right::to_look_up(it.kind))).collect();
        let mut grants: Vec<_> = all.grants.into_iter().filter(|_| may(Right::Tokens)).collect();
        names.sort_by(|one, other| (one.kind, &one.name, &one.team).cmp(&(other.kind, &other.name, &other.team)));
        grants.sort();
        Changes { names, grants }
    }
}

fn too_slow(error: &RecvError) -> Fault {
    match error {
        RecvError::Lagged(_) => lost(),
        RecvError::Closed => Fault::new(FaultKind::Interrupted, "valet is shutting down; watch again"),
    }
}

fn lost() -> Fault {
    Fault::new(
        FaultKind::Interrupted,
        "more has changed than could be told in time; watch again, and ask again for what is held",
    )
}
