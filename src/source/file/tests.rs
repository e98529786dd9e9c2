use super::*;
use crate::model::{FaultKind, Urgency};
use futures::FutureExt as _;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A file source over one file of connections and one of variables.
struct Lab {
    dir: TempDir,
    source: FileSource,
}

impl Lab {
    fn new(ending: &str, connections: &str, variables: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| -> PathBuf {
            let path = dir.path().join(format!("{name}.{ending}"));
            fs::write(&path, text).unwrap();
            path
        };
        let config = FileConfig {
            connections: Some(write("connections", connections)),
            variables: Some(write("variables", variables)),
        };
        let source = FileSource::new(SourceName::new("files"), &config);
        Self { dir, source }
    }

    fn read(&self, kind: Kind, name: &str) -> Result<Option<String>, Fault> {
        let lookup = Lookup::parse(kind, name, "").unwrap();
        let found = self.source.read(&lookup, Urgency::Awaited).now_or_never().unwrap()?;
        Ok(found.map(|found| found.value.expose().to_owned()))
    }

    fn connection(&self, name: &str) -> Option<String> {
        self.read(Kind::Connection, name).unwrap()
    }

    fn fault(&self, kind: Kind, name: &str) -> (FaultKind, String) {
        let fault = self.read(kind, name).unwrap_err();
        (fault.kind(), fault.message().replace(&format!("{}/", self.dir.path().display()), ""))
    }
}

#[test]
fn yaml_connections_are_uris_as_they_stand_or_mappings_as_airflows_json() {
    let lab = Lab::new(
        "yaml",
        r#"
uri: postgres://u:p@h/db
in_a_list: ["mysql://h"]
mapped:
  conn_id: mapped
  conn_type: wasb
  login: acct
  password: 0123
  port: 443
  extra: {account_url: "https://x", retries: 3, secure: yes, ratio: 1.5, code: 007, nothing: null}
dejson: {conn_type: http, extra_dejson: {a: [1, "1"]}}
text_extra: {conn_type: http, extra: '{"a": 1}'}
by_uri: {uri: "http://h", conn_id: by_uri}
nothing:
"#,
        "x: 1",
    );
    assert_eq!(lab.connection("uri").as_deref(), Some("postgres://u:p@h/db"));
    assert_eq!(lab.connection("in_a_list").as_deref(), Some("mysql://h"));
    let mapped: serde_json::Value = serde_json::from_str(&lab.connection("mapped").unwrap()).unwrap();
    let expected = serde_json::json!({
        "conn_type": "wasb", "login": "acct", "password": "0123", "port": 443,
        "extra": {"account_url": "https://x", "retries": 3, "secure": true, "ratio": 1.5, "code": "007", "nothing": null},
    });
    assert_eq!(mapped, expected);
    assert_eq!(lab.connection("dejson").as_deref(), Some(r#"{"conn_type":"http","extra":{"a":[1,"1"]}}"#));
    assert_eq!(lab.connection("text_extra").as_deref(), Some(r#"{"conn_type":"http","extra":"{\"a\": 1}"}"#));
    assert_eq!(lab.connection("by_uri").as_deref(), Some("http://h"));
    assert_eq!(lab.connection("nothing"), None);
    assert_eq!(lab.connection("absent"), None);
    assert_eq!(lab.read(Kind::Config, "uri"), Ok(None));
}

#[test]
fn variables_are_texts_as_they_stand_and_anything_else_as_json() {
    let lab = Lab::new(
        "json",
        "{}",
        r#"{"text": " as it is ", "number": 1.50, "flag": true, "tree": {"a": [1, null]}, "null": null}"#,
    );
    let variable = |name| lab.read(Kind::Variable, name).unwrap();
    assert_eq!(variable("text").as_deref(), Some(" as it is "));
    assert_eq!(variable("number").as_deref(), Some("1.50"));
    assert_eq!(variable("flag").as_deref(), Some("true"));
    assert_eq!(variable("tree").as_deref(), Some(r#"{"a":[1,null]}"#));
    assert_eq!(variable("null"), None);
}

#[test]
fn env_files_are_lines_that_nothing_is_done_to() {
    let lab = Lab::new("env", "# note\n\npg=postgres://h?a=b\n spaced =x://\n", "v=\"quoted\"\nw=1\nw=2\n");
    assert_eq!(lab.connection("pg").as_deref(), Some("postgres://h?a=b"));
    assert_eq!(lab.connection(" spaced ").as_deref(), Some("x://"));
    assert_eq!(lab.read(Kind::Variable, "v").unwrap().as_deref(), Some("\"quoted\""));
    let twice = "variables.env line 3: the same name stands here a second time";
    assert_eq!(lab.fault(Kind::Variable, "w"), (FaultKind::MalformedValue, twice.to_owned()));
}

#[test]
fn a_bad_entry_concerns_its_own_name_and_says_its_line() {
    let lab = Lab::new("yaml", "good: x://\nbad: {conn_type: a, hots: b}\nport: {port: http}\n", "a: 1");
    assert_eq!(lab.connection("good").as_deref(), Some("x://"));
    let (kind, message) = lab.fault(Kind::Connection, "bad");
    assert_eq!(kind, FaultKind::MalformedValue);
    assert!(message.starts_with("connections.yaml line 2: a connection has conn_type"), "{message}");
    assert!(lab.fault(Kind::Connection, "port").1.contains("line 3: port must be"));
    let first = check(&lab.dir.path().join("connections.yaml"), Kind::Connection);
    assert!(first.unwrap_err().to_string().starts_with("line 2:"));
}

#[test]
fn a_file_that_cannot_be_used_is_a_fault_and_never_not_here() {
    let lab = Lab::new("yaml", "- a list", "a: [canary-4711");
    let no_mapping = "connections.yaml line 1: the file must be a mapping of names to values";
    assert_eq!(lab.fault(Kind::Connection, "x"), (FaultKind::SourceDown, no_mapping.to_owned()));
    let (kind, message) = lab.fault(Kind::Variable, "a");
    assert_eq!(kind, FaultKind::SourceDown);
    assert!(!message.contains("canary"), "{message}");
    fs::remove_file(lab.dir.path().join("connections.yaml")).unwrap();
    assert!(lab.fault(Kind::Connection, "x").1.starts_with("connections.yaml cannot be read: No such file"));
}

#[test]
fn a_change_of_the_file_is_seen_at_the_next_lookup() {
    let lab = Lab::new("yaml", "a: x://1", "v: 1");
    assert_eq!(lab.connection("a").as_deref(), Some("x://1"));
    fs::write(lab.dir.path().join("connections.yaml"), "a: x://22").unwrap();
    assert_eq!(lab.connection("a").as_deref(), Some("x://22"));
}
