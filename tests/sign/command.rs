//! `valet sign`: the executable.

use crate::vectors::{all, spec_of};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn sign(arguments: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valet"));
    let command = command.arg("sign").args(arguments).env_remove("RUST_BACKTRACE");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments may be gone before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// One good SAS spec, one good header spec, and one that must be refused.
fn specs() -> [String; 3] {
    let vectors = all();
    ["service-sas-blob", "shared-key-blob", "must-refuse"].map(|kind| {
        let vector = vectors.iter().find(|vector| vector["kind"] == kind).unwrap();
        spec_of(vector).to_string()
    })
}

#[test]
fn each_spec_gives_a_line_and_one_that_must_not_be_signed_gives_none() {
    let [sas, header, refused] = specs();
    let (code, stdout, stderr) = sign(&["--spec", "-"], format!("{sas}\n\n{refused}\n{header}").as_bytes());
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!((code, lines.len()), (64, 2), "{stdout}{stderr}");
    assert!(lines[0].contains("&sig=") && lines[1].starts_with("SharedKey "), "{stdout}");
    assert!(stderr.starts_with("valet: line 3: ") && stderr.lines().count() == 1, "{stderr}");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("specs.jsonl");
    fs::write(&file, format!("{sas}\r\n{header}\n")).unwrap();
    assert_eq!(sign(&["--spec", file.to_str().unwrap()], b""), (0, stdout, String::new()));
}

#[test]
fn json_explains_what_was_signed() {
    let [sas, header, _] = specs();
    let (code, stdout, _) = sign(&["--spec", "-", "--json"], format!("{sas}\n{header}").as_bytes());
    let shown: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, shown.len()), (0, 2));
    assert_eq!(shown[0]["kind"], "service-sas-blob");
    assert!(shown[0]["token"].as_str().unwrap().contains("sig="));
    assert_eq!(shown[0]["parameters"]["sr"], "b");
    assert!(shown[0]["string_to_sign"].as_str().unwrap().contains("\n/blob/"));
    assert_eq!((&shown[1]["token"], &shown[1]["parameters"]), (&Value::Null, &Value::Null));
    assert!(shown[1]["authorization"].as_str().unwrap().starts_with("SharedKey "));
    assert!(shown[1]["string_to_sign"].as_str().unwrap().starts_with("GET\n"));
}

#[test]
fn input_has_a_bound_and_what_follows_a_line_that_is_too_long_is_still_read() {
    let [sas, ..] = specs();
    let long = " ".repeat(100) + &"x".repeat(1 << 20);
    let (code, stdout, stderr) = sign(&["--spec", "-"], format!("{long}\n{sas}\n{long}").as_bytes());
    assert_eq!((code, stdout.lines().count()), (64, 1), "{stderr}");
    let said: Vec<_> = stderr.lines().map(|line| line.split(": spec ").next().unwrap()).collect();
    assert_eq!(said, ["valet: line 1", "valet: line 3"]);
}

#[test]
fn nothing_to_sign_and_nothing_readable_are_mistakes_of_use() {
    for stdin in [&b""[..], b"\n \n"] {
        let (code, stdout, stderr) = sign(&["--spec", "-"], stdin);
        assert_eq!((code, stdout.as_str()), (64, ""));
        assert!(stderr.contains("there is no spec"), "{stderr}");
    }
    let (code, stdout, _) = sign(&["--spec", "-"], b"\xff\xfe{}\n\xff\n");
    assert_eq!((code, stdout.as_str()), (64, ""));
    assert_eq!(sign(&["--spec", "/nowhere/specs"], b"").0, 66);
    assert_eq!(sign(&[], b"").0, 64);
}
