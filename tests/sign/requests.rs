//! The traps of canonicalising a request.

use crate::verifier::KEY;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use valet::sign::{AccountKey, AccountName, Request, Scheme, SharedKey, StorageService, spec};

const DATE: &str = "Wed, 02 Jan 2030 03:04:05 GMT";
const URL: &str = "https://contosolake7.blob.core.windows.net/landing/x.txt";

fn outcome(kind: &str, method: &str, url: &str, headers: &[(&str, &str)]) -> Result<String, String> {
    let headers: Vec<Value> = headers.iter().map(|(name, value)| json!([name, value])).collect();
    let input = json!({"account": "contosolake7", "key": KEY, "method": method, "url": url, "headers": headers});
    let signed = spec::sign(&json!({"kind": kind, "input": input}).to_string());
    signed.map(|signed| signed.signed.string_to_sign).map_err(|error| error.to_string())
}

/// What is signed of a dated GET.
fn of_url(url: &str) -> Result<String, String> {
    outcome("shared-key-blob", "GET", url, &[("x-ms-date", DATE)])
}

/// What is signed of a dated PUT with these headers too.
fn of_headers(headers: &[(&str, &str)]) -> Result<String, String> {
    let headers = [headers, &[("x-ms-date", DATE)]].concat();
    outcome("shared-key-blob", "PUT", URL, &headers)
}

fn assert_refused(outcome: &Result<String, String>, begins: &str) {
    assert!(outcome.as_ref().is_err_and(|said| said.starts_with(begins)), "{begins}: {outcome:?}");
}

#[test]
fn a_content_length_that_lies_or_is_unclear_is_refused() {
    for length in ["", "-1", "+1", "1.0", "0x10", "1 2", "007", "ten", "18446744073709551616"] {
        assert_refused(&of_headers(&[("Content-Length", length)]), "Content-Length is no length");
    }
    let chunked = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
    assert_refused(&of_headers(&chunked), "Content-Length and Transfer-Encoding exclude");
    assert_refused(&of_headers(&[("Content-Length", "5"), ("content-length", "6")]), "headers has the same name twice");
}

#[test]
fn a_length_of_zero_is_signed_as_nothing_since_2015_02_21() {
    let line = |version| {
        let signed = of_headers(&[("Content-Length", "0"), ("x-ms-version", version)]).unwrap();
        signed.lines().nth(3).unwrap().to_owned()
    };
    assert_eq!((line("2014-02-14").as_str(), line("2015-02-21").as_str(), line("2026-02-06").as_str()), ("0", "", ""));
    assert_eq!(of_headers(&[("Content-Length", "0")]), of_headers(&[]));
}

#[test]
fn a_header_without_a_value_is_signed_since_2016_05_31() {
    let signed = |version| of_headers(&[("x-ms-meta-a", ""), ("x-ms-version", version)]).unwrap();
    assert!(!signed("2015-12-11").contains("x-ms-meta-a"));
    assert!(signed("2016-05-31").contains("\nx-ms-meta-a:\n"));
    assert!(of_headers(&[("x-ms-meta-a", "")]).unwrap().contains("\nx-ms-meta-a:\n"));
}

#[test]
fn headers_that_are_read_in_more_than_one_way_are_refused() {
    assert_refused(&of_headers(&[("x-ms-meta-a", "1"), ("X-MS-Meta-A", "2")]), "headers has the same name twice");
    assert_refused(&of_headers(&[("x-ms-meta-a", "1\r\n 2")]), "headers has a value with a control character");
    assert_refused(&of_headers(&[("x-ms-meta-a:b", "1")]), "headers has a name");
    assert_refused(&of_headers(&[("", "1")]), "headers has a name");
    assert_refused(&of_headers(&[("x-ms-version", "newest")]), "x-ms-version is no date");
    let many: Vec<_> = (0..65).map(|at| format!("x-{at}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    assert_refused(&of_headers(&many), "headers has more than 64");
    assert_refused(&of_headers(&[("x-ms-meta-a", &"1".repeat(8192))]), "headers is longer than 8192");
    assert_eq!(
        of_headers(&[("X-Ms-Meta-A", " 1\t")]),
        of_headers(&[("x-ms-meta-a", "1")]),
        "case and outer space are no difference"
    );
}

#[test]
fn the_date_has_one_place_and_is_never_absent() {
    let get = |kind, headers: &[_]| outcome(kind, "GET", URL, headers);
    for kind in
        ["shared-key-blob", "shared-key-queue", "shared-key-table", "shared-key-lite-blob", "shared-key-lite-table"]
    {
        assert_refused(&get(kind, &[]), "x-ms-date is missing");
        assert_refused(&get(kind, &[("x-ms-date", "2030-01-02T03:04:05Z")]), "x-ms-date is no HTTP date");
        let both = get(kind, &[("x-ms-date", DATE), ("Date", "Wed, 02 Jan 2030 04:00:00 GMT")]).unwrap();
        assert_eq!((both.matches(DATE).count(), both.contains("04:00:00")), (1, false), "{kind}");
    }
    assert_refused(&get("batch-shared-key", &[]), "ocp-date is missing");
    assert_refused(&get("batch-shared-key", &[("ocp-date", DATE), ("Date", DATE)]), "ocp-date and Date exclude");
}

#[test]
fn batch_signs_the_length_of_every_write() {
    let length = |method, headers: &[_]| {
        let signed = outcome("batch-shared-key", method, URL, &[headers, &[("ocp-date", DATE)]].concat()).unwrap();
        signed.lines().nth(3).unwrap().to_owned()
    };
    assert_eq!((length("GET", &[]).as_str(), length("DELETE", &[]).as_str()), ("", "0"));
    assert_eq!(
        (length("POST", &[("Content-Length", "0")]), length("POST", &[("Content-Length", "5")])),
        ("0".into(), "5".into())
    );
}

#[test]
fn urls_that_clients_or_servers_would_rewrite_are_refused() {
    for (url, begins) in [
        ("/landing/x.txt", "url is not absolute"),
        ("ftp://h/x", "url is not absolute"),
        ("https:///x", "url has no plain host"),
        ("https://u:p@h/x", "url has no plain host"),
        ("https://h/a b", "url has a space"),
        ("https://h/ü", "url has a space, control or non-ASCII"),
        ("https://h/a#b", "url has a #"),
        ("https://h/a\\b", "url has a # or a backslash"),
        ("https://h/a/../b", "url has a segment"),
        ("https://h/a/%2e%2E/b", "url has a segment"),
        ("https://h/a/.%2e", "url has a segment"),
        ("https://h/a%2", "url has a % that is no escape"),
        ("https://h/a?b=%zz", "url has a % that is no escape"),
        ("https://h/a?b=%ff", "url has escapes that are not UTF-8"),
        ("https://h/a?b=c+d", "url has a + in its query"),
        ("https://h/a?prefix=x%0Acomp:acl", "url has a control character"),
        ("https://h/a?comp%3Aacl=", "url has a query parameter whose name"),
        ("https://h/a?=b", "url has a query parameter whose name"),
    ] {
        assert_refused(&of_url(url), begins);
    }
    assert_refused(
        &outcome("shared-key-table", "GET", "https://h/T?comp=a&comp=b", &[("x-ms-date", DATE)]),
        "url has comp twice",
    );
    assert_refused(&outcome("shared-key-blob", "GET /x", URL, &[("x-ms-date", DATE)]), "method is no HTTP method");
    assert_refused(&of_url(&format!("{URL}?{}", "a".repeat(8192))), "url is longer than 8192");
}

#[test]
fn the_query_is_decoded_sorted_and_joined() {
    let last = |url: &str| of_url(url).unwrap().split_once("/contosolake7/").unwrap().1.to_owned();
    assert_eq!(last("https://h/c?B=2&a=1&b=1&empty&&x=%C3%BC%2C"), "c\na:1\nb:1,2\nempty:\nx:ü,");
    assert_eq!(last("https://h/c?"), "c");
    assert_eq!(last("https://h?comp=list"), "\ncomp:list", "no path is the path /");
}

#[test]
fn a_secondary_endpoint_signs_like_the_primary_one() {
    let resource = |url| of_url(url).unwrap().lines().last().unwrap().to_owned();
    assert_eq!(resource("https://contosolake7-secondary.blob.core.windows.net/c/b"), "/contosolake7/c/b");
    assert_eq!(resource("http://127.0.0.1:10000/contosolake7-secondary/c"), "/contosolake7/contosolake7/c");
    assert_eq!(resource("http://127.0.0.1:10000/contosolake7-secondary"), "/contosolake7/contosolake7");
    let container = "https://contosolake7.blob.core.windows.net/contosolake7-secondary/b";
    assert_eq!(resource(container), "/contosolake7/contosolake7-secondary/b", "a container may have that name");
}

#[test]
fn a_request_that_is_signed_now_says_the_date_that_it_must_carry() {
    let account = AccountName::parse("contosolake7").unwrap();
    let signer = SharedKey { account, service: StorageService::Blob, scheme: Scheme::SharedKey };
    let key = AccountKey::parse(KEY).unwrap();
    let request = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Request::parse("GET", URL, &headers).unwrap()
    };
    let now = UNIX_EPOCH + Duration::from_secs(1_893_553_445);
    let (signed, date) = signer.sign_now(&key, request(&[("x-ms-version", "2022-11-02")]), now).unwrap();
    assert_eq!(date, DATE);
    let by_hand = signer.sign(&key, &request(&[("x-ms-version", "2022-11-02"), ("x-ms-date", DATE)])).unwrap();
    assert_eq!(signed, by_hand);
    let beside = signer.sign_now(&key, request(&[("Date", "Wed, 02 Jan 2030 01:00:00 GMT")]), now).unwrap();
    assert_eq!(beside, signer.sign_now(&key, request(&[]), now).unwrap(), "x-ms-date goes before Date");
    for date in ["Wed, 02 Jan 2030 02:49:05 GMT", "Wed, 02 Jan 2030 03:19:05 GMT"] {
        let (signed, said) = signer.sign_now(&key, request(&[("x-ms-date", date)]), now).unwrap();
        assert_eq!((said.as_str(), signed), (date, signer.sign(&key, &request(&[("x-ms-date", date)])).unwrap()));
    }
    for date in ["Wed, 02 Jan 2030 02:49:04 GMT", "Wed, 02 Jan 2030 03:19:06 GMT", ""] {
        assert!(signer.sign_now(&key, request(&[("x-ms-date", date)]), now).is_err(), "{date}");
    }
}

#[test]
fn what_decides_about_a_request_sees_what_is_signed() {
    let headers = [("X-Ms-Copy-Source".to_owned(), " https://other/c/b ".to_owned())];
    let request = Request::parse("put", "https://h/c/a%2Fb?Comp=tags&x", &headers).unwrap();
    let query = [("comp".to_owned(), "tags".to_owned()), ("x".to_owned(), String::new())];
    assert_eq!((request.method(), request.path(), request.query()), ("PUT", "/c/a%2Fb", &query[..]));
    assert_eq!((request.header("x-ms-copy-source"), request.header("range")), ("https://other/c/b", ""));
}

#[test]
fn a_spec_that_contradicts_its_kind_is_refused() {
    let input =
        json!({"account": "contosolake7", "key": KEY, "method": "GET", "url": URL, "headers": [["x-ms-date", DATE]]});
    for (field, value) in [("scheme", "SharedKeyLite"), ("service", "queue")] {
        let mut input = input.clone();
        input[field] = json!(value);
        assert!(spec::sign(&json!({"kind": "shared-key-blob", "input": input}).to_string()).is_err(), "{field}");
    }
    let cosmos = |date: &str, verb: &str| {
        let input =
            json!({"verb": verb, "resource_type": "docs", "resource_id": "dbs/D", "x_ms_date": date, "key": KEY});
        spec::sign(&json!({"kind": "cosmos-master-key", "input": input}).to_string()).map(drop)
    };
    assert_eq!(cosmos(DATE, "GET"), Ok(()));
    assert!(cosmos("today", "GET").is_err() && cosmos(DATE, "GET\n").is_err());
}
