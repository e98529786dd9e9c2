//! What a vault's answers mean (<https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>).

use crate::azure::{
    error::{Error, Nonsense, Refusal},
    http::{Endpoint, Reply},
    reply::{lenient_json, number_after},
};
use serde::Deserialize;
use std::{sync::Arc, time::SystemTime};

/// What keeps a secret away, by an answer that is neither 200 nor 401; `None` where it is that there is no such secret.
///
/// Our own reading of the body: the crate's finds no code in a message with a JSON escape, and every real 403 has line breaks in it.
pub(super) fn explain(reply: &Reply, endpoint: &Endpoint, identity: &Arc<str>, now: SystemTime) -> Option<Error> {
    let error = || lenient_json::<Body>(&reply.body).map(|body| body.error);
    match reply.status.as_u16() {
        // Only the vault's own word counts: another 404 is that of a proxy, or of something that is no vault.
        404 if error().is_some_and(|error| error.code == "SecretNotFound") => None,
        403 => {
            let why = error().map_or(Refusal::Forbidden, |error| error.refusal());
            Some(Error::Refused { vault: endpoint.peer().clone(), identity: Arc::clone(identity), why })
        }
        status => Some(endpoint.unavailable(reply, now).unwrap_or_else(|| endpoint.nonsense(Nonsense::Status(status)))),
    }
}

/// The fault of a token that is not accepted, by the body of the 401.
pub(super) fn unauthorized(body: &[u8], endpoint: &Endpoint, identity: &Arc<str>) -> Error {
    let message = lenient_json::<Body>(body).and_then(|body| body.error.message);
    let why = Refusal::Unauthorized { code: message.and_then(|message| number_after("AKV", &message)) };
    Error::Refused { vault: endpoint.peer().clone(), identity: Arc::clone(identity), why }
}

#[derive(Deserialize)]
struct Body {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    code: String,
    message: Option<String>,
    innererror: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    code: Option<String>,
}

impl Detail {
    fn refusal(&self) -> Refusal {
        let inner = self.innererror.as_ref().and_then(|inner| inner.code.as_deref());
        match inner.unwrap_or(&self.code) {
            "SecretDisabled" => Refusal::Disabled,
            "ForbiddenByRbac" => Refusal::MissingRole,
            "AccessDenied" | "ForbiddenByPolicy" => Refusal::MissingPolicy,
            "ForbiddenByFirewall" => Refusal::Firewall,
            "ForbiddenByConnection" => Refusal::PrivateOnly,
            _ => Refusal::Forbidden,
        }
    }
}
