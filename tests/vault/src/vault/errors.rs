//! The bodies of a vault's refusals, word for word as they are recorded from the real service: `{"error": {"code", "message",
//! "innererror"}}`, with real CRLF in the messages (an escape that has broken parsers of clients).

use http::{StatusCode, header};
use serde_json::json;

use crate::{
    access::{Action, Authorization},
    fault::ForbiddenCode,
    reply::Reply,
    visit::Visit,
    world::World,
};

pub(crate) const NO_TOKEN: &str = "AKV10000: Request is missing a Bearer or PoP token.";
pub(super) const BAD_TOKEN: &str = "[BearerReadAccessTokenFailed] Error validating token: 'S2S12086'.";
pub(super) const EXPIRED_TOKEN: &str = "[TokenExpired] Error validating token: 'S2S12086'.";

pub(crate) fn error(status: StatusCode, code: &str, message: &str, inner: Option<&str>) -> Reply {
    let mut body = json!({"error": {"code": code, "message": message}});
    if let Some(inner) = inner {
        body["error"]["innererror"] = json!({"code": inner});
    }
    Reply::json(status, &body)
}

/// 429 as it was recorded: without `Retry-After`.
pub(crate) fn throttled() -> Reply {
    let reason =
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached";
    error(StatusCode::TOO_MANY_REQUESTS, "Throttled", reason, None)
}

/// 401 with this vault's challenge.
pub(crate) fn unauthorized(world: &World, visit: &Visit, message: &str) -> Reply {
    let authorization = format!("https://login.windows.net/{}", world.tenant_id());
    with_challenge(message, &authorization, &world.resource_of(&visit.host))
}

/// 401 with any challenge.
pub(crate) fn challenge(authorization: &str, resource: &str) -> Reply {
    with_challenge(NO_TOKEN, authorization, resource)
}

fn with_challenge(message: &str, authorization: &str, resource: &str) -> Reply {
    let challenge = format!("Bearer authorization=\"{authorization}\", resource=\"{resource}\"");
    error(StatusCode::UNAUTHORIZED, "Unauthorized", message, None).with(header::WWW_AUTHENTICATE, &challenge)
}

/// Unknown and soft-deleted alike.
pub(super) fn not_found(name: &str) -> Reply {
    let message = format!(
        "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to \
         recover it using the correct recovery command. For help resolving this issue, please see \
         https://go.microsoft.com/fwlink/?linkid=2125182"
    );
    error(StatusCode::NOT_FOUND, "SecretNotFound", &message, None)
}

pub(super) fn not_deleted(name: &str) -> Reply {
    let message = format!("Deleted Secret not found: {name}");
    error(StatusCode::NOT_FOUND, "SecretNotFound", &message, None)
}

pub(super) fn deleted(name: &str) -> Reply {
    let message = format!(
        "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can \
         only be recovered or purged."
    );
    error(StatusCode::CONFLICT, "Conflict", &message, Some("ObjectIsDeletedButRecoverable"))
}

pub(super) fn bad_name(name: &str) -> Reply {
    bad_parameter(&format!("The request URI contains an invalid name: {name}"))
}

pub(super) fn bad_api_version(version: &str) -> Reply {
    let latest = super::LATEST_API_VERSION;
    bad_parameter(&format!(
        "The specified version ({version}) is not recognized. Consider using the latest supported version ({latest})."
    ))
}

pub(super) fn bad_operation(visit: &Visit) -> Reply {
    let operation = visit.segments.last().map_or("", String::as_str);
    bad_parameter(&format!("Method {} does not allow operation '{operation}'", visit.method))
}

pub(super) fn bad_parameter(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "BadParameter", message, None)
}

/// The real service has no such host name at all; here the mistake is told apart from a secret that is not found.
pub(super) fn no_such_vault(visit: &Visit) -> Reply {
    let message = format!("there is no vault {:?} here: name it in the seed", visit.vault);
    error(StatusCode::MISDIRECTED_REQUEST, "NoSuchVault", &message, None)
}

pub(super) fn no_such_route(visit: &Visit) -> Reply {
    error(StatusCode::NOT_FOUND, "NotFound", &format!("there is no {}", visit.path), None)
}

/// A refusal of rights, in the words of roles or of access policies.
pub(super) fn no_right(visit: &Visit, authorization: Authorization, action: Action) -> Reply {
    match authorization {
        Authorization::Rbac => by_rbac(visit, action),
        Authorization::Policy => by_policy(visit, action, ForbiddenCode::AccessDenied),
    }
}

/// A refusal of this kind, whatever the caller's rights are.
pub(crate) fn forbidden(visit: &Visit, code: ForbiddenCode) -> Reply {
    match code {
        ForbiddenCode::ForbiddenByRbac => by_rbac(visit, Action::Get),
        ForbiddenCode::AccessDenied | ForbiddenCode::ForbiddenByPolicy => by_policy(visit, Action::Get, code),
        ForbiddenCode::ForbiddenByFirewall => {
            let message = format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\nCaller: {}\r\n\
                 Vault: {}",
                caller(visit),
                place(visit)
            );
            refuse(&message, "ForbiddenByFirewall")
        }
        ForbiddenCode::ForbiddenByConnection => {
            let message = format!(
                "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n\
                 Caller: {}\r\nVault: {}",
                caller(visit),
                place(visit)
            );
            refuse(&message, "ForbiddenByConnection")
        }
        ForbiddenCode::SecretDisabled => disabled(),
    }
}

pub(super) fn disabled() -> Reply {
    refuse("Operation get is not allowed on a disabled secret.", "SecretDisabled")
}

fn by_rbac(visit: &Visit, action: Action) -> Reply {
    let resource = visit.secret().map(|name| format!("/secrets/{}", name.to_lowercase())).unwrap_or_default();
    let message = format!(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were \
         changed recently, please observe propagation time.\r\nCaller: {}\r\nAction: '{}'\r\nResource: '{SCOPE}{}{resource}'\r\n\
         Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {}\r\n",
        caller(visit),
        action.data_action(),
        visit.vault,
        place(visit)
    );
    refuse(&message, "ForbiddenByRbac")
}

fn by_policy(visit: &Visit, action: Action, code: ForbiddenCode) -> Reply {
    let message = format!(
        "The user, group or application '{}' does not have secrets {} permission on key vault '{}'. For help resolving this issue, \
         please see https://go.microsoft.com/fwlink/?linkid=2125287",
        caller(visit),
        action.permission(),
        place(visit)
    );
    let inner = if code == ForbiddenCode::ForbiddenByPolicy { "ForbiddenByPolicy" } else { "AccessDenied" };
    refuse(&message, inner)
}

fn refuse(message: &str, inner: &str) -> Reply {
    error(StatusCode::FORBIDDEN, "Forbidden", message, Some(inner))
}

fn caller(visit: &Visit) -> String {
    visit
        .claims()
        .map_or_else(String::new, |claims| format!("appid={};oid={};iss={}", claims.appid, claims.oid, claims.iss))
}

fn place(visit: &Visit) -> String {
    format!("{};location=westeurope", visit.vault)
}

const SCOPE: &str =
    "/subscriptions/5e57ab1e-0000-4000-8000-000000000000/resourcegroups/valet/providers/microsoft.keyvault/vaults/";
