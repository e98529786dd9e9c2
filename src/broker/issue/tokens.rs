use crate::{
    cache::{Key, Scope, Shelf, Weigh},
    mint::{Fingerprint, Issued},
    model::{Kind, Lookup, Name},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// Tokens that were signed, so that everybody gets the same one until it must be renewed: Airflow's masks never end and cost more with each
/// new secret.
///
/// The key's fingerprint is a part of what a token is kept under, so it dies with its key. What may be handed out again is decided by
/// [`Issued::is_reusable`].
#[derive(Debug, Clone)]
pub struct TokenCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: Shelf<Issued>,
    /// Held while a token is signed, which takes microseconds: so two who ask at once get one token.
    signing: Mutex<()>,
}

/// Most bytes of tokens: some thousands.
const MOST_BYTES: u64 = 8 << 20;

/// What a token of a grant is kept under: the definitions of grant and account, and the key that signed; none for a user delegation key, whose
/// token is as good as any other until it ends.
pub(super) fn token_key(scope: Scope, account: &Name, key: Option<&Fingerprint>) -> Key {
    let scope = Scope::of(&("token", scope, key));
    Key { scope, lookup: Lookup { kind: Kind::Variable, name: account.clone(), team: None } }
}

impl TokenCache {
    /// Drops what is kept of these keys; answers how many tokens that was.
    pub(super) fn forget(&self, is_meant: impl Fn(&Key) -> bool) -> usize {
        self.0.tokens.remove(is_meant)
    }

    /// A token that has `at_least` so much life left, if there is one.
    pub(super) fn get(&self, key: &Key, at_least: Duration, now: SystemTime) -> Option<Arc<Issued>> {
        self.0.tokens.get(key).filter(|issued| issued.is_reusable(at_least, now))
    }

    /// Such a token, or else a new one, however many ask at once.
    pub(super) fn get_or_sign<E>(
        &self,
        key: &Key,
        at_least: Duration,
        now: SystemTime,
        sign: impl FnOnce() -> Result<Issued, E>,
    ) -> Result<Arc<Issued>, E> {
        if let Some(issued) = self.get(key, at_least, now) {
            return Ok(issued);
        }
        let _one_at_a_time = self.0.signing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.get(key, at_least, now) {
            Some(issued) => Ok(issued),
            None => sign().map(|issued| self.0.tokens.put(key.clone(), issued)),
        }
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self(Arc::new(Inner { tokens: Shelf::new(MOST_BYTES), signing: Mutex::default() }))
    }
}

impl Weigh for Issued {
    fn weight(&self) -> usize {
        self.token.len() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use std::{convert::Infallible, time::UNIX_EPOCH};

    #[test]
    fn a_token_is_signed_again_only_when_it_must_be_and_then_kept() {
        let (cache, hour) = (TokenCache::default(), Duration::from_hours(1));
        let key = token_key(Scope::of(&"grant"), &Name::parse("landing").unwrap(), None);
        let ask = |at_hour: u32, text: &str| {
            let now = UNIX_EPOCH + hour * at_hour;
            let sign = || {
                let expires_at = Some(now + hour * 12);
                Ok::<_, Infallible>(Issued { token: Secret::new(text), made_at: now, expires_at, fingerprint: None })
            };
            cache.get_or_sign(&key, hour * 6, now, sign).unwrap().token.expose().to_owned()
        };
        assert_eq!([ask(12, "a"), ask(18, "b"), ask(19, "c"), ask(19, "d")], ["a", "a", "c", "c"]);
    }
}
