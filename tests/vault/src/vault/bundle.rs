//! Secrets as JSON. What is absent is left out, never null; times are whole Unix seconds.

use serde_json::{Map, Value, json};

use crate::{
    store::{Secret, Version},
    visit::Visit,
};

/// A secret with its value.
pub(super) fn secret(visit: &Visit, secret: &Secret, version: &Version) -> Value {
    let mut fields = properties(version);
    fields.insert("id".to_owned(), id(visit, "secrets", &secret.name, Some(&version.id)).into());
    fields.insert("value".to_owned(), version.value.clone().into());
    fields.into()
}

/// An answer to a change: what `secret` holds, without the value.
pub(super) fn described(visit: &Visit, secret: &Secret, version: &Version) -> Value {
    let mut fields = properties(version);
    fields.insert("id".to_owned(), id(visit, "secrets", &secret.name, Some(&version.id)).into());
    fields.into()
}

/// An item of a list; a list of names has ids without a version.
pub(super) fn item(visit: &Visit, secret: &Secret, version: &Version, versioned: bool) -> Value {
    let mut fields = properties(version);
    fields.insert("id".to_owned(), id(visit, "secrets", &secret.name, versioned.then_some(&version.id)).into());
    fields.into()
}

/// A soft-deleted secret, without its value.
pub(super) fn deleted(visit: &Visit, secret: &Secret, version: &Version, versioned: bool) -> Value {
    let mut fields = properties(version);
    let since = secret.deleted.unwrap_or_default();
    fields.insert("id".to_owned(), id(visit, "secrets", &secret.name, versioned.then_some(&version.id)).into());
    fields.insert("recoveryId".to_owned(), id(visit, "deletedsecrets", &secret.name, None).into());
    fields.insert("deletedDate".to_owned(), since.into());
    fields.insert("scheduledPurgeDate".to_owned(), (since + RECOVERABLE_DAYS * 86_400).into());
    fields.into()
}

fn properties(version: &Version) -> Map<String, Value> {
    let Version { id: _, value: _, enabled, exp, nbf, created, updated, content_type, tags, managed } = version;
    let mut attributes = json!({
        "enabled": enabled,
        "created": created,
        "updated": updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": RECOVERABLE_DAYS,
    });
    for (name, time) in [("exp", exp), ("nbf", nbf)] {
        if let Some(time) = time {
            attributes[name] = (*time).into();
        }
    }
    let mut fields = Map::from_iter([("attributes".to_owned(), attributes)]);
    if let Some(content_type) = content_type {
        fields.insert("contentType".to_owned(), content_type.as_str().into());
    }
    if let Some(tags) = tags {
        fields.insert("tags".to_owned(), json!(tags));
    }
    if *managed {
        fields.insert("managed".to_owned(), true.into());
    }
    fields
}

fn id(visit: &Visit, collection: &str, name: &str, version: Option<&String>) -> String {
    let version = version.map(|version| format!("/{version}")).unwrap_or_default();
    format!("https://{}/{collection}/{name}{version}", visit.host)
}

const RECOVERABLE_DAYS: i64 = 90;
