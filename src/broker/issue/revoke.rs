use super::{GrantEntry, Heeded, Issuer, tokens::token_key};
use crate::{
    cache::{Key, Scope},
    mint::{Delegation, Fingerprint, GrantKind},
    model::{Kind, Lookup},
    telemetry::Counter,
};
use std::{sync::Arc, time::Duration};

impl Issuer {
    /// Whether a grant hands out signatures of requests, and no tokens; `None` where there is no such grant.
    pub(in crate::broker) fn signs_requests(&self, grant: &str) -> Option<bool> {
        self.grants.get(grant).map(|entry| entry.grant.config.kind == GrantKind::SharedKey)
    }

    /// Drops the keys, user delegation keys and tokens of a grant's account; answers how many that was. The account's keys do not go on signing
    /// while they cannot be read again, as they would otherwise.
    pub(in crate::broker) fn forget(&self, grant: &str) -> usize {
        let Some(entry) = self.grants.get(grant) else { return 0 };
        let delegation: Vec<_> = self.beside(entry).filter_map(|it| Some(&it.delegation.as_ref()?.1)).collect();
        // In this order: who signs meanwhile does so with keys that were read after.
        let keys = entry.account.forget(&self.stores.keys);
        let delegation = self.stores.delegation.invalidate(|key| delegation.contains(&key));
        keys + delegation + self.stores.tokens.forget(|key| key.lookup.name == entry.name)
    }

    /// Takes in that a token or signature of a grant was refused, at a bounded rate: its key is suspect, so that another one signs where there is
    /// one, every token of it goes, and its source is asked past the cache.
    pub(in crate::broker) async fn reject(&self, grant: &str) -> Heeded {
        match self.grants.get(grant) {
            None => Heeded::default(),
            Some(entry) => match &entry.delegation {
                Some((delegation, key)) => self.reject_delegation_key(entry, delegation, key).await,
                None => self.reject_key(entry).await,
            },
        }
    }

    async fn reject_key(&self, entry: &GrantEntry) -> Heeded {
        let (account, rejections, now) = (&entry.account, &self.stores.rejections, self.clock.monotonic());
        let lookup = Lookup { kind: Kind::Variable, name: entry.name.clone(), team: None };
        let heeded = rejections.heed(&Key { scope: Scope::of(&("account", account.config())), lookup }, now);
        if !heeded.accepted {
            return heeded;
        }
        let refused = account.signing_key(&self.stores, now).await.ok().map(|hit| hit.value);
        // Before the source is asked, so that it is so also if whoever reports does not wait for that.
        if let Some(refused) = &refused {
            if rejections.suspect(account.name(), refused, now) {
                self.counters.count(Counter::KeysSuspected);
            }
            self.forget_tokens(entry, Some(&refused.fingerprint));
        }
        account.read_again(&self.stores).await;
        let signs = account.signing_key(&self.stores, now).await.ok();
        let [refused, signs] =
            [refused.as_ref(), signs.as_ref().map(|hit| &hit.value)].map(|key| key.map(|key| key.fingerprint.as_str()));
        let account = &**account.name();
        if signs == refused {
            tracing::warn!(account, refused, "a key was reported as refused; there is no other, so it goes on signing");
        } else {
            tracing::warn!(account, refused, signs, "a key was reported as refused; another one signs");
        }
        heeded
    }

    async fn reject_delegation_key(&self, entry: &GrantEntry, delegation: &Delegation, key: &Key) -> Heeded {
        let heeded = self.stores.rejections.heed(key, self.clock.monotonic());
        if heeded.accepted {
            // Before it too, so that it is so also if whoever reports does not wait; a token that is made meanwhile is of the key before.
            self.forget_tokens(entry, None);
            let given = self.delegation_key(entry, delegation, key, Some(Duration::ZERO)).await;
            self.forget_tokens(entry, None);
            let (account, error) = (&**entry.account.name(), given.err());
            let error = error.as_ref().map(tracing::field::display);
            tracing::warn!(account, error, "a user delegation key was reported as refused; another one was asked for");
        }
        heeded
    }

    /// Drops the tokens that a key of an account has signed, for all of its grants; those of user delegation keys where none is named.
    fn forget_tokens(&self, entry: &GrantEntry, signed_by: Option<&Fingerprint>) {
        let of_key: Vec<_> = self.beside(entry).map(|it| token_key(it.scope, &it.name, signed_by)).collect();
        self.stores.tokens.forget(|key| of_key.contains(key));
        // Other Valets may hold them too.
        match &entry.delegation {
            Some((_, key)) if signed_by.is_none() => self.stores.delegation.announce([key.clone()]),
            _ => self.stores.keys.announce(entry.account.slots().iter().map(|slot| slot.key().clone())),
        }
    }

    /// The grants of the same account.
    fn beside<'a>(&'a self, entry: &'a GrantEntry) -> impl Iterator<Item = &'a GrantEntry> {
        self.grants.values().filter(|other| Arc::ptr_eq(&other.account, &entry.account))
    }
}
