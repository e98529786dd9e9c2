//! Files that are too large, too deep, too many or not there.

use super::{env, problems};
use std::{fs, path::Path};
use valet::config;

fn only(text: &str) -> String {
    problems(text).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn large_deep_and_unfolding_files_are_refused() {
    let base = "sources: {env: {kind: environment}}\n";
    assert_eq!(only(&format!("{base}# {}", "x".repeat(1 << 20))), "line 1: the document is too large");
    assert_eq!(only(&format!("{base}cache: {}", "[".repeat(100))), "line 2: the document is nested too deeply");
    assert_eq!(only(&format!("{base}cache: [{}]", "1,".repeat(60_000))), "line 2: the document holds too many values");
    let level = |level: usize| format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", "));
    let bomb: String = (1..9).map(level).collect();
    assert_eq!(only(&format!("{base}l0: &l0 [canary]\n{bomb}")), "line 7: the document holds too many values");
}

#[test]
fn aliases_within_bounds_are_what_they_stand_for() {
    let text =
        "identities:\n  a: &id {kind: managed-identity, client_id: x}\n  b: *id\nsources: {env: {kind: environment}}";
    assert_eq!(only(text), "");
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_has_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.yaml");
    fs::write(&large, vec![b' '; (1 << 20) + 1]).unwrap();
    let missing = folder.path().join("missing.yaml");
    let below_a_file = large.join("valet.yaml");
    for (path, message) in [
        (large.as_path(), "the file is too large"),
        (&missing, "there is no such file"),
        (&below_a_file, "there is no such file"),
        (folder.path(), "this is a directory"),
    ] {
        let problems = config::load(path, &env()).unwrap_err();
        let found: Vec<_> =
            problems.iter().map(|problem| (problem.line, problem.path.as_str(), &*problem.message)).collect();
        assert_eq!(found, [(None, "", message)], "{}", path.display());
    }
}

#[test]
fn relative_paths_start_from_the_directory_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("valet.yaml");
    fs::write(folder.path().join("values.yaml"), "{}").unwrap();
    fs::write(&file, "sources: {f: {kind: file, variables: values.yaml}}\nlisten: {a: {unix: {path: a.sock}}}")
        .unwrap();
    let config = config::load(&file, &env()).unwrap().config;
    assert_eq!(config.listeners[0].unix.path, folder.path().join("a.sock"));
    let absolute = "sources: {env: {kind: environment}}\nlisten: {a: {unix: {path: /run/a.sock}}}";
    let config = config::parse(absolute.as_bytes(), folder.path(), &env(), &config::OsFiles).unwrap().config;
    assert_eq!(config.listeners[0].unix.path, Path::new("/run/a.sock"));
}

#[test]
fn a_pipe_in_place_of_a_named_file_is_refused_without_waiting_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.yaml")).status().unwrap();
    assert!(status.success());
    let text = "sources: {f: {kind: file, variables: pipe.yaml}}";
    let problems = config::parse(text.as_bytes(), folder.path(), &env(), &config::OsFiles).unwrap_err();
    let messages: Vec<_> = problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(messages, ["the file cannot be read: it is no regular file"]);
}
