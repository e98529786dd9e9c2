use super::{GrantEntry, Issuer, key_slot::KeySlot};
use crate::{
    broker::Reader,
    cache::{Key, Reviewed},
    model::{Name, Review},
    source::{Asked, News},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

impl Issuer {
    /// How many keys of accounts are held that are secrets of this source.
    pub(in crate::broker) fn keys_held(&self, reader: &Reader) -> usize {
        let slots = self.slots_in(reader);
        self.stores.keys.held(|key| slots.contains_key(key))
    }

    /// Does with the keys of accounts that are secrets of a source what its news say.
    pub(in crate::broker) fn take_in(&self, reader: &Reader, news: &News) -> Reviewed {
        let slots = self.slots_in(reader);
        let reviewed = self.stores.keys.review(news.as_of, |key, held| match slots.get(key) {
            Some((_, name)) => (news.judge)(Asked::Named(name), held),
            None => Review::Leave,
        });
        for (slot, _) in reviewed.doubted.iter().filter_map(|key| slots.get(key)) {
            slot.refresh(&self.stores.keys);
        }
        reviewed
    }

    /// The grants whose tokens are signed with what is kept under this key: the key of an account, or a user delegation key.
    pub(in crate::broker) fn grants_signed_with(&self, key: &Key) -> HashSet<Arc<str>> {
        let is_signed_with = |entry: &&GrantEntry| match &entry.delegation {
            Some((_, delegation)) => delegation == key,
            None => entry.account.slots().iter().any(|slot| slot.key() == key),
        };
        self.grants.values().filter(is_signed_with).map(|entry| Arc::clone(&entry.grant.config.name)).collect()
    }

    fn slots_in<'a>(&'a self, reader: &Reader) -> HashMap<&'a Key, (&'a KeySlot, &'a Name)> {
        let slots = self.accounts.iter().flat_map(|account| account.slots());
        slots.filter_map(|slot| Some((slot.key(), (slot, slot.name_in(reader)?)))).collect()
    }
}
