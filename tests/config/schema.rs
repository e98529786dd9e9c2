//! `valet schema` against the files that `valet check` accepts and refuses.

use super::{files, folder, parse};
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Map, Number, Value as Json};
use std::{fs, sync::LazyLock};
use valet::{
    config::{self, Severity},
    model::document::{Limits, Node, Value},
};

/// A document as an editor sees it: YAML 1.2's types.
fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_null() => Json::Null,
        Value::Scalar(scalar) if scalar.is_plain() => match scalar.text() {
            "true" => true.into(),
            "false" => false.into(),
            text => text.parse::<i64>().map_or_else(
                |_| text.parse::<f64>().ok().and_then(Number::from_f64).map_or_else(|| text.into(), Json::Number),
                Json::from,
            ),
        },
        Value::Scalar(scalar) => scalar.text().into(),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), as_json(&entry.value))).collect::<Map<_, _>>())
        }
    }
}

/// Whether the schema accepts a valet.yaml.
fn accepts(text: &str) -> bool {
    static COMPILED: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.add_resource("valet.json", config::schema()).unwrap();
        let mut schemas = Schemas::new();
        let schema = compiler.compile("valet.json", &mut schemas).unwrap();
        (schemas, schema)
    });
    let (schemas, schema) = &*COMPILED;
    let document = as_json(&Node::from_yaml(text, Limits::default()).unwrap());
    schemas.validate(&document, *schema).is_ok()
}

#[test]
fn the_schema_is_valid_and_accepts_what_the_check_accepts() {
    let texts = files("data", "yaml").into_iter().filter_map(|file| fs::read_to_string(file).ok());
    let good: Vec<_> = texts.chain([config::FIRST.to_owned()]).filter(|text| parse(text).is_ok()).collect();
    assert!(good.len() >= 5);
    for text in good {
        assert!(accepts(&text), "{text}");
    }
}

#[test]
fn the_schema_refuses_each_key_of_a_later_version_and_each_mistake_of_form() {
    let base = "sources: {env: {kind: environment}}\n";
    assert!(accepts(base));
    for mistake in [
        "metrics: {address: x}",
        "status: {address: x}",
        "policy: [{}]",
        "cache: {stale: 24}",
        "cache: {fresh: 5}",
        "cache: {frehs: 5m}",
        "cache: 5m",
        "audit: {to: syslog}",
        "audit: {to: file}",
        "audit: {to: stderr, path: x}",
        "listen: {a: {tcp: {address: x}, allow: []}}",
        "listen: {a: {unix: {path: /a}, allow: [token]}}",
        "listen: {a: {unix: {path: /a, mode: rw-}}}",
        "listen: {a: {allow: [admin]}}",
        "listen: {\"a b\": {unix: {path: /a}}}",
        "identities: {a: {kind: client-secret, tenant_id: t, client_id: c, client_secret: text}}",
        "identities: {a: {kind: client-secret, tenant_id: t, client_id: c, client_secret: {secret: a/b}}}",
        "identities: {a: {kind: client-secret, tenant_id: t, client_id: c, client_secret: {}}}",
        "sources: {a: {kind: upstream}}",
        "sources: {a: {kind: upstream, target: \"http://valet:8443\"}}",
        "sources: {a: {kind: upstream, target: \"https://valet/x\"}}",
        "sources: {a: {kind: upstream, target: /run/valet.sock}}",
        "sources: {a: {kind: upstream, target: \"unix:\"}}",
        "identities: {a: {kind: default, client_id: c}}",
        "identities: {a: {kind: none}}",
        "routes: [{match: a}]",
        "routes: [{match: a, sources: [], kinds: [connection]}]",
        "routes: [{match: a, sources: [], cache: {max_bytes: 64MiB}}]",
        "routes: [{match: a, sources: [], cache: {fresh: 1}}]",
    ] {
        assert!(!accepts(&format!("{base}{mistake}")), "{mistake}");
        assert!(parse(&format!("{base}{mistake}")).is_err(), "{mistake}");
    }
    for brokered in [
        "accounts: {a: {kind: storage, name: AB}}",
        "accounts: {a: {kind: storage, name: acme, keys: text}}",
        "accounts: {a: {kind: storage, name: acme, keys: [text]}}",
        "accounts: {a: {kind: storage, name: acme, keys: [{secret: text}]}}",
        "accounts: {a: {kind: storage, name: acme, keys: [{grant: g}]}}",
        "accounts: {a: {kind: storage, name: acme, keys: [{}]}}",
        "accounts: {a: {kind: storage, name: acme, endpoints: {blob: acme}}}",
        "accounts: {a: {kind: storage, name: acme, endpoints: {web: \"https://acme\"}}}",
        "accounts: {a: {kind: service-bus}}",
        "accounts: {a: {kind: service-bus, namespace: \"sb://acme\"}}",
        "accounts: {a: {kind: service-bus, namespace: acme, identity: default}}",
        "accounts: {a: {kind: cosmos, endpoint: \"https://acme/x\"}}",
        "accounts: {a: {kind: batch, name: acme}}",
        "grants: {a: {kind: account-key}}",
        "grants: {a: {account: a, kind: sas}}",
        "grants: {a: {account: a, kind: service-sas}}",
        "grants: {a: {account: a, kind: service-sas, service: blobs}}",
        "grants: {a: {account: a, kind: account-key, permissions: r}}",
        "grants: {a: {account: a, kind: account-sas, lifetime: 12}}",
        "connections: {a: {}}",
        "connections: {a: {type: \"a b\"}}",
        "connections: {a: {type: http, password: text}}",
        "connections: {a: {type: http, password: 123456}}",
        "connections: {a: {type: http, host: {}}}",
        "connections: {a: {type: http, host: {env: A, file: b}}}",
        "connections: {a: {type: http, host: [a]}}",
        "connections: {a: {type: http, host: {entra_token: {identity: default}}}}",
        "connections: {a: {type: http, port: 65536}}",
        "connections: {a: {type: http, extra: text}}",
        "connections: {a: {type: http, uri: x}}",
        "connections: {\"\": {type: http}}",
    ] {
        assert!(!accepts(&format!("{base}{brokered}")), "{brokered}");
        assert!(parse(&format!("{base}{brokered}")).is_err(), "{brokered}");
    }
    for source in [
        "{kind: upstream, target: x}",
        "{kind: key-vault}",
        "{kind: key-vault, url: ftp://a}",
        "{kind: key-vault, url: \"https://a\", budget: {requests: 0}}",
        "{kind: key-vault, url: \"https://a\", network: {path: public}}",
        "{kind: key-vault, url: \"https://a\", names: {separator: _}}",
        "{kind: key-vault, url: \"https://a\", cache: {max_bytes: 64MiB}}",
        "{kind: environment, url: \"https://a\"}",
        "{}",
    ] {
        assert!(!accepts(&format!("sources: {{a: {source}}}")), "{source}");
        assert!(parse(&format!("sources: {{a: {source}}}")).is_err(), "{source}");
    }
}

/// Every object of the schema, with where it is.
fn objects<'a>(at: &str, schema: &'a Json, found: &mut Vec<(String, &'a Map<String, Json>)>) {
    match schema {
        Json::Object(object) => {
            found.push((at.to_owned(), object));
            object.iter().for_each(|(key, value)| objects(&format!("{at}/{key}"), value, found));
        }
        Json::Array(items) => items.iter().for_each(|item| objects(at, item, found)),
        _ => {}
    }
}

/// Every property that can be written today, by name.
fn properties(schema: &Json) -> Vec<(String, Json)> {
    let mut all = Vec::new();
    objects("", schema, &mut all);
    let properties = all.iter().filter_map(|(_, object)| object.get("properties")?.as_object());
    let is_later =
        |schema: &Json| schema["description"].as_str().is_some_and(|doc| doc.ends_with("Not yet available."));
    properties
        .flatten()
        .filter(|(_, schema)| !is_later(schema))
        .map(|(key, schema)| (key.clone(), schema.clone()))
        .collect()
}

#[test]
fn every_key_is_described_and_defaults_are_those_of_the_rooms() {
    let schema = config::schema();
    for (key, property) in properties(&schema) {
        assert!(property["description"].as_str().is_some_and(|doc| !doc.is_empty()), "{key} has no description");
    }
    let cache = &schema["properties"]["cache"]["anyOf"][0]["properties"];
    assert_eq!(cache["fresh"]["default"], "5m");
    assert_eq!(cache["stale"]["default"], "1d");
    assert_eq!(cache["not_found"]["default"], "1m");
    assert_eq!(cache["max_bytes"]["default"], "64MiB");
}

#[test]
fn the_first_file_is_right_as_it_stands_and_with_every_setting_switched_on() {
    let first = parse(config::FIRST).unwrap();
    assert_eq!((first.config, first.warnings.is_empty()), (config::Config::default(), true));

    // In a folder that has the files it names.
    let all: String = config::FIRST.lines().map(|line| uncomment(line) + "\n").collect();
    let folder_of_data = folder("data/files");
    let place = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("connections.yaml", "connections.yaml"),
        ("variables.json", "variables.yaml"),
        ("ca.pem", "corp-ca.pem"),
        ("identity.pem", "identity.pem"),
        ("identity.pem", "valet.pem"),
        ("identity.pem", "valet.key"),
    ] {
        fs::copy(folder_of_data.join(from), place.path().join(to)).unwrap();
    }
    let loaded = config::parse(all.as_bytes(), place.path(), &super::env(), &config::OsFiles);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(place.path())));
    let warnings: Vec<_> = loaded.warnings.iter().map(|problem| (problem.path.as_str(), problem.severity)).collect();
    let expected = [
        "identities.secret.client_secret.env",
        "grants.documents.kind",
        "grants.batch.kind",
        "connections.wasb_raw.grant",
    ];
    assert_eq!(warnings, expected.map(|path| (path, Severity::Warning)));
    assert!(accepts(&all));

    for (key, _) in properties(&config::schema()) {
        assert!(config::FIRST.contains(&key), "{key} is not in the first file");
    }
    let defaults = config::Config::default();
    assert_eq!(loaded.config.listeners, defaults.listeners);
    assert_eq!((loaded.config.cache, loaded.config.audit), (defaults.cache, defaults.audit));
}

/// A setting that is commented out, switched on.
fn uncomment(line: &str) -> String {
    match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && (!setting.starts_with(' ') || setting.starts_with("  ")) => {
            setting.to_owned()
        }
        _ => line.to_owned(),
    }
}
