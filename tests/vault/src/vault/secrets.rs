//! Reading, setting and updating one secret.

use http::StatusCode;
use serde::Deserialize;

use super::{bundle, errors, refused};
use crate::{
    reply::Reply,
    store::{SecretSpec, Store},
    visit::Visit,
};

/// The latest version (the last one set, enabled or not) or the one asked for. Only `enabled: false` blocks: `nbf` and `exp` are
/// informational.
pub(super) fn get(store: &Store, visit: &Visit, name: &str, id: Option<&str>) -> Result<Reply, Reply> {
    let secret = store.get(name).ok_or_else(|| errors::not_found(name))?;
    let version = match id {
        None => secret.latest().ok_or_else(|| errors::not_found(name))?,
        Some(id) => secret.version(id).ok_or_else(|| errors::not_found(&format!("{name}/{id}")))?,
    };
    if !version.enabled {
        return Err(errors::disabled());
    }
    Ok(Reply::json(StatusCode::OK, &bundle::secret(visit, secret, version)))
}

/// Adds a version.
pub(super) fn set(store: &mut Store, visit: &Visit, name: &str, now: i64) -> Result<Reply, Reply> {
    let id = store.set(name, parse(visit)?, now).map_err(|error| refused(&error))?;
    get_any(store, visit, name, Some(&id), true)
}

/// Changes attributes, content type or tags.
pub(super) fn update(store: &mut Store, visit: &Visit, name: &str, id: Option<&str>, now: i64) -> Result<Reply, Reply> {
    let spec = SecretSpec { value: None, ..parse(visit)? };
    store.update(name, id, spec, now).map_err(|error| refused(&error))?;
    get_any(store, visit, name, id, false)
}

/// The answer to a change shows a disabled version too.
fn get_any(store: &Store, visit: &Visit, name: &str, id: Option<&str>, value: bool) -> Result<Reply, Reply> {
    let secret = store.get(name).ok_or_else(|| errors::not_found(name))?;
    let version = match id {
        None => secret.latest(),
        Some(id) => secret.version(id),
    }
    .ok_or_else(|| errors::not_found(name))?;
    let body = if value { bundle::secret(visit, secret, version) } else { bundle::described(visit, secret, version) };
    Ok(Reply::json(StatusCode::OK, &body))
}

fn parse(visit: &Visit) -> Result<SecretSpec, Reply> {
    let body: Body =
        serde_json::from_slice(&visit.body).map_err(|_| errors::bad_parameter("Property has invalid value\r\n"))?;
    let Body { value, content_type, tags, attributes: Attributes { enabled, exp, nbf } } = body;
    Ok(SecretSpec { value, enabled, exp, nbf, content_type, tags, managed: None })
}

/// What a client sends; fields that the service does not know are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    value: Option<String>,
    content_type: Option<String>,
    tags: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    exp: Option<i64>,
    nbf: Option<i64>,
}
