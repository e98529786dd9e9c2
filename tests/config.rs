//! valet.yaml, from the outside: each file of `config/data` has exactly the problems that stand beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};
use valet::{
    config::{self, Problems},
    env::MapEnv,
};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/data")
}

fn env() -> MapEnv {
    MapEnv::new([("SET", "canary"), ("EMPTY", "")])
}

/// The problems of a file, warnings included.
fn problems(file: &Path) -> Problems {
    config::load(file, &env()).map_or_else(|problems| problems, |loaded| loaded.warnings)
}

#[test]
fn every_file_has_the_problems_that_stand_beside_it() {
    let mut wrong = Vec::new();
    for file in fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let beside = file.with_extension("problems.json");
        let found = serde_json::to_string_pretty(&problems(&file)).unwrap();
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found.trim() != expected.trim() {
            let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join(beside.file_name().unwrap());
            fs::write(&seen, found + "\n").unwrap();
            wrong.push(format!("{}: found {}", file.display(), seen.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
