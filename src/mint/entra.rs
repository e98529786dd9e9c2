use super::Issued;
use crate::{
    azure::{Azure, IdentityConfig, Tokens},
    model::{Fault, FaultKind},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Tokens of one Entra identity, for whoever takes such a token as a password.
#[derive(Debug, Clone)]
pub struct EntraTokens {
    identity: Arc<str>,
    tokens: Arc<dyn Tokens>,
}

impl EntraTokens {
    /// Of an identity. Does no network I/O.
    ///
    /// # Errors
    /// [`FaultKind::BadConfig`], where the definition cannot be taken into use.
    pub fn build(identity: &IdentityConfig, azure: &Azure) -> Result<Self, Fault> {
        let name = Arc::clone(&identity.name);
        let tokens = azure.tokens(identity).map_err(|error| error.fault(&format!("identity {name:?}")))?;
        Ok(Self::new(name, tokens))
    }

    /// Of whoever gives tokens of the identity of this name.
    pub fn new(identity: Arc<str>, tokens: Arc<dyn Tokens>) -> Self {
        Self { identity, tokens }
    }

    /// Drops the token that [`Self::token`] gives now, because it was refused; whether that gives another one then. Not where this one has itself
    /// replaced a rejected one a short while ago.
    pub async fn reject(&self, scope: &str, at_least: Duration, now: SystemTime) -> bool {
        let given = self.token(scope, at_least, now).await;
        given.is_ok_and(|given| self.tokens.reject(given.token.expose()))
    }

    /// A token for a scope that lives `at_least` so long from `now`; at once while one is at hand, which is renewed before its end.
    ///
    /// # Errors
    /// Whatever keeps a token away; [`FaultKind::OutOfRange`] where Entra gives none that lives so long.
    pub async fn token(&self, scope: &str, at_least: Duration, now: SystemTime) -> Result<Issued, Fault> {
        let token = self.tokens.lasting_token(scope, at_least).await.map_err(|error| error.fault("Entra token"))?;
        let left = token.expires_at.duration_since(now).unwrap_or_default();
        if left < at_least || left.is_zero() {
            let message = format!(
                "identity {:?}: Entra's token has {} s left and {} s are asked for; lower `min_remaining`, Entra alone decides how long its \
                 tokens live",
                &*self.identity,
                left.as_secs(),
                at_least.as_secs(),
            );
            return Err(Fault::new(FaultKind::OutOfRange, message));
        }
        let expires_at = Some(token.expires_at);
        Ok(Issued { token: token.text, made_at: now, expires_at, fingerprint: None })
    }
}
