//! Entra: the v2 token endpoint and the documents by which MSAL finds it. It issues tokens and knows no vault. Called by the server for
//! paths below a tenant, on the vaults' listener.

mod discovery;
pub(crate) mod errors;
mod token;

use http::{Method, StatusCode};

use crate::{reply::Reply, visit::Visit, world::World};

/// Whether a path is Entra's: the vaults' paths start otherwise.
pub(crate) fn serves(path: &str) -> bool {
    path.ends_with("/oauth2/v2.0/token")
        || path.ends_with("/.well-known/openid-configuration")
        || path.ends_with("/discovery/v2.0/keys")
        || path == "/common/discovery/instance"
}

/// The regular answer.
pub(crate) fn answer(world: &World, visit: &Visit) -> Reply {
    match (&visit.method, visit.segments().as_slice()) {
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
            token::answer(world, visit, tenant).unwrap_or_else(|error| error)
        }
        (&Method::GET, ["common", "discovery", "instance"]) => discovery::instance(world, visit),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            discovery::configuration(world, visit, tenant).unwrap_or_else(|error| error)
        }
        (&Method::GET, [_, "discovery", "v2.0", "keys"]) => Reply::json(StatusCode::OK, &world.key_set()),
        _ => Reply::empty(StatusCode::NOT_FOUND),
    }
}

/// The tenant by its GUID; other spellings are refused as Entra refuses them.
fn check_tenant(world: &World, tenant: &str) -> Result<(), Reply> {
    if tenant.eq_ignore_ascii_case(world.tenant_id()) {
        return Ok(());
    }
    let guid = tenant.len() == 36 && tenant.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let domain =
        tenant.contains('.') && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    Err(if guid || domain || MANY_TENANTS.contains(&tenant) {
        let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        errors::error(world, StatusCode::BAD_REQUEST, "invalid_request", 90_002, &text)
    } else {
        let text =
            format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.");
        errors::error(world, StatusCode::BAD_REQUEST, "invalid_request", 900_023, &text)
    })
}

/// Names for "any tenant", which no application can use for itself.
const MANY_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];
