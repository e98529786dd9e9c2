//! Client credentials for an access token: by secret, by certificate or by a federated token.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;

use super::errors;
use crate::{
    client_certificate::{self, BadAssertion},
    directory::KnownApp,
    jwt::Jwt,
    reply::Reply,
    visit::Visit,
    world::World,
};

/// `POST /TENANT/oauth2/v2.0/token`.
pub(super) fn answer(world: &World, visit: &Visit, tenant: &str) -> Result<Reply, Reply> {
    super::check_tenant(world, tenant)?;
    let form = Form(form_urlencoded::parse(&visit.body).into_owned().collect());
    if form.required(world, "grant_type")? != "client_credentials" {
        let text = "The app requested an unsupported grant type.";
        return Err(errors::error(world, StatusCode::BAD_REQUEST, "unsupported_grant_type", 70_003, text));
    }
    let client_id = form.required(world, "client_id")?;
    let scope = form.required(world, "scope")?;
    let app = world.state().directory.app(client_id).cloned();
    let app = app.ok_or_else(|| unknown_app(world, client_id))?;
    match (form.get("client_secret"), form.get("client_assertion")) {
        (Some(secret), None) => check_secret(world, &app, secret)?,
        (None, Some(assertion)) => {
            check_assertion_type(world, form.required(world, "client_assertion_type")?)?;
            check_assertion(world, visit, &app, assertion)?;
        }
        _ => {
            let text =
                "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
            return Err(errors::error(world, StatusCode::UNAUTHORIZED, "invalid_client", 7_000_216, text));
        }
    }
    let (token, claims) = world.issue(&app.appid, &app.oid, resource(world, scope)?);
    let expires_in = claims.exp - claims.iat;
    let body =
        json!({"token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in, "access_token": token});
    Ok(Reply::json(StatusCode::OK, &body))
}

struct Form(BTreeMap<String, String>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, world: &World, name: &str) -> Result<&str, Reply> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let text = format!("The request body must contain the following parameter: '{name}'.");
            errors::error(world, StatusCode::BAD_REQUEST, "invalid_request", 900_144, &text)
        })
    }
}

/// The audience: the scope without `/.default`, byte for byte (a scope with two slashes gives an audience with one at its end).
fn resource(world: &World, scope: &str) -> Result<String, Reply> {
    let resource = scope.strip_suffix("/.default").filter(|resource| !resource.is_empty() && !resource.contains(' '));
    resource.map(str::to_owned).ok_or_else(|| {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default \
             suffixed to the resource identifier (application ID URI)."
        );
        errors::error(world, StatusCode::BAD_REQUEST, "invalid_scope", 1_002_012, &text)
    })
}

fn unknown_app(world: &World, client_id: &str) -> Reply {
    let text = format!(
        "Application with identifier '{client_id}' was not found in the directory 'Valet'. This can happen if the application has not \
         been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your \
         authentication request to the wrong tenant."
    );
    errors::error(world, StatusCode::BAD_REQUEST, "unauthorized_client", 700_016, &text)
}

fn check_secret(world: &World, app: &KnownApp, secret: &str) -> Result<(), Reply> {
    if app.has_secret(secret) {
        return Ok(());
    }
    let text = format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client \
         secret ID, for a secret added to app '{}'.",
        app.appid
    );
    Err(errors::error(world, StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, &text))
}

fn check_assertion_type(world: &World, kind: &str) -> Result<(), Reply> {
    if kind == ASSERTION_TYPE {
        return Ok(());
    }
    let text = format!("The value '{kind}' of 'client_assertion_type' is not supported.");
    Err(errors::error(world, StatusCode::BAD_REQUEST, "invalid_request", 70_002, &text))
}

fn check_assertion(world: &World, visit: &Visit, app: &KnownApp, assertion: &str) -> Result<(), Reply> {
    if app.trusts_assertion(assertion) {
        return Ok(());
    }
    let Some(jwt) = Jwt::parse(assertion) else {
        let text = "JWT token is invalid or malformed.";
        return Err(errors::error(world, StatusCode::BAD_REQUEST, "invalid_request", 50_027, text));
    };
    if !client_certificate::names_certificate(&jwt) {
        let subject = jwt.payload["sub"].as_str().unwrap_or_default();
        let text = format!(
            "No matching federated identity record found for presented assertion subject '{subject}'. Please note that the matching is \
             done using a case-sensitive comparison."
        );
        return Err(errors::error(world, StatusCode::UNAUTHORIZED, "invalid_client", 700_213, &text));
    }
    let token_url = format!("https://{}{}", visit.host, visit.path);
    let checked = client_certificate::check(&jwt, &app.certificates, &app.appid, &token_url, world.clock().now());
    checked.map_err(|why| {
        let (number, text) = match why {
            BadAssertion::NotSigned => (
                700_027,
                "The certificate with identifier used to sign the client assertion is not registered on application.",
            ),
            BadAssertion::Audience => (700_023, "Client assertion audience claim does not match Realm issuer."),
            BadAssertion::Client => {
                (700_021, "Client assertion application identifier doesn't match 'client_id' parameter.")
            }
            BadAssertion::Times => (700_024, "Client assertion is not within its valid time range."),
            BadAssertion::Incomplete => (50_027, "JWT token is invalid or malformed: 'jti' is missing."),
        };
        errors::error(world, StatusCode::UNAUTHORIZED, "invalid_client", number, text)
    })
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
