//! The documents by which MSAL finds the token endpoint, with addresses on the host that was asked.

use http::StatusCode;
use serde_json::json;

use crate::{reply::Reply, visit::Visit, world::World};

/// `/TENANT/v2.0/.well-known/openid-configuration`.
pub(super) fn configuration(world: &World, visit: &Visit, tenant: &str) -> Result<Reply, Reply> {
    super::check_tenant(world, tenant)?;
    let base = format!("https://{}/{tenant}", visit.host);
    let body = json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "issuer": format!("{base}/v2.0"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": visit.host,
    });
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `/common/discovery/instance`: this host is the only one of its cloud.
pub(super) fn instance(world: &World, visit: &Visit) -> Reply {
    let host = &visit.host;
    let body = json!({
        "tenant_discovery_endpoint": format!("https://{host}/{}/v2.0/.well-known/openid-configuration", world.tenant_id()),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    });
    Reply::json(StatusCode::OK, &body)
}
