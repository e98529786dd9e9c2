//! What must not be signed: each with the field that is named and what it says to do.

use crate::verifier::{DELEGATION_VALUE, KEY};
use serde_json::{Value, json};
use valet::sign::spec;

fn service(kind: &str, resource: &Value, permissions: &str) -> (String, Value) {
    let input = json!({
        "account": "contosolake7", "key": KEY, "resource": resource, "permissions": permissions,
        "expiry": "2030-01-02T15:04:05Z", "service_version": "2026-10-06",
    });
    (format!("service-sas-{kind}"), input)
}

fn blob() -> (String, Value) {
    service("blob", &json!({"container": "landing", "blob": "x"}), "r")
}

fn container() -> (String, Value) {
    service("blob", &json!({"container": "landing"}), "rl")
}

fn table() -> (String, Value) {
    service("table", &json!({"table": "Metrics"}), "r")
}

fn account() -> (String, Value) {
    let input = json!({
        "account": "contosolake7", "key": KEY, "services": "bq", "resource_types": "co", "permissions": "rl",
        "expiry": "2030-01-02T15:04:05Z", "service_version": "2026-10-06",
    });
    ("account-sas".to_owned(), input)
}

fn delegation() -> (String, Value) {
    let (_, mut input) = blob();
    input.as_object_mut().unwrap().remove("key");
    input["user_delegation_key"] = json!({
        "oid": "5f0a1c1e-8f1b-4c1a-9b62-0d3a4f3c1b01", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "start": "2030-01-02T00:00:00Z", "expiry": "2030-01-08T00:00:00Z",
        "service": "b", "version": "2026-04-06", "value": DELEGATION_VALUE,
    });
    ("udk-sas-blob".to_owned(), input)
}

fn service_bus() -> (String, Value) {
    let input = json!({"resource": "sb://ns.servicebus.windows.net/q", "policy": "p", "key": "0123456789abcdef", "expiry": 1_893_596_745});
    ("servicebus-sas".to_owned(), input)
}

/// The spec with the fields of the patch put in, `null` taking one out; dots go into objects.
fn patched((kind, mut input): (String, Value), patch: &Value) -> (String, Value) {
    for (path, value) in patch.as_object().unwrap() {
        let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
        let target = parents.split('.').filter(|part| !part.is_empty()).fold(&mut input, |at, part| &mut at[part]);
        if value.is_null() {
            target.as_object_mut().unwrap().remove(last);
        } else {
            target[last] = value.clone();
        }
    }
    (kind, input)
}

fn outcome((kind, input): &(String, Value)) -> Result<(), String> {
    spec::sign(&json!({"kind": kind, "input": input}).to_string()).map(drop).map_err(|error| error.to_string())
}

/// Asserts that the spec is good, and that with each patch it is refused with a message that begins so.
fn refuses(base: fn() -> (String, Value), cases: &[(Value, &str)]) {
    assert_eq!(outcome(&base()), Ok(()));
    for (patch, begins) in cases {
        let refused = outcome(&patched(base(), patch));
        assert!(refused.as_ref().is_err_and(|said| said.starts_with(begins)), "{patch}: {refused:?}");
    }
}

/// Asserts that the spec is good with each patch.
fn takes(base: fn() -> (String, Value), cases: &[Value]) {
    for patch in cases {
        assert_eq!(outcome(&patched(base(), patch)), Ok(()), "{patch}");
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    let keys = [
        (json!({"key": null}), "key is missing"),
        (json!({"key": ""}), "key is empty"),
        (json!({"key": " \n"}), "key is empty"),
        (json!({"key": "not base64!!"}), "key is not base64"),
        (json!({"key": &KEY[..87]}), "key is not base64"),
        (json!({"key": KEY.replace('+', "-")}), "key is not base64"),
        (json!({"key": "c2hvcnQ="}), "key is too short"),
        (json!({"key": "A".repeat(1028)}), "key is longer than"),
        (json!({"key": 5}), "key is no text"),
    ];
    refuses(blob, &keys);
    refuses(account, &keys);
    takes(blob, &[json!({"key": format!("{KEY}\n")})]);
    refuses(service_bus, &[(json!({"key": ""}), "key is empty"), (json!({"key": "abc"}), "key is too short")]);
}

#[test]
fn names_that_azure_refuses_are_refused() {
    let containers = ["ab", "-ab", "ab-", "a--b", "Landing", "a_b", "a.b", "landing/x", "", "$other", &"a".repeat(64)];
    for name in containers {
        refuses(container, &[(json!({"resource.container": name}), "container is no name")]);
    }
    takes(container, &["$root", "$web", "$logs", "abc", "a-1-b"].map(|name| json!({"resource.container": name})));
    let queue = || service("queue", &json!({"queue": "jobs-in"}), "r");
    refuses(queue, &[(json!({"resource.queue": "Jobs"}), "queue is no name")]);
    let share = || service("file", &json!({"share": "team"}), "r");
    refuses(
        share,
        &[
            (json!({"resource.share": "Team"}), "share is no name"),
            (json!({"resource.path": "a:b"}), "path has a character"),
            (json!({"resource.path": "a//b"}), "path has an empty segment"),
            (json!({"resource.path": "a/../b"}), "path has a segment"),
            (json!({"resource.path": "/"}), "path names no file"),
            (json!({"resource.path": "a".repeat(256)}), "path has a name of more than 255"),
        ],
    );
    for name in ["ab", "1ab", "a-b", "tables", "Tables", "", "$Other", &"a".repeat(64)] {
        refuses(table, &[(json!({"resource.table": name}), "table is no name")]);
    }
    takes(table, &[json!({"resource.table": "$MetricsHourPrimaryTransactionsBlob"})]);
    for name in ["ab", "Contoso", "a-b", "", "contoso.lake", &"a".repeat(25)] {
        refuses(blob, &[(json!({"account": name}), "account is no account name")]);
    }
    refuses(
        blob,
        &[
            (json!({"resource.blob": ""}), "blob is empty"),
            (json!({"resource.blob": "a/../b"}), "blob has a segment . or .."),
            (json!({"resource.blob": "a\\.\\b"}), "blob has a segment . or .."),
            (json!({"resource.blob": "a".repeat(1025)}), "blob is longer than 1024"),
            (json!({"resource.blob": "a/".repeat(254) + "a"}), "blob has more than 254 segments"),
        ],
    );
}

#[test]
fn a_resource_that_says_two_things_or_half_a_thing_is_refused() {
    refuses(
        blob,
        &[
            (json!({"resource.filesystem": "lake"}), "container and filesystem exclude"),
            (json!({"resource.path": "x"}), "blob and path exclude"),
            (json!({"resource.directory": "x"}), "directory and blob exclude"),
            (json!({"resource.directory_depth": 1}), "directory is missing"),
            (json!({"resource.container": null}), "container is missing"),
            (json!({"resource.blob": null, "resource.snapshot": "2026-11-22T10:11:12.1234567Z"}), "blob is missing"),
            (json!({"resource.snapshot": "yesterday"}), "snapshot is no time"),
            (
                json!({"resource.snapshot": "2026-11-22T10:11:12.1Z", "resource.version_id": "2026-11-22T10:11:12.1Z"}),
                "snapshot and version_id exclude",
            ),
            (json!({"resource.share": "team"}), "resource has share, which is not known"),
        ],
    );
    let directory = || service("blob", &json!({"container": "lake", "directory": "raw/2026"}), "rl");
    refuses(
        directory,
        &[
            (json!({"resource.directory_depth": 1}), "directory_depth is not the number"),
            (json!({"resource.directory_depth": -1}), "directory_depth is no whole number"),
            (json!({"resource.directory": "raw/.."}), "directory has a segment"),
            (json!({"resource.directory": "raw//2026"}), "directory has an empty segment"),
            (json!({"service_version": "2019-12-12"}), "directory needs service version 2020-02-10"),
        ],
    );
    takes(
        directory,
        &[
            json!({"resource.directory": "/raw/2026/", "resource.directory_depth": 2}),
            json!({"resource.directory": "/"}),
        ],
    );
    refuses(
        table,
        &[
            (json!({"resource.start_rk": "1"}), "start_pk is missing"),
            (json!({"resource.end_rk": "1"}), "end_pk is missing"),
            (json!({"resource.end_pk": ""}), "end_pk is empty"),
        ],
    );
}

#[test]
fn permissions_that_are_repeated_unknown_or_too_new_are_refused() {
    refuses(
        blob,
        &[
            (json!({"permissions": ""}), "permissions is missing: name at least one"),
            (json!({"permissions": "rr"}), "permissions has 'r' twice"),
            (json!({"permissions": "rl"}), "permissions has 'l', which a blob does not have"),
            (json!({"permissions": "rz"}), "permissions has 'z'"),
            (json!({"permissions": "R"}), "permissions has 'R'"),
            (json!({"permissions": "r\n"}), "permissions has '\\n'"),
        ],
    );
    let since = [
        ("x", "2019-10-10", "2019-07-07"),
        ("y", "2019-10-10", "2019-07-07"),
        ("t", "2019-12-12", "2019-10-10"),
        ("m", "2020-02-10", "2019-12-12"),
        ("i", "2020-08-04", "2020-06-12"),
        ("f", "2021-04-10", "2021-02-12"),
    ];
    for (letter, since, before) in since {
        takes(container, &[json!({"permissions": letter, "service_version": since})]);
        let refused = format!("permissions needs service version {since} or later, not {before}");
        refuses(container, &[(json!({"permissions": letter, "service_version": before}), &refused)]);
    }
    let others = [
        ("queue", json!({"queue": "jobs-in"}), "raup", "d"),
        ("table", json!({"table": "Metrics"}), "raud", "p"),
        ("file", json!({"share": "team"}), "rcwdl", "a"),
        ("file", json!({"share": "team", "path": "x"}), "rcwd", "l"),
    ];
    for (kind, resource, all, foreign) in others {
        assert_eq!(outcome(&service(kind, &resource, all)), Ok(()));
        assert!(outcome(&service(kind, &resource, foreign)).is_err(), "{kind} {foreign}");
    }
    refuses(
        account,
        &[
            (json!({"services": "bb"}), "services has 'b' twice"),
            (json!({"services": "x"}), "services has 'x'"),
            (json!({"services": ""}), "services is missing"),
            (json!({"resource_types": null}), "resource_types is missing"),
            (json!({"resource_types": "b"}), "resource_types has 'b'"),
            (json!({"permissions": "rm"}), "permissions has 'm'"),
            (
                json!({"permissions": "x", "service_version": "2018-03-28"}),
                "permissions needs service version 2019-10-10",
            ),
        ],
    );
}

#[test]
fn times_that_make_no_life_are_refused() {
    refuses(
        blob,
        &[
            (json!({"expiry": null}), "expiry is missing"),
            (json!({"expiry": "2030-01-02"}), "expiry is no time"),
            (json!({"expiry": "2030-02-30T00:00:00Z"}), "expiry is no time"),
            (json!({"expiry": "1969-12-31T23:59:59Z"}), "expiry is out of range"),
            (json!({"expiry": 1_893_596_745}), "expiry is no text"),
            (json!({"start": "2030-01-02T15:04:05Z"}), "expiry is not after start"),
            (json!({"start": "2030-01-02T15:04:05.9Z"}), "expiry is not after start"),
            (json!({"permissions": null}), "permissions is missing"),
        ],
    );
    takes(
        blob,
        &[
            json!({"identifier": "policy", "expiry": null, "permissions": null}),
            json!({"identifier": "policy", "permissions": null}),
            json!({"start": "2030-01-02T15:04:05+01:00"}),
        ],
    );
    refuses(
        account,
        &[(json!({"expiry": null}), "expiry is missing"), (json!({"identifier": "policy"}), "input has identifier")],
    );
    refuses(
        service_bus,
        &[
            (json!({"expiry": null}), "expiry is missing"),
            (json!({"expiry": "2030-01-02T15:04:05Z"}), "expiry is no whole number"),
            (json!({"expiry": u64::MAX}), "expiry is out of range"),
            (json!({"resource": "/orders"}), "resource is no URI"),
            (json!({"resource": "ftp://ns.servicebus.windows.net/q"}), "resource is no URI"),
            (json!({"resource": "sb://"}), "resource is no URI"),
            (json!({"policy": ""}), "policy is empty"),
        ],
    );
}

#[test]
fn what_the_version_or_the_kind_cannot_carry_is_refused_and_not_dropped() {
    refuses(
        blob,
        &[
            (json!({"service_version": "2015-02-21"}), "service_version is before 2015-04-05"),
            (json!({"service_version": "2026-10-07"}), "service_version is after 2026-10-06"),
            (json!({"service_version": "2026-13-06"}), "service_version is no date"),
            (json!({"service_version": "newest"}), "service_version is no date"),
            (
                json!({"encryption_scope": "s", "service_version": "2020-10-02"}),
                "encryption_scope needs service version 2020-12-06",
            ),
            (
                json!({"resource.version_id": "2026-11-22T10:11:12.1Z", "service_version": "2019-07-07"}),
                "version_id needs service version 2019-10-10",
            ),
            (json!({"permisions": "r"}), "input has permisions, which is not known there"),
            (json!({"correlation_id": "c2f1e7a4-3a77-4a33-9c11-2f0f9b6d5e44"}), "input has correlation_id"),
            (json!({"response_headers": {"content_typ": "x"}}), "response_headers has content_typ"),
            (json!({"response_headers": {"content_type": ""}}), "response_headers.content_type is empty"),
            (json!({"ip": ""}), "ip is no IPv4 address"),
            (json!({"ip": "203.0.113.0/24"}), "ip is no IPv4 address"),
            (json!({"ip": "203.0.113.9-203.0.113.1"}), "ip is no IPv4 address"),
            (json!({"ip": "2001:db8::1"}), "ip is no IPv4 address"),
            (json!({"protocol": "http"}), "protocol is neither"),
            (json!({"identifier": "x".repeat(65)}), "identifier is longer than 64"),
        ],
    );
    let queue = || service("queue", &json!({"queue": "jobs-in"}), "r");
    refuses(
        queue,
        &[
            (json!({"encryption_scope": "s"}), "encryption_scope is nothing that a token for queues can carry"),
            (json!({"response_headers": {"content_type": "x"}}), "response_headers is nothing that a token for queues"),
        ],
    );
    refuses(account, &[(json!({"encryption_scope": "s", "service_version": "2020-10-02"}), "encryption_scope needs")]);
}

#[test]
fn a_user_delegation_sas_stays_within_its_key_and_its_layout() {
    let oid = "0b7d9d53-1a53-4a4c-8d0e-7b52a4c8e9f1";
    refuses(
        delegation,
        &[
            (json!({"user_delegation_key": null}), "user_delegation_key is missing"),
            (json!({"user_delegation_key": DELEGATION_VALUE}), "user_delegation_key is no object"),
            (json!({"user_delegation_key.value": "c2hvcnQ="}), "user_delegation_key.value is too short"),
            (
                json!({"user_delegation_key.expiry": "2030-01-09T00:00:01Z"}),
                "the life of user_delegation_key is more than 168 hours",
            ),
            (json!({"user_delegation_key.expiry": "2030-01-01T00:00:00Z"}), "expiry is not after start"),
            (json!({"user_delegation_key.service": "q"}), "user_delegation_key.service is not the service"),
            (json!({"expiry": "2030-01-08T00:00:01Z"}), "expiry is outside the life of the user delegation key"),
            (json!({"expiry": "2030-01-01T00:00:00Z"}), "expiry is not after start"),
            (json!({"start": "2030-01-01T23:59:59Z"}), "start is outside the life of the user delegation key"),
            (json!({"expiry": null}), "expiry is missing"),
            (json!({"permissions": null}), "permissions is missing"),
            (json!({"identifier": "policy"}), "input has identifier"),
            (
                json!({"authorized_object_id": oid, "unauthorized_object_id": oid}),
                "authorized_object_id and unauthorized_object_id",
            ),
            (json!({"authorized_object_id": "me"}), "authorized_object_id is no GUID"),
            (
                json!({"correlation_id": oid, "service_version": "2019-12-12"}),
                "correlation_id needs service version 2020-02-10",
            ),
            (
                json!({"delegated_user_object_id": oid, "service_version": "2025-05-05"}),
                "delegated_user_object_id needs",
            ),
            (
                json!({"user_delegation_key.delegated_user_tid": oid, "service_version": "2025-05-05"}),
                "user_delegation_key.delegated_user_tid needs service version 2025-07-05",
            ),
            (json!({"request_headers": [["a", "b"]], "service_version": "2026-02-06"}), "request_headers needs"),
            (json!({"request_query": [["a", "b"], ["a", "c"]]}), "request_query names the same thing twice"),
            (json!({"request_headers": [["a:b", "c"]]}), "request_headers has a name that is none"),
            (json!({"request_headers": [["a", "b\nc:d"]]}), "request_headers has a control character"),
            (json!({"request_headers": {"a": "b"}}), "request_headers is no list of pairs"),
            (json!({"service_version": "2018-03-28"}), "service_version is before 2018-11-09"),
        ],
    );
    let queue = || {
        let resource = json!({"queue": "jobs-in"});
        let (_, input) = patched(delegation(), &json!({"resource": resource, "user_delegation_key.service": "q"}));
        ("udk-sas-queue".to_owned(), input)
    };
    refuses(
        queue,
        &[
            (json!({"service_version": "2025-05-05"}), "service_version is before 2025-07-05"),
            (
                json!({"authorized_object_id": oid}),
                "authorized_object_id is nothing that a user delegation SAS for other",
            ),
        ],
    );
}

#[test]
fn where_no_version_is_said_the_lowest_that_carries_what_is_asked_for_is_taken() {
    let version = |spec: (String, Value)| {
        let (kind, input) = patched(spec, &json!({"service_version": null}));
        let signed = spec::sign(&json!({"kind": kind, "input": input}).to_string()).unwrap();
        crate::vectors::parameters(&signed).remove("sv").unwrap()
    };
    let oid = "0b7d9d53-1a53-4a4c-8d0e-7b52a4c8e9f1";
    assert_eq!(version(blob()), "2022-11-02");
    assert_eq!(version(account()), "2022-11-02");
    assert_eq!(version(delegation()), "2022-11-02");
    assert_eq!(version(patched(delegation(), &json!({"delegated_user_object_id": oid}))), "2025-07-05");
    assert_eq!(version(patched(delegation(), &json!({"request_query": [["comp", "list"]]}))), "2026-04-06");
}

#[test]
fn a_spec_that_is_none_is_refused() {
    for (text, begins) in [
        ("", "spec the document ends too early"),
        ("[]", "spec is no object"),
        ("{}", "kind is missing"),
        (r#"{"kind": "service-sas-blob"}"#, "input is missing"),
        (r#"{"kind": "service-sas-blob", "kind": "account-sas", "input": {}}"#, "spec has a field twice"),
        (r#"{"kind": "must-refuse", "input": {}}"#, "kind is unknown"),
        (r#"{"kind": "account-sas", "input": {}, "extra": 1}"#, "spec has extra"),
    ] {
        let refused = spec::sign(text).map_err(|error| error.to_string());
        assert!(refused.as_ref().is_err_and(|said| said.starts_with(begins)), "{text}: {refused:?}");
    }
}
