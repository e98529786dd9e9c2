//! The data plane of the vaults: secrets over HTTPS, as Key Vault answers them. It never decides who a caller is (tokens are judged
//! before) nor spoils an answer (faults come after). Called by the server for each request that is not Entra's.

mod bundle;
mod deleted;
pub(crate) mod errors;
mod lists;
mod secrets;

use http::{HeaderName, Method, StatusCode};

use crate::{
    access::{Action, Network},
    fault::ForbiddenCode,
    jwt::Refusal,
    limit::Limited,
    reply::Reply,
    state::State,
    store::StoreError,
    visit::{Token, Visit},
    world::World,
};

/// The regular answer.
pub(crate) fn answer(world: &World, visit: &Visit) -> Reply {
    let reply = if visit.path == "/healthstatus" {
        Reply::empty(StatusCode::OK)
    } else {
        decide(world, visit).unwrap_or_else(|refusal| refusal)
    };
    reply
        .with(NETWORK_INFO, "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;")
        .with(http::header::CACHE_CONTROL, "no-cache")
}

/// The checks in their order: how often, token, network, version of the API, route, name, rights; then the deed.
fn decide(world: &World, visit: &Visit) -> Result<Reply, Reply> {
    let is_served = |limited: &mut Limited| limited.serves(world.clock().now_millis());
    if !world.state().vaults.get_mut(&visit.vault).and_then(|vault| vault.limited.as_mut()).is_none_or(is_served) {
        return Err(errors::throttled());
    }
    if let Some(why) = refusal(world, visit) {
        return Err(errors::unauthorized(world, visit, &why));
    }
    let now = world.clock().now();
    let mut state = world.state();
    let vault = state.vaults.get(&visit.vault).ok_or_else(|| errors::no_such_vault(visit))?;
    match vault.network {
        Network::Open => {}
        Network::Firewall => return Err(errors::forbidden(visit, ForbiddenCode::ForbiddenByFirewall)),
        Network::Private => return Err(errors::forbidden(visit, ForbiddenCode::ForbiddenByConnection)),
    }
    check_api_version(visit)?;
    let segments = visit.segments();
    match (&visit.method, segments.as_slice()) {
        (&Method::GET, ["secrets"] | ["secrets", ""]) => {
            let store = allowed(&mut state, visit, None, Action::List)?;
            lists::secrets(store, visit)
        }
        (&Method::GET, ["secrets", name, "versions"]) => {
            let store = allowed(&mut state, visit, Some(name), Action::List)?;
            lists::versions(store, visit, name)
        }
        (&Method::GET, ["secrets", name] | ["secrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Get)?;
            secrets::get(store, visit, name, None)
        }
        (&Method::GET, ["secrets", name, version]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Get)?;
            secrets::get(store, visit, name, Some(version))
        }
        (&Method::PUT, ["secrets", name] | ["secrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Set)?;
            secrets::set(store, visit, name, now)
        }
        (&Method::PATCH, ["secrets", name] | ["secrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Set)?;
            secrets::update(store, visit, name, None, now)
        }
        (&Method::PATCH, ["secrets", name, version]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Set)?;
            secrets::update(store, visit, name, Some(version), now)
        }
        (&Method::DELETE, ["secrets", name] | ["secrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Delete)?;
            deleted::delete(store, visit, name, now)
        }
        (&Method::GET, ["deletedsecrets"] | ["deletedsecrets", ""]) => {
            let store = allowed(&mut state, visit, None, Action::List)?;
            lists::deleted(store, visit)
        }
        (&Method::GET, ["deletedsecrets", name] | ["deletedsecrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Get)?;
            deleted::get(store, visit, name)
        }
        (&Method::POST, ["deletedsecrets", name, "recover"]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Delete)?;
            deleted::recover(store, visit, name)
        }
        (&Method::DELETE, ["deletedsecrets", name] | ["deletedsecrets", name, ""]) => {
            let store = allowed(&mut state, visit, Some(name), Action::Delete)?;
            deleted::purge(store, name)
        }
        (_, ["secrets" | "deletedsecrets", ..]) => Err(errors::bad_operation(visit)),
        _ => Err(errors::no_such_route(visit)),
    }
}

/// What is wrong with the token, in the words of the service.
fn refusal(world: &World, visit: &Visit) -> Option<String> {
    let refusal = match &visit.token {
        Token::Accepted(_) => return None,
        Token::Absent => return Some(errors::NO_TOKEN.to_owned()),
        Token::Refused(refusal) => refusal,
    };
    let resource = world.resource_of(&visit.host);
    Some(match refusal {
        Refusal::Malformed => errors::BAD_TOKEN.to_owned(),
        Refusal::NotYetValid | Refusal::Expired => errors::EXPIRED_TOKEN.to_owned(),
        Refusal::Signature { header } => {
            format!("AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: '{header}'.")
        }
        Refusal::Issuer { found } => {
            format!("AKV10032: Invalid issuer. Expected one of {}, found {found}.", world.issuer())
        }
        Refusal::Audience { found } => format!("AKV10022: Invalid audience. Expected {resource}, found: {found}."),
    })
}

/// Names are judged before rights, rights before existence: a caller without rights learns nothing about what exists.
fn allowed<'a>(
    state: &'a mut State,
    visit: &Visit,
    name: Option<&str>,
    action: Action,
) -> Result<&'a mut crate::store::Store, Reply> {
    if let Some(name) = name {
        crate::store::check_name(name).map_err(|_| errors::bad_name(name))?;
    }
    let appid = visit.claims().map(|claims| claims.appid.as_str()).unwrap_or_default();
    let granted = state.grants.iter().any(|grant| grant.allows(appid, &visit.vault, name, action));
    let vault = state.vaults.get_mut(&visit.vault).ok_or_else(|| errors::no_such_vault(visit))?;
    if granted { Ok(&mut vault.store) } else { Err(errors::no_right(visit, vault.authorization, action)) }
}

/// There is no default version.
fn check_api_version(visit: &Visit) -> Result<(), Reply> {
    let version = visit.query("api-version").unwrap_or_default();
    if API_VERSIONS.contains(&version.as_str()) { Ok(()) } else { Err(errors::bad_api_version(&version)) }
}

/// What the store refuses, as the service says it.
fn refused(error: &StoreError) -> Reply {
    match error {
        StoreError::BadName(name) => errors::bad_name(name),
        StoreError::Unknown(name) => errors::not_found(name),
        StoreError::Deleted(name) => errors::deleted(name),
        StoreError::TooLarge(what) => errors::bad_parameter(&format!("Property {what} has invalid value\r\n")),
        StoreError::NoValue => errors::bad_parameter("Property value is required\r\n"),
    }
}

const NETWORK_INFO: HeaderName = HeaderName::from_static("x-ms-keyvault-network-info");

const API_VERSIONS: [&str; 10] =
    ["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2016-10-01", "2025-07-01", LATEST_API_VERSION];

const LATEST_API_VERSION: &str = "2026-04-01";
