//! Managed identity over plain HTTP: IMDS, as a virtual machine has it, and the endpoint of App Service, Functions and Container
//! Apps. Both issue the same tokens as Entra, without a secret.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{directory::ManagedIdentity, endpoints::IDENTITY_HEADER, reply::Reply, visit::Visit, world::World};

/// The regular answer.
pub(crate) fn answer(world: &World, visit: &Visit) -> Reply {
    let reply = match (&visit.method, visit.path.as_str()) {
        (&Method::GET, IMDS_PATH) => imds(world, visit),
        (&Method::GET, APP_SERVICE_PATH) => app_service(world, visit),
        _ => Err(Reply::empty(StatusCode::NOT_FOUND)),
    };
    reply.unwrap_or_else(|error| error)
}

/// The shape of IMDS's errors.
pub(crate) fn error(status: StatusCode, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}

/// A request must say that it knows what it asks (`Metadata: true`), and must not come through a proxy.
fn imds(world: &World, visit: &Visit) -> Result<Reply, Reply> {
    if visit.header("metadata").is_none_or(|value| !value.eq_ignore_ascii_case("true")) {
        return Err(bad_request("Required metadata header not specified"));
    }
    if visit.header("x-forwarded-for").is_some() {
        return Err(bad_request("Request contains X-Forwarded-For header"));
    }
    let known = visit.query("api-version").is_some_and(|version| IMDS_VERSIONS.contains(&version.as_str()));
    if !known {
        return Err(bad_request("The requested version is not supported"));
    }
    let resource = visit.query("resource").filter(|resource| !resource.is_empty());
    let resource = resource.ok_or_else(|| bad_request("Required audience parameter not specified"))?;
    let identity = identity(world, visit, "msi_res_id").ok_or_else(|| bad_request("Identity not found"))?;
    let (mut body, lifetime) = token(world, &identity, resource);
    body["expires_in"] = lifetime.to_string().into();
    body["ext_expires_in"] = lifetime.to_string().into();
    Ok(Reply::json(StatusCode::OK, &body))
}

/// The header proves that the caller runs inside the app.
fn app_service(world: &World, visit: &Visit) -> Result<Reply, Reply> {
    let refuse = |status: StatusCode, message: &str| {
        Reply::json(status, &json!({"statusCode": status.as_u16(), "message": message}))
    };
    if visit.header("x-identity-header") != Some(IDENTITY_HEADER) {
        return Err(refuse(StatusCode::UNAUTHORIZED, "Missing or wrong X-IDENTITY-HEADER"));
    }
    if visit.query("api-version").as_deref() != Some("2019-08-01") {
        return Err(refuse(StatusCode::BAD_REQUEST, "Unsupported api-version"));
    }
    let resource = visit.query("resource").filter(|resource| !resource.is_empty());
    let resource = resource.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "Missing resource"))?;
    let identity = identity(world, visit, "mi_res_id");
    let identity =
        identity.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "No managed identity found for the specified id"))?;
    Ok(Reply::json(StatusCode::OK, &token(world, &identity, resource).0))
}

/// The identity that the query names, or the machine's own.
fn identity(world: &World, visit: &Visit, resource_parameter: &str) -> Option<ManagedIdentity> {
    let state = world.state();
    let asked = |name: &str| visit.query(name);
    let found = if let Some(id) = asked("client_id") {
        state.directory.identity(|identity| identity.client_id.eq_ignore_ascii_case(&id))
    } else if let Some(id) = asked("object_id").or_else(|| asked("principal_id")) {
        state.directory.identity(|identity| identity.object_id.eq_ignore_ascii_case(&id))
    } else if let Some(id) = asked(resource_parameter) {
        state.directory.identity(|identity| identity.resource_id.eq_ignore_ascii_case(&id))
    } else {
        state.directory.identity(|identity| identity.system_assigned)
    };
    found.cloned()
}

/// What both endpoints answer, and how many seconds the token lives. Numbers are strings here.
fn token(world: &World, identity: &ManagedIdentity, resource: String) -> (Value, i64) {
    let (token, claims) = world.issue(&identity.client_id, &identity.object_id, resource);
    let body = json!({
        "access_token": token,
        "client_id": identity.client_id,
        "expires_on": claims.exp.to_string(),
        "not_before": claims.nbf.to_string(),
        "resource": claims.aud,
        "token_type": "Bearer",
    });
    (body, claims.exp - claims.iat)
}

fn bad_request(description: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, "invalid_request", description)
}

pub(crate) const APP_SERVICE_PATH: &str = "/msi/token";
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
/// The Python SDK asks for the first, the Rust one for the second.
const IMDS_VERSIONS: [&str; 5] = ["2018-02-01", "2019-08-01", "2020-06-01", "2021-02-01", "2021-12-13"];
