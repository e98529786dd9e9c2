//! valet.yaml from the outside: what is wrong with it, its schema, and what `valet init` makes of Airflow's settings.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod airflow;
mod bounds;
mod brokered;
mod canary;
mod command;
mod schema;
mod typed;

use std::{
    fs,
    path::{Path, PathBuf},
};
use valet::{
    config::{self, Loaded, Problems},
    env::MapEnv,
};

/// A storage account's key: 64 bytes in base64.
const KEY: &str = "Y2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5IGNhbmFyeSBjYW5hcnkgYw==";

/// What every file of `data` is read with.
pub(crate) fn env() -> MapEnv {
    MapEnv::new([("SET", "canary"), ("EMPTY", ""), ("KEY", KEY)])
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

/// The files of a folder with this ending, in order.
pub(crate) fn files(name: &str, ending: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = all.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    assert!(!files.is_empty(), "no .{ending} in {name}");
    files
}

pub(crate) fn parse(text: &str) -> Result<Loaded, Problems> {
    config::parse(text.as_bytes(), &folder("data"), &env(), &config::OsFiles)
}

/// The problems of a text, warnings included.
pub(crate) fn problems(text: &str) -> Problems {
    parse(text).map_or_else(|problems| problems, |loaded| loaded.warnings)
}

/// Compares with the file beside, or leaves what was found where it can be looked at.
pub(crate) fn is_as_beside(beside: &Path, found: &str) -> Result<(), String> {
    if fs::read_to_string(beside).unwrap_or_default().trim() == found.trim() {
        return Ok(());
    }
    let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join(beside.file_name().unwrap());
    fs::write(&seen, format!("{}\n", found.trim_end())).unwrap();
    Err(format!("not as in {}: {}\n", beside.display(), seen.display()))
}

#[test]
fn every_file_has_the_problems_that_stand_beside_it() {
    let differences = files("data", "yaml").into_iter().filter_map(|file| {
        let problems = config::load(&file, &env()).map_or_else(|problems| problems, |loaded| loaded.warnings);
        let found = serde_json::to_string_pretty(&problems).unwrap();
        is_as_beside(&file.with_extension("problems.json"), &found).err()
    });
    let differences: String = differences.collect();
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn people_read_file_line_path_message_hint_and_a_count() {
    let problems =
        problems("sources: {env: {kind: environment}}\ncache: {frehs: 5m}\nlisten: {a: {unix: {path: /a}, allow: []}}");
    assert_eq!(
        problems.render(Path::new("dir/valet.yaml")),
        "dir/valet.yaml:2: cache.frehs: unknown key\n  hint: did you mean `fresh`?\n\
         dir/valet.yaml:3: warning: listen.a.allow: this listener allows nothing\n  hint: every call will be refused\n\
         1 error, 1 warning\n"
    );
    assert_eq!(problems.errors(), 1);
    assert_eq!(parse("sources: {env: {kind: environment}}").unwrap().warnings.render(Path::new("x")), "");
}
