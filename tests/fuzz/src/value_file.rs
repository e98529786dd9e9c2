//! Files of connections and variables: JSON, YAML and .env.

use crate::{CANARY, check_message, choice, chosen, files};
use std::{fs, sync::LazyLock};
use tempfile::TempDir;
use valet::{model::Kind, source::check_file};

/// The first byte chooses the format, and what the file holds.
pub fn run(data: &[u8]) {
    let Some((chosen, text)) = choice(data, 6) else { return };
    let path = PLACE.path().join(format!("values.{}", ["json", "yaml", "env"][chosen % 3]));
    fs::write(&path, text).expect("a file in a folder of our own");
    if let Err(bad) = check_file(&path, if chosen < 3 { Kind::Connection } else { Kind::Variable }) {
        check_message(&bad.to_string());
    }
}

static PLACE: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a place for a file"));

/// Every shape of entry, in each format.
pub fn seeds() -> Vec<Vec<u8>> {
    let json = format!(
        r#"{{"a": "postgres://u:{CANARY}@h/db", "b": {{"conn_type": "wasb", "port": 1, "extra": {{"sas_token": "{CANARY}"}}}}, "c": ["x"], "d": null}}"#
    );
    let yaml = format!(
        "a: postgres://u:{CANARY}@h/db\nb: {{conn_type: wasb, password: {CANARY}, extra: {{x: [1, 2]}}}}\nc: ~\n"
    );
    let env = format!("# comment\na=postgres://u:{CANARY}@h/db\nb={{\"conn_type\": \"x\"}}\n\n");
    let mut seeds: Vec<_> = [json, yaml, env]
        .into_iter()
        .zip(0..)
        .flat_map(|(text, format)| [chosen(format, &text), chosen(format + 3, &text)])
        .collect();
    for (ending, format) in [("json", 0), ("yaml", 1), ("env", 5)] {
        seeds.extend(files("config/data/files", ending).into_iter().map(|text| chosen(format, text)));
    }
    seeds
}
