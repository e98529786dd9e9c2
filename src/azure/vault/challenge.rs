use crate::azure::error::Error;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use std::sync::{Arc, Mutex, PoisonError};

/// What a vault said to a request without a token: the text of its `WWW-Authenticate`, which names the tenant and whom the token is for.
pub(super) type Challenge = Arc<str>;

/// A vault's challenge, asked for once however many need it, and remembered.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<State>);

type Asking = BoxFuture<'static, Result<Challenge, Error>>;

#[derive(Debug, Default)]
enum State {
    #[default]
    Unknown,
    /// Weak, so that nothing is left half done when all who wait have gone.
    Asking(WeakShared<Asking>),
    Known(Challenge),
}

impl Challenges {
    /// The challenge. `ask` begins to ask for it, if nobody does so already; a failure goes to all who wait, and is forgotten.
    pub(super) async fn get(&self, ask: impl FnOnce() -> Asking) -> Result<Challenge, Error> {
        let asking = match self.known_or_asking(ask) {
            Ok(known) => return Ok(known),
            Err(asking) => asking,
        };
        let challenge = asking.await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Known(Arc::clone(&challenge));
        Ok(challenge)
    }

    /// Forgets what is known, because it is of no use.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Unknown;
    }

    fn known_or_asking(&self, ask: impl FnOnce() -> Asking) -> Result<Challenge, Shared<Asking>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Known(challenge) => return Ok(Arc::clone(challenge)),
            // One that has ended was a failure: whoever comes now asks anew.
            State::Asking(asking) => {
                if let Some(asking) = asking.upgrade().filter(|asking| asking.peek().is_none()) {
                    return Err(asking);
                }
            }
            State::Unknown => {}
        }
        let asking = ask().shared();
        if let Some(weak) = asking.downgrade() {
            *state = State::Asking(weak);
        }
        Err(asking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::{Nonsense, Peer, http::HostName};
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    fn refused() -> Error {
        let host = HostName::of(&"https://acme.test".parse().unwrap());
        Error::Nonsense { peer: Peer::Vault { host }, why: Nonsense::NoChallenge }
    }

    #[tokio::test]
    async fn a_challenge_is_asked_for_until_it_is_known_and_again_when_it_is_forgotten() {
        let (challenges, asked) = (Challenges::default(), Arc::new(AtomicUsize::new(0)));
        let get = |answer: Result<Challenge, Error>| {
            let asked = Arc::clone(&asked);
            challenges.get(move || {
                asked.fetch_add(1, Ordering::Relaxed);
                async move { answer }.boxed()
            })
        };
        assert_eq!(get(Err(refused())).await, Err(refused()));
        assert_eq!(get(Ok("a".into())).await, Ok("a".into()));
        assert_eq!(get(Ok("b".into())).await, Ok("a".into()));
        challenges.forget();
        assert_eq!(get(Ok("c".into())).await, Ok("c".into()));
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_given_up() {
        let challenges = Challenges::default();
        let mut abandoned = Box::pin(challenges.get(|| pending().boxed()));
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert_eq!(challenges.get(|| async { Ok("a".into()) }.boxed()).await, Ok("a".into()));
    }
}
