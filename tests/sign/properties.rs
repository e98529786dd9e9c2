//! What holds for every grant, not only for the published ones.

use crate::{
    vectors::{self, parameters, spec_of},
    verifier::{Asked, DELEGATION_VALUE, KEY, accepts},
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{self, Index},
    test_runner::TestCaseError,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use valet::sign::spec;

/// The first and last version of each range of layouts, and one within.
const VERSIONS: [&str; 12] = [
    "2015-04-05",
    "2018-03-28",
    "2018-11-09",
    "2019-12-12",
    "2020-02-10",
    "2020-10-02",
    "2020-12-06",
    "2022-11-02",
    "2025-05-05",
    "2025-07-05",
    "2026-02-06",
    "2026-10-06",
];

/// A kind of resource: its service, how a spec names it, its canonical name and time, the letters that it has in every version in the service's
/// order, and the first version that can name it.
struct Granted {
    service: &'static str,
    resource: Value,
    canonical: String,
    time: &'static str,
    letters: &'static str,
    since: &'static str,
}

const TIME: &str = "2026-11-22T10:11:12.1234567Z";
const KINDS: usize = 10;

fn granted(which: usize, name: &str) -> Granted {
    let (first, below) = ("2015-04-05", &*format!("landing/{name}"));
    let keys = json!({"table": "Metrics", "start_pk": "a", "start_rk": "b", "end_pk": "c", "end_rk": "d"});
    let (service, resource, path, time, letters, since) = match which {
        0 => ("blob", json!({"container": "landing"}), "landing", "", "racwdl", first),
        1 => ("blob", json!({"container": "landing", "blob": name}), below, "", "racwd", first),
        2 => (
            "blob",
            json!({"container": "landing", "blob": name, "snapshot": TIME}),
            below,
            TIME,
            "racwd",
            "2018-11-09",
        ),
        3 => (
            "blob",
            json!({"container": "landing", "blob": name, "version_id": TIME}),
            below,
            TIME,
            "racwd",
            "2019-10-10",
        ),
        4 => (
            "blob",
            json!({"filesystem": "lake", "directory": "raw/2026"}),
            "lake/raw/2026",
            "",
            "racwdlmeop",
            "2020-02-10",
        ),
        5 => ("file", json!({"share": "team"}), "team", "", "rcwdl", first),
        6 => ("file", json!({"share": "team", "path": "in/a b.csv"}), "team/in/a b.csv", "", "rcwd", first),
        7 => ("queue", json!({"queue": "jobs-in"}), "jobs-in", "", "raup", first),
        8 => ("table", json!({"table": "Metrics"}), "metrics", "", "raud", first),
        _ => ("table", keys, "metrics", "", "raud", first),
    };
    let canonical = format!("/{service}/contosolake7/{path}");
    Granted { service, resource, canonical, time, letters, since }
}

fn delegation_key(service: &str, version: &str) -> Value {
    json!({
        "oid": "5f0a1c1e-8f1b-4c1a-9b62-0d3a4f3c1b01", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "start": "2030-01-02T00:00:00Z", "expiry": "2030-01-08T00:00:00Z",
        "service": &service[..1], "version": version, "value": DELEGATION_VALUE,
    })
}

/// Any name of a blob that is not resolved to another by its dots.
fn blob_name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 %+&=?#'\"äß漢😀~;,:@!$()*\\[\\]{}|^<>_-]{1,40}(/[a-z0-9 %+.ü]{1,20})?"
        .prop_filter("dots are for the refusals", |name| !name.split('/').any(|part| part == "." || part == ".."))
}

/// A text without control characters.
fn text() -> impl Strategy<Value = String> {
    "[\\PC]{1,30}"
}

fn insert(input: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        input[field] = value.into();
    }
}

fn token(kind: &str, input: &Value) -> Result<BTreeMap<String, String>, TestCaseError> {
    let signed = spec::sign(&json!({"kind": kind, "input": input}).to_string());
    signed.map(|signed| parameters(&signed)).map_err(|error| TestCaseError::fail(format!("{error}: {input}")))
}

proptest! {
    #[test]
    fn the_service_accepts_every_token_for_what_was_granted_and_for_nothing_else(
        which in 0..KINDS, name in blob_name(), version in sample::select(&VERSIONS[..]), delegated: bool,
        start: bool, ip: bool, protocol: bool, headers in option::of(text()), identifier in option::of(text()),
    ) {
        let Granted { service, resource, canonical, time, letters, since } = granted(which, &name);
        let oldest = match (delegated, service) {
            (false, _) => since,
            (true, "blob") => since.max("2018-11-09"),
            (true, _) => "2025-07-05",
        };
        let version = version.max(oldest);
        let carries_headers = matches!(service, "blob" | "file");
        let kind = format!("{}-sas-{service}", if delegated { "udk" } else { "service" });
        let mut input = json!({
            "account": "contosolake7", "resource": resource, "permissions": letters, "expiry": "2030-01-02T15:04:05Z",
            "service_version": version,
        });
        insert(&mut input, "start", start.then_some("2030-01-02T03:04:05Z"));
        insert(&mut input, "ip", ip.then_some("203.0.113.1-203.0.113.254"));
        insert(&mut input, "protocol", protocol.then_some("https"));
        insert(&mut input, "response_headers", headers.filter(|_| carries_headers).map(|text| json!({"content_type": text})));
        if delegated {
            input["user_delegation_key"] = delegation_key(service, version);
        } else {
            input["key"] = json!(KEY);
            insert(&mut input, "identifier", identifier);
        }
        let token = token(&kind, &input)?;
        let asked = Asked { resource: &canonical, time };
        prop_assert!(accepts(&kind, &token, &asked), "as granted");

        let elsewhere = format!("{canonical}x");
        let other = Asked { resource: &elsewhere, time };
        prop_assert!(!accepts(&kind, &token, &other), "another resource");
        let later = Asked { resource: &canonical, time: "2026-11-22T10:11:12.7654321Z" };
        prop_assert!(time.is_empty() || !accepts(&kind, &token, &later), "another snapshot");
        for name in token.keys().filter(|name| !matches!(name.as_str(), "sig" | "sr" | "sdd" | "tn")) {
            let mut tampered = token.clone();
            tampered.insert(name.clone(), format!("{}0", token[name]));
            prop_assert!(!accepts(&kind, &tampered, &asked), "another {}", name);
        }
    }

    #[test]
    fn permissions_are_signed_in_the_services_order_and_are_exactly_those_written(
        which in 0..KINDS, chosen in vec(any::<bool>(), 10), seed in any::<u64>(), delegated: bool,
    ) {
        let Granted { service, resource, letters, .. } = granted(which, "x");
        let canonical: String = letters.chars().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(letter, _)| letter).collect();
        prop_assume!(!canonical.is_empty());
        let mut written: Vec<char> = canonical.chars().collect();
        let turns = usize::try_from(seed % 7).unwrap();
        written.reverse();
        let length = written.len();
        written.rotate_left(turns % length);
        let mut input = json!({
            "account": "contosolake7", "key": KEY, "resource": resource, "permissions": written.iter().collect::<String>(),
            "expiry": "2030-01-02T15:04:05Z", "service_version": "2025-11-05",
        });
        let family = if delegated { "udk" } else { "service" };
        if delegated {
            input["user_delegation_key"] = delegation_key(service, "2025-11-05");
        }
        prop_assert_eq!(&token(&format!("{family}-sas-{service}"), &input)?["sp"], &canonical);
    }

    #[test]
    fn a_control_character_in_any_text_of_any_vector_is_refused(
        at in any::<Index>(), leaf in any::<Index>(), place in any::<Index>(),
        control in sample::select(vec!['\0', '\n', '\r', '\t', '\u{7f}', '\u{85}']),
    ) {
        let mut spec = spec_of(at.get(&vectors::all()));
        let texts: Vec<_> = leaves(&spec["input"], "/input").into_iter().filter(|path| spec.pointer(path).unwrap().is_string()).collect();
        let text = spec.pointer_mut(&texts[leaf.index(texts.len())]).unwrap();
        let mut characters: Vec<char> = text.as_str().unwrap().chars().collect();
        // White space around keys and header values is the one exception, so the character goes inside.
        prop_assume!(characters.len() >= 2);
        characters.insert(1 + place.index(characters.len() - 1), control);
        *text = characters.into_iter().collect::<String>().into();
        prop_assert!(spec::sign(&spec.to_string()).is_err(), "{spec}");
    }

    #[test]
    fn no_mutation_of_a_vector_makes_the_signer_panic_or_repeat_a_value(
        at in any::<Index>(), leaf in any::<Index>(), junk in sample::select(junk()),
    ) {
        let mut spec = spec_of(at.get(&vectors::all()));
        let leaves = leaves(&spec, "");
        *spec.pointer_mut(&leaves[leaf.index(leaves.len())]).unwrap() = junk;
        if let Err(error) = spec::sign(&spec.to_string()) {
            prop_assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn the_order_of_headers_and_of_parameters_changes_no_signature(
        headers in btree_map("x-ms-meta-[a-z_0-9-]{1,8}", "[a-z0-9 ]{0,8}", 1..8),
        query in btree_map("[a-z]{1,6}", "[a-z0-9]{0,6}", 1..6),
    ) {
        let header = |(name, value): (&String, &String)| json!([name, value]);
        let forward: Vec<_> = headers.iter().map(header).collect();
        let backward: Vec<_> = headers.iter().rev().map(header).collect();
        let join = |pairs: Vec<String>| pairs.join("&");
        let pair = |(name, value): (&String, &String)| format!("{name}={value}");
        let urls = [join(query.iter().map(pair).collect()), join(query.iter().rev().map(pair).collect())];
        let sign = |headers: &[Value], query: &str| {
            let mut headers = headers.to_vec();
            headers.push(json!(["x-ms-date", "Wed, 02 Jan 2030 03:04:05 GMT"]));
            let url = format!("https://contosolake7.blob.core.windows.net/landing?{query}");
            let input = json!({"account": "contosolake7", "key": KEY, "method": "GET", "url": url, "headers": headers});
            spec::sign(&json!({"kind": "shared-key-blob", "input": input}).to_string())
        };
        prop_assert_eq!(sign(&forward, &urls[0]).unwrap(), sign(&backward, &urls[1]).unwrap());
    }
}

/// What nobody expects.
fn junk() -> Vec<Value> {
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    let texts =
        ["", "CANARY CANARY", "%%CANARY\n", "https://CANARY/../%2e", "2030-01-02T15:04:05Z", "\u{0}"].map(Value::from);
    let others = [json!(null), json!(5), json!(-1), json!(1e300), json!(true), json!([]), json!({}), deep];
    let nested = [json!([["CANARY"]]), json!([["CANARY", "CANARY"]]), json!({"CANARY": "CANARY"})];
    texts.into_iter().chain(others).chain(nested).collect()
}

/// JSON pointers to all that holds nothing else.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, item)| leaves(item, &format!("{path}/{at}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, field)| leaves(field, &format!("{path}/{name}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}
