use super::{entries::malformed, scalar::to_json, watched::BadFile};
use crate::model::{
    Secret,
    document::{Entry, Node, Value},
};
use serde_json::{Map, Value as Json};

/// What Airflow's `Connection.from_json` accepts, and in which order it is written here. Any other key is a `TypeError` there.
const FIELDS: [&str; 8] = ["conn_type", "description", "host", "login", "password", "schema", "port", "extra"];

/// A connection that is written as a mapping, as the JSON that Airflow reads.
pub(super) fn encode(name: &str, line: usize, map: &[Entry]) -> Result<Secret, BadFile> {
    let entry = |key: &str| map.iter().rev().find(|entry| entry.key == key);
    if let Some(unknown) = map.iter().find(|entry| !is_key(&entry.key)) {
        let known =
            "a connection has conn_type, description, host, login, password, schema, port and extra, and no other key";
        return Err(malformed(unknown.line, known));
    }
    if let Some(id) = entry("conn_id")
        && text(id)? != Some(name)
    {
        return Err(malformed(id.line, "conn_id is not the name that the entry stands under"));
    }
    if let Some(uri) = entry("uri") {
        return match (map.iter().all(|entry| matches!(entry.key.as_str(), "uri" | "conn_id")), text(uri)?) {
            (true, Some(uri)) => Ok(Secret::new(uri)),
            _ => Err(malformed(uri.line, "a connection that has a uri has nothing else")),
        };
    }
    if let (Some(_), Some(second)) = (entry("extra"), entry("extra_dejson")) {
        return Err(malformed(second.line, "extra and extra_dejson exclude each other"));
    }
    let mut json = Map::new();
    for field in FIELDS {
        let written = if field == "extra" { entry("extra").or_else(|| entry("extra_dejson")) } else { entry(field) };
        if let Some(written) = written.filter(|written| !written.value.is_null()) {
            json.insert(field.to_owned(), field_value(field, written)?);
        }
    }
    if json.is_empty() {
        return Err(malformed(line, "the connection is empty"));
    }
    Ok(Secret::new(Json::Object(json).to_string()))
}

fn is_key(key: &str) -> bool {
    FIELDS.contains(&key) || matches!(key, "conn_id" | "uri" | "extra_dejson")
}

fn field_value(field: &str, entry: &Entry) -> Result<Json, BadFile> {
    match field {
        "port" => {
            let port = text(entry)?.and_then(|text| text.parse::<u16>().ok());
            port.map(Json::from).ok_or_else(|| malformed(entry.line, "port must be a whole number from 0 to 65535"))
        }
        "extra" => Ok(match &entry.value.value {
            Value::Scalar(scalar) => Json::from(scalar.text()),
            Value::List(_) | Value::Map(_) => to_json(&entry.value),
        }),
        _ => Ok(text(entry)?.map_or(Json::Null, Json::from)),
    }
}

/// A field's text; numbers are text here: a password of digits is one.
fn text(entry: &Entry) -> Result<Option<&str>, BadFile> {
    match &entry.value {
        Node { value: Value::Scalar(scalar), .. } => Ok((!scalar.is_null()).then(|| scalar.text())),
        Node { value: Value::List(_) | Value::Map(_), .. } => Err(malformed(entry.line, "this must be text")),
    }
}
