//! What the answers of storage accounts mean (<https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>).

use super::{StorageRefusal, StorageService};
use crate::azure::{
    error::{Error, Nonsense},
    http::{Endpoint, Reply},
    reply::retry_after,
};
use azure_core::xml;
use serde::Deserialize;
use std::{sync::Arc, time::SystemTime};

/// What keeps a key away, by an answer that is not 200.
pub(super) fn explain(
    reply: &Reply,
    endpoint: &Endpoint,
    service: StorageService,
    identity: &Arc<str>,
    now: SystemTime,
) -> Error {
    let peer = || endpoint.peer().clone();
    let refused = |why| Error::RefusedByStorage { account: peer(), identity: Arc::clone(identity), why };
    let code = code(reply);
    match (reply.status.as_u16(), code.as_str()) {
        (401, _) | (403, "AuthenticationFailed") => refused(StorageRefusal::Unauthorized),
        (403, "AuthorizationPermissionMismatch") => refused(StorageRefusal::MissingRole(service)),
        (403, "AuthorizationFailure") => refused(StorageRefusal::Firewall),
        (403, "KeyBasedAuthenticationNotPermitted") => refused(StorageRefusal::SharedKeyOff),
        (403, "AccountIsDisabled") => refused(StorageRefusal::AccountDisabled),
        (403, _) => refused(StorageRefusal::Forbidden),
        (400, _) => endpoint.nonsense(Nonsense::NoDelegationKeys),
        (404, _) => endpoint.nonsense(Nonsense::NoAccount),
        // The word of Azure Storage for "too often".
        (503, "ServerBusy") => Error::Throttled { peer: peer(), retry_after: retry_after(&reply.headers, now) },
        (status, _) => endpoint.unavailable(reply, now).unwrap_or_else(|| endpoint.nonsense(Nonsense::Status(status))),
    }
}

/// The code of an error: in a header, which some proxies drop, and in the body.
fn code(reply: &Reply) -> String {
    let header = reply.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok());
    let body = || xml::from_xml::<_, Body>(&reply.body).map(|body| body.code).unwrap_or_default();
    header.map_or_else(body, str::to_owned)
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "Code", alias = "code")]
    code: String,
}
