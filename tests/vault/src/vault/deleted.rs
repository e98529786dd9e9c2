//! Soft deletion: delete, look at, recover and purge.

use http::StatusCode;

use super::{bundle, errors, refused};
use crate::{
    reply::Reply,
    store::{Secret, Store},
    visit::Visit,
};

pub(super) fn delete(store: &mut Store, visit: &Visit, name: &str, now: i64) -> Result<Reply, Reply> {
    let secret = store.delete(name, now).map_err(|error| refused(&error))?;
    described(visit, secret)
}

pub(super) fn get(store: &Store, visit: &Visit, name: &str) -> Result<Reply, Reply> {
    described(visit, store.deleted(name).ok_or_else(|| errors::not_deleted(name))?)
}

pub(super) fn recover(store: &mut Store, visit: &Visit, name: &str) -> Result<Reply, Reply> {
    let secret = store.recover(name).map_err(|_| errors::not_deleted(name))?;
    let version = secret.latest().ok_or_else(|| errors::not_found(name))?;
    Ok(Reply::json(StatusCode::OK, &bundle::described(visit, secret, version)))
}

pub(super) fn purge(store: &mut Store, name: &str) -> Result<Reply, Reply> {
    store.deleted(name).ok_or_else(|| errors::not_deleted(name))?;
    store.purge(name).map_err(|error| refused(&error))?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn described(visit: &Visit, secret: &Secret) -> Result<Reply, Reply> {
    let version = secret.latest().ok_or_else(|| errors::not_found(&secret.name))?;
    Ok(Reply::json(StatusCode::OK, &bundle::deleted(visit, secret, version, true)))
}
