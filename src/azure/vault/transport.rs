use super::{
    answer,
    challenge::{Challenge, Challenges},
};
use crate::{
    azure::{
        error::{Error, Nonsense},
        http::{Endpoint, Reply, raw_response, wrapped},
        token::Tokens,
    },
    clock::Clock,
};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, HttpClient, Request, StatusCode,
    headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE},
};
use bytes::Bytes;
use futures::FutureExt;
use std::{sync::Arc, time::SystemTime};

/// How a `SecretClient` reaches its vault.
///
/// The crate sends its first requests without a token, to be told whom the token is for. That is asked for once; from then on such requests are
/// answered here, so that 50 cold reads cost one request more, not 50.
#[derive(Debug)]
pub(super) struct VaultTransport {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) identity: Arc<str>,
    pub(super) tokens: Arc<dyn Tokens>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) challenges: Challenges,
}

impl VaultTransport {
    /// The vault's challenge, for which `request` is sent where it is not known.
    async fn challenge(&self, request: &Request) -> Result<Challenge, Error> {
        let ask = || ask(Arc::clone(&self.endpoint), request.clone(), self.clock.wall()).boxed();
        self.challenges.get(ask).await
    }
}

#[async_trait]
impl HttpClient for VaultTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Some(authorization) = request.headers().get_optional_str(&AUTHORIZATION) else {
            let challenge = self.challenge(request).await.map_err(wrapped)?;
            return Ok(unauthorized(Some(&challenge), Bytes::new()));
        };
        let reply = self.endpoint.send(request).await.map_err(wrapped)?;
        match reply.status.as_u16() {
            200 => return Ok(raw_response(reply)),
            401 => {}
            _ => {
                return match answer::explain(&reply, &self.endpoint, &self.identity, self.clock.wall()) {
                    Some(error) => Err(wrapped(error)),
                    None => Ok(raw_response(reply)),
                };
            }
        }
        // The crate would send it again only where it was not a cold read, so it gets no challenge, and whoever began the read begins it
        // again if there is another token.
        if self.tokens.reject(authorization.strip_prefix("Bearer ").unwrap_or_default()) {
            Ok(unauthorized(None, reply.body))
        } else {
            Err(wrapped(answer::unauthorized(&reply.body, &self.endpoint, &self.identity)))
        }
    }
}

/// Sends a request without a token, and takes the challenge.
async fn ask(endpoint: Arc<Endpoint>, mut request: Request, now: SystemTime) -> Result<Challenge, Error> {
    request.headers_mut().remove(AUTHORIZATION);
    let reply = endpoint.send(&request).await?;
    match challenge_of(&reply) {
        Some(challenge) if reply.status == reqwest::StatusCode::UNAUTHORIZED => Ok(challenge),
        // What else it says to somebody it does not know is not to be believed: a 404, say, is that of a proxy.
        _ => Err(endpoint.unavailable(&reply, now).unwrap_or_else(|| endpoint.nonsense(Nonsense::NoChallenge))),
    }
}

fn unauthorized(challenge: Option<&str>, body: Bytes) -> AsyncRawResponse {
    let mut headers = Headers::new();
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge.to_owned());
    }
    AsyncRawResponse::from_bytes(StatusCode::Unauthorized, headers, body)
}

fn challenge_of(reply: &Reply) -> Option<Challenge> {
    // The name of a scheme is in any case (RFC 9110, section 11.1).
    let is_bearer = |text: &&str| text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    let values = reply.headers.get_all(reqwest::header::WWW_AUTHENTICATE).iter();
    values.filter_map(|value| value.to_str().ok()).find(is_bearer).map(Challenge::from)
}
