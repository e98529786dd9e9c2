use super::{BadKey, Fingerprint, Grant, StoredKey, grant::What};
use crate::{
    model::Secret,
    sign::{self, Key, Sas, ServiceBusSas, SignError},
};
use std::time::SystemTime;

/// A token that was made.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// When it ends; `None` where it does not: an account's key that is handed out.
    pub expires_at: Option<SystemTime>,
    /// Which key signed it; `None` for a user delegation key, which Azure keeps.
    pub fingerprint: Option<Fingerprint>,
}

impl Grant {
    /// Makes a token with the account's key. The same key, grant and second give the same token.
    ///
    /// # Errors
    /// [`BadKey`] where the key is none that this grant can be made with.
    pub fn issue(&self, key: &StoredKey, now: SystemTime) -> Result<Issued, BadKey> {
        let signed = match &self.what {
            What::Sas(grant) => sign::sign(&key.key, grant, now),
            What::ServiceBus { resource, policy } => {
                let policy = policy.as_deref().or(key.policy.as_deref()).unwrap_or_default();
                ServiceBusSas::new(resource, policy)
                    .and_then(|sas| sign::Grant::new(Sas::ServiceBus(sas), self.config.lifetime))
                    .and_then(|grant| sign::sign(&key.key, &grant, now))
            }
            What::Key => {
                let fingerprint = Some(key.fingerprint.clone());
                return Ok(Issued { token: key.text.clone(), expires_at: None, fingerprint });
            }
            What::Requests(_) => return Err(BadKey("the grant signs single requests and has no token".to_owned())),
        };
        let signed = signed.map_err(|error| BadKey(error.to_string()))?;
        let expires_at = signed.expires_at.map(|end| end.system_time());
        Ok(Issued { token: signed.token, expires_at, fingerprint: Some(key.fingerprint.clone()) })
    }

    /// Makes a token with a user delegation key.
    ///
    /// # Errors
    /// Where the key ends before the token would, so that another one is needed.
    pub fn issue_delegated(&self, key: &sign::DelegationKey, now: SystemTime) -> Result<Issued, SignError> {
        let What::Sas(grant) = &self.what else {
            return Err(SignError::Invalid { field: "kind", problem: "is not user-delegation-sas" });
        };
        let signed = sign::sign(&Key::Delegation(key.clone()), grant, now)?;
        Ok(Issued {
            token: signed.token,
            expires_at: signed.expires_at.map(|end| end.system_time()),
            fingerprint: None,
        })
    }
}
