use super::{
    connection,
    scalar::to_json,
    watched::{BadFile, MAX_BYTES},
};
use crate::model::{
    Kind, Secret,
    document::{Limits, Node, Value},
};
use std::{collections::HashMap, path::Path};

/// The entries of one file, each a value as it is served or what is wrong with it.
#[derive(Debug)]
pub(super) struct Entries(HashMap<String, Result<Secret, BadFile>>);

const LIMITS: Limits = Limits { bytes: MAX_BYTES, depth: 32, nodes: 500_000 };

impl Entries {
    pub(super) fn get(&self, name: &str) -> Option<&Result<Secret, BadFile>> {
        self.0.get(name)
    }

    /// The first entry, by line, that cannot be served.
    pub(super) fn check(&self) -> Result<(), BadFile> {
        let line = |bad: &&BadFile| if let BadFile::Malformed { line, .. } = bad { *line } else { 0 };
        self.0.values().filter_map(|entry| entry.as_ref().err()).min_by_key(line).cloned().map_or(Ok(()), Err)
    }
}

pub(super) fn malformed(line: usize, message: &str) -> BadFile {
    BadFile::Malformed { line, message: message.to_owned() }
}

/// Parses a file's text by the ending of its name.
pub(super) fn parse(path: &Path, text: &str, kind: Kind) -> Result<Entries, BadFile> {
    // By the last dot, also where nothing stands before it: a file called ".env" is one.
    let ending = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('.'));
    let document = match ending.map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("json") => Node::from_json(text, LIMITS)?,
        Some("yaml" | "yml") => Node::from_yaml(text, LIMITS)?,
        Some("env") => return parse_env(text),
        _ => return Err(BadFile::UnknownFormat),
    };
    let Value::Map(map) = document.value else {
        return Err(malformed(document.line, "the file must be a mapping of names to values"));
    };
    let mut entries = HashMap::with_capacity(map.len());
    for entry in map {
        // A repeated key: the last one counts, as in Airflow.
        match value_of(&entry.key, &entry.value, kind) {
            Ok(Some(value)) => entries.insert(entry.key, Ok(value)),
            Ok(None) => entries.remove(&entry.key),
            Err(bad) => entries.insert(entry.key, Err(bad)),
        };
    }
    Ok(Entries(entries))
}

/// A value as it is served; `None` for null, which Airflow takes for "not here".
fn value_of(name: &str, node: &Node, kind: Kind) -> Result<Option<Secret>, BadFile> {
    match (&node.value, kind) {
        (Value::Scalar(scalar), _) if scalar.is_null() => Ok(None),
        (Value::Scalar(scalar), _) => Ok(Some(Secret::new(scalar.text()))),
        (Value::Map(map), Kind::Connection) => connection::encode(name, node.line, map).map(Some),
        (Value::List(list), Kind::Connection) => match list.as_slice() {
            [only] if !matches!(only.value, Value::List(_)) => value_of(name, only, kind),
            _ => Err(malformed(node.line, "a connection must be one text or one mapping")),
        },
        (Value::Map(_) | Value::List(_), _) => Ok(Some(Secret::new(to_json(node).to_string()))),
    }
}

/// `NAME=value` lines; nothing is trimmed, unquoted or unescaped. Blank lines and lines that begin with `#` do not count.
fn parse_env(text: &str) -> Result<Entries, BadFile> {
    let mut entries = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        if line.is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(malformed(line_number, "there is no = in this line"));
        };
        if name.is_empty() || value.is_empty() {
            return Err(malformed(line_number, "a name and a value must stand around the ="));
        }
        let entry = if entries.contains_key(name) {
            Err(malformed(line_number, "the same name stands here a second time"))
        } else {
            Ok(Secret::new(value))
        };
        entries.insert(name.to_owned(), entry);
    }
    Ok(Entries(entries))
}
