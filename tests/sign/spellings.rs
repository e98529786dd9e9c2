//! Two ways to write the same grant are the same token; two grants never are.

use crate::verifier::{DELEGATION_VALUE, KEY};
use serde_json::{Value, json};
use valet::sign::{Signed, spec};

/// A user delegation SAS for a blob, with these fields put in.
fn delegated(patch: &Value) -> Signed {
    let mut input = json!({
        "account": "contosolake7", "resource": {"container": "landing", "blob": "in/x.csv"}, "permissions": "rw",
        "expiry": "2030-01-02T15:04:05Z", "service_version": "2026-10-06",
        "user_delegation_key": {
            "oid": "5f0a1c1e-8f1b-4c1a-9b62-0d3a4f3c1b01", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "start": "2030-01-02T00:00:00Z", "expiry": "2030-01-08T00:00:00Z",
            "service": "b", "version": "2026-04-06", "value": DELEGATION_VALUE,
        },
    });
    input.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    spec::sign(&json!({"kind": "udk-sas-blob", "input": input}).to_string()).unwrap().signed
}

#[test]
fn spellings_of_one_grant_are_one_token() {
    let headers = [json!(["a-first", "1"]), json!(["x-custom", "v w"])];
    let query = [json!(["comp", "list"]), json!(["timeout", "30"])];
    let backward = [json!(["timeout", "30"]), json!(["comp", "list"])];
    let same = [
        (json!({}), json!({"account": "contosolake7-secondary"})),
        (json!({}), json!({"permissions": "wr"})),
        (json!({}), json!({"resource": {"filesystem": "landing", "path": "in\\x.csv"}})),
        (json!({}), json!({"expiry": "2030-01-02T16:04:05.999+01:00"})),
        (json!({"request_headers": headers}), json!({"request_headers": [headers[1], headers[0]]})),
        (json!({"request_query": query}), json!({"request_query": backward})),
    ];
    for (one, other) in same {
        assert_eq!(delegated(&one), delegated(&other), "{one} {other}");
    }
}

#[test]
fn a_container_its_directory_and_its_blob_of_one_name_have_three_tokens() {
    let token = |resource: Value| delegated(&json!({"resource": resource})).token;
    let container = token(json!({"container": "landing"}));
    let root = token(json!({"container": "landing", "directory": "/"}));
    let directory = token(json!({"container": "landing", "directory": "raw"}));
    let blob = token(json!({"container": "landing", "blob": "raw"}));
    assert!(container != root && root != directory && directory != blob);
}

#[test]
fn a_key_with_white_space_around_it_is_the_same_key() {
    let sign = |key: &str| {
        let input = json!({
            "account": "contosolake7", "key": key, "resource": {"queue": "jobs-in"}, "permissions": "r",
            "expiry": "2030-01-02T15:04:05Z",
        });
        spec::sign(&json!({"kind": "service-sas-queue", "input": input}).to_string()).unwrap()
    };
    assert_eq!(sign(KEY), sign(&format!(" {KEY}\r\n")));
}
