//! What holds for every request: more letters never sign less, and nothing is signed that is not in the container.

use crate::world::{account, sign_at, whole};
use percent_encoding::percent_decode_str;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    string::string_regex,
};
use valet::mint::{ScopeConfig, StorageService};

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MERGE"];
const PARAMETERS: [&str; 16] = [
    "comp=list",
    "comp=metadata",
    "comp=tags",
    "comp=block",
    "comp=lease",
    "comp=acl",
    "comp=appendblock",
    "restype=container",
    "restype=directory",
    "blockid=MQ%3D%3D",
    "resource=file",
    "resource=filesystem",
    "recursive=true",
    "action=append&position=0",
    "peekonly=true",
    "popreceipt=x&visibilitytimeout=0",
];
const HEADERS: [(&str, &str); 9] = [
    ("Content-Length", "5"),
    ("If-None-Match", "*"),
    ("x-ms-blob-type", "BlockBlob"),
    ("x-ms-tags", "a=1"),
    ("x-ms-lease-action", "break"),
    ("x-ms-type", "file"),
    ("x-ms-owner", "o"),
    ("x-ms-acl", "a"),
    ("x-ms-copy-source", "https://h/c/b"),
];
const PIECES: [&str; 25] = [
    "landing",
    "Landing",
    "other",
    "Metrics",
    "metrics",
    "messages",
    "x",
    "raw",
    "/",
    "//",
    "%2F",
    "%2f",
    "%5C",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "%252e",
    "()",
    "(PartitionKey='a',RowKey='b')",
    "contosolake7",
    "%20",
    "$root",
    "-secondary",
    "..%2F..%2F",
];

fn letters(service: StorageService) -> &'static str {
    match service {
        StorageService::Blob => "racwdxyltfmeopi",
        StorageService::Dfs => "racwdlmeop",
        StorageService::File => "rcwdl",
        StorageService::Queue => "raup",
        StorageService::Table => "raud",
    }
}

type Headers = &'static [(&'static str, &'static str)];

/// Requests that some grant of everything signs: method, path, query, headers.
const INSIDE: [(&str, &str, &str, Headers); 12] = [
    ("GET", "/landing/x", "", &[]),
    ("HEAD", "/landing/raw/x", "", &[]),
    ("DELETE", "/landing/raw/x", "", &[]),
    ("GET", "/landing", "restype=container&comp=list&prefix=raw/", &[]),
    ("PUT", "/landing/raw/x", "", &[("x-ms-blob-type", "BlockBlob"), ("Content-Length", "5")]),
    ("PUT", "/landing/raw", "resource=directory", &[]),
    ("DELETE", "/landing/raw", "recursive=true", &[]),
    ("PUT", "/landing/raw", "restype=directory", &[]),
    ("GET", "/landing/messages", "peekonly=true", &[]),
    ("DELETE", "/landing/messages/1", "popreceipt=x", &[]),
    ("GET", "/Metrics()", "", &[]),
    ("DELETE", "/Metrics(PartitionKey='a',RowKey='b')", "", &[]),
];

type Asked = (&'static str, String, Vec<(&'static str, &'static str)>);

/// A request that would be signed, or nearly so.
fn nearly() -> impl Strategy<Value = Asked> {
    let pieces = vec((select(&PIECES[..]), any::<Index>()), 0..3);
    (select(&INSIDE[..]), pieces, vec(select(&HEADERS[..]), 0..2)).prop_map(
        |((method, path, query, headers), pieces, more)| {
            let mut path = path.to_owned();
            for (piece, at) in pieces {
                path.insert_str(at.index(path.len() + 1), piece);
            }
            (method, format!("{path}?{query}"), [headers, &more].concat())
        },
    )
}

/// A request of any parts.
fn anything() -> impl Strategy<Value = Asked> {
    let of_pieces = vec(select(&PIECES[..]), 1..6).prop_map(|pieces| format!("/{}", pieces.concat()));
    let path = prop_oneof![of_pieces, string_regex("/[ -~]{0,20}").unwrap()];
    let query = vec(select(&PARAMETERS[..]), 0..3).prop_map(|query| query.join("&"));
    (select(&METHODS[..]), path, query, vec(select(&HEADERS[..]), 0..4))
        .prop_map(|(method, path, query, headers)| (method, format!("{path}?{query}"), headers))
}

fn request() -> impl Strategy<Value = Asked> {
    prop_oneof![3 => nearly(), 1 => anything()]
}

/// Which letters of all the bits choose, at least one.
fn chosen(all: &str, bits: u16) -> String {
    let some: String =
        all.chars().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, letter)| letter).collect();
    if some.is_empty() { all[..1].to_owned() } else { some }
}

/// A path's segments as the most willing reader sees them: decoded before it is split, backslashes taken for slashes, empty segments left out,
/// dots resolved.
fn resolved(path: &str) -> Vec<String> {
    let text = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let mut segments: Vec<String> = Vec::new();
    for segment in text.split('/').filter(|segment| !segment.is_empty()) {
        match segment.trim_end_matches(['.', ' ']) {
            "" if segment.starts_with("..") => drop(segments.pop()),
            "" => (),
            _ => segments.push(segment.to_owned()),
        }
    }
    segments
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn more_letters_never_sign_less(
        service in select(&StorageService::ALL[..]), (method, path, headers) in request(), few: u16, more: u16,
    ) {
        let account = account(&[]);
        let url = format!("{method} https://contosolake7.{}.core.windows.net{path}", service.as_str());
        let sign = |bits| sign_at(&account, whole(service, &chosen(letters(service), bits)), &url, &headers);
        if let Ok(signed) = sign(few | 1) {
            let wider = sign(few | 1 | more);
            prop_assert!(wider.is_ok_and(|wider| wider.authorization == signed.authorization), "{url} {headers:?}");
        }
    }

    #[test]
    fn nothing_is_signed_that_is_not_in_the_container_however_it_is_spelt(
        service in select(&StorageService::ALL[..]), (method, path, headers) in request(),
        path_style: bool, directory: bool,
    ) {
        let endpoint = if path_style {
            "http://127.0.0.1:10000/contosolake7".to_owned()
        } else {
            format!("https://contosolake7.{}.core.windows.net", service.as_str())
        };
        let account = account(&[(service, &endpoint)]);
        let mut scope = whole(service, letters(service));
        let directory = directory && matches!(service, StorageService::Blob | StorageService::Dfs);
        if directory {
            scope = ScopeConfig { directory: Some("raw".to_owned()), permissions: Some("racwdlmeop".to_owned()), ..scope };
        }
        if sign_at(&account, scope, &format!("{method} {endpoint}{path}"), &headers).is_ok() {
            let read = resolved(path.split('?').next().unwrap());
            let first = read.first().map_or("", String::as_str);
            let table = service == StorageService::Table && first.to_ascii_lowercase().starts_with("metrics");
            prop_assert!(table || first == "landing", "{path}");
            let listing = read.len() == 1;
            prop_assert!(!directory || listing || read[1] == "raw", "{path}");
        }
    }
}
