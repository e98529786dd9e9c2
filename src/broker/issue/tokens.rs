use crate::{
    cache::Scope,
    mint::{Fingerprint, Issued},
};
use moka::{ops::compute::Op, sync::Cache as Moka};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Tokens that were signed, so that everybody gets the same one until it must be renewed: Airflow's masks never end and cost more with each
/// new secret.
///
/// What it is of has the key's fingerprint in it, so a token dies with its key. moka bounds it; what may be handed out again is decided by
/// [`Issued::is_reusable`].
#[derive(Clone)]
pub struct TokenCache {
    tokens: Moka<TokenKey, Arc<Issued>>,
}

/// What a token is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    /// The definitions of grant and account.
    pub(super) scope: Scope,
    /// The key that signed; none for a user delegation key, whose token is as good as any other until it ends.
    pub(super) key: Option<Fingerprint>,
}

/// Most tokens kept, of some 500 bytes each.
const MOST_TOKENS: u64 = 10_000;

impl TokenCache {
    /// A token that has `at_least` so much life left, if there is one.
    pub(super) fn get(&self, key: &TokenKey, at_least: Duration, now: SystemTime) -> Option<Arc<Issued>> {
        self.tokens.get(key).filter(|issued| issued.is_reusable(at_least, now))
    }

    /// Such a token, or else a new one, however many ask at once.
    pub(super) fn get_or_sign<E: Send + Sync + 'static>(
        &self,
        key: &TokenKey,
        at_least: Duration,
        now: SystemTime,
        sign: impl FnOnce() -> Result<Issued, E>,
    ) -> Result<Arc<Issued>, E> {
        if let Some(issued) = self.get(key, at_least, now) {
            return Ok(issued);
        }
        let computed = self.tokens.entry_by_ref(key).and_try_compute_with(|entry| match entry {
            Some(entry) if entry.value().is_reusable(at_least, now) => Ok(Op::Nop),
            _ => sign().map(|issued| Op::Put(Arc::new(issued))),
        })?;
        Ok(computed.into_entry().expect("the entry was there already, or has been put").into_value())
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { tokens: Moka::new(MOST_TOKENS) }
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
        let key = TokenKey { scope: Scope::of(&"grant"), key: None };
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
