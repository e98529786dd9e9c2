use super::{BadKey, Fingerprint, Grant, StoredKey, grant::What};
use crate::{
    model::Secret,
    sign::{self, CLOCK_SKEW, DelegationKey, Key, Sas, ServiceBusSas, SignError, Signed},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// When it was made.
    pub made_at: SystemTime,
    /// When it ends; `None` where it does not: an account's key that is handed out.
    pub expires_at: Option<SystemTime>,
    /// Which key signed it; `None` where no key of ours did.
    pub fingerprint: Option<Fingerprint>,
}

impl Issued {
    /// Whether it has so much life left, in the whole seconds that tokens are made of. One that has ended has none.
    pub fn lasts(&self, at_least: Duration, now: SystemTime) -> bool {
        let now = UNIX_EPOCH + Duration::from_secs(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
        self.expires_at.is_none_or(|end| end > now && end >= now + at_least)
    }

    /// Whether it may be handed out again: it lasts, and no clock signed it that has since been set back by more than Azure forgives.
    pub fn is_reusable(&self, at_least: Duration, now: SystemTime) -> bool {
        self.made_at <= now + CLOCK_SKEW && self.lasts(at_least, now)
    }

    fn of(signed: Signed, fingerprint: Option<Fingerprint>, now: SystemTime) -> Self {
        let expires_at = signed.expires_at.map(|end| end.system_time());
        Self { token: signed.token, made_at: now, expires_at, fingerprint }
    }
}

impl Grant {
    /// Makes a token with the account's key. The same key, grant and second give the same token.
    ///
    /// # Errors
    /// [`BadKey`] where the key is none that this grant can be made with.
    pub fn issue(&self, key: &StoredKey, now: SystemTime) -> Result<Issued, BadKey> {
        let fingerprint = Some(key.fingerprint.clone());
        let signed = match &self.what {
            What::Sas(grant) => sign::sign(&key.key, grant, now),
            What::ServiceBus { resource, policy } => {
                let policy = policy.as_deref().or(key.policy.as_deref()).unwrap_or_default();
                ServiceBusSas::new(resource, policy)
                    .and_then(|sas| sign::Grant::new(Sas::ServiceBus(sas), self.config.lifetime))
                    .and_then(|grant| sign::sign(&key.key, &grant, now))
            }
            What::Key => return Ok(Issued { token: key.text.clone(), made_at: now, expires_at: None, fingerprint }),
            What::Requests(_) => return Err(BadKey("the grant signs single requests and has no token".to_owned())),
        };
        signed.map(|signed| Issued::of(signed, fingerprint, now)).map_err(|error| BadKey(error.to_string()))
    }

    /// Makes a token with a user delegation key; `None` where the key ends before the token would, so that another one is needed.
    ///
    /// # Errors
    /// [`BadKey`] where the grant is none that such a key signs.
    pub fn issue_delegated(&self, key: &DelegationKey, now: SystemTime) -> Result<Option<Issued>, BadKey> {
        let What::Sas(grant) = &self.what else {
            return Err(BadKey("the grant is not signed with a user delegation key".to_owned()));
        };
        match sign::sign(&Key::Delegation(key.clone()), grant, now) {
            Ok(signed) => Ok(Some(Issued::of(signed, None, now))),
            Err(SignError::OutsideDelegationKey { .. }) => Ok(None),
            Err(error) => Err(BadKey(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn token() -> Issued {
        let made_at = UNIX_EPOCH + HOUR * 12;
        Issued { token: Secret::new("t"), made_at, expires_at: Some(made_at + HOUR * 12), fingerprint: None }
    }

    #[test]
    fn a_token_is_reusable_until_its_least_remaining_life_and_never_once_it_has_ended() {
        let (token, second) = (token(), Duration::from_secs(1));
        let end = token.made_at + HOUR * 12;
        assert!(token.is_reusable(HOUR * 6, end - HOUR * 6));
        assert!(!token.is_reusable(HOUR * 6, end - HOUR * 6 + second));
        assert!(token.is_reusable(Duration::ZERO, end - second));
        assert!(!token.is_reusable(Duration::ZERO, end));
    }

    #[test]
    fn a_token_of_a_clock_that_ran_ahead_is_not() {
        let token = token();
        assert!(token.is_reusable(HOUR, token.made_at - CLOCK_SKEW));
        assert!(!token.is_reusable(HOUR, token.made_at - CLOCK_SKEW - HOUR), "its start would be in the future");
    }

    #[test]
    fn who_asks_for_the_whole_lifetime_gets_it_within_the_second() {
        let token = token();
        assert!(token.lasts(HOUR * 12, token.made_at + Duration::from_millis(900)), "tokens end on whole seconds");
        assert!(!token.lasts(HOUR * 12, token.made_at + Duration::from_secs(1)));
    }

    #[test]
    fn a_key_that_is_handed_out_never_ends() {
        let key = Issued { expires_at: None, ..token() };
        assert!(key.is_reusable(HOUR * 1_000_000, key.made_at + HOUR));
    }
}
