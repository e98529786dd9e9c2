//! Blob Storage.

use crate::world::{assert_letters, assert_malformed, assert_outside, sign, whole};
use valet::mint::{RequestRefusal, ScopeConfig, StorageService::Blob};

const ALL: &str = "racwdxyltfmeopi";
const LENGTH: (&str, &str) = ("Content-Length", "5");
const BLOCK: (&str, &str) = ("x-ms-blob-type", "BlockBlob");
const NEW: (&str, &str) = ("If-None-Match", "*");

fn container(letters: &str) -> ScopeConfig {
    whole(Blob, letters)
}

#[test]
fn each_operation_needs_the_letters_that_a_service_sas_would_need() {
    let range = [("Content-Length", "512"), ("x-ms-range", "bytes=512-1023"), ("x-ms-page-write", "update")];
    assert_letters(
        container,
        ALL,
        &[
            ("GET /landing/x", &[("x-ms-range", "bytes=0-9")], &["r"]),
            ("HEAD /landing/a/b%20c", &[], &["r"]),
            ("GET /landing/x?snapshot=2026-11-22T10:11:12.1234567Z", &[], &["r"]),
            ("GET /landing/x?comp=metadata", &[], &["r"]),
            ("GET /landing/x?comp=blocklist&blocklisttype=all", &[], &["r"]),
            ("GET /landing/x?comp=pagelist", &[], &["r"]),
            ("POST /landing/x?comp=query", &[LENGTH], &["r"]),
            ("GET /landing/x?comp=tags", &[], &["t"]),
            ("PUT /landing/x?comp=tags", &[LENGTH], &["t"]),
            ("GET /landing?restype=container&comp=list&prefix=a%2Fb,c&timeout=30", &[], &["l"]),
            ("GET /landing/?comp=list&restype=container&include=snapshots,metadata", &[], &["l"]),
            ("GET /landing?restype=container&comp=list&include=metadata,tags", &[], &["lt"]),
            ("GET /landing?restype=container&comp=blobs&where=a%3D'1'", &[], &["f"]),
            ("PUT /landing/x", &[BLOCK, LENGTH, ("x-ms-meta-a", "1"), ("x-ms-blob-content-type", "text/csv")], &["w"]),
            ("PUT /landing/x", &[BLOCK, LENGTH, NEW], &["w", "c"]),
            ("PUT /landing/x", &[BLOCK, LENGTH, ("If-None-Match", "\"0x1\"")], &["w"]),
            ("PUT /landing/x", &[BLOCK, LENGTH, ("x-ms-tags", "a=1")], &["wt"]),
            ("PUT /landing/x", &[BLOCK, LENGTH, NEW, ("x-ms-legal-hold", "true")], &["wi", "ci"]),
            ("PUT /landing/x", &[("x-ms-blob-type", "AppendBlob"), NEW], &["w", "c"]),
            ("PUT /landing/x", &[("x-ms-blob-type", "PageBlob"), ("x-ms-blob-content-length", "512")], &["w"]),
            ("PUT /landing/x?comp=block&blockid=MQ%3D%3D", &[LENGTH], &["w"]),
            ("PUT /landing/x?comp=blocklist", &[LENGTH, NEW], &["w"]),
            ("PUT /landing/x?comp=appendblock", &[LENGTH], &["a", "w"]),
            ("PUT /landing/x?comp=page", &range, &["w"]),
            ("PUT /landing/x?comp=page", &[("Range", "bytes=0-511"), ("x-ms-page-write", "clear")], &["w"]),
            ("PUT /landing/x?comp=metadata", &[("x-ms-meta-a", "1")], &["w"]),
            ("PUT /landing/x?comp=properties", &[("x-ms-blob-content-type", "a/b")], &["w"]),
            ("PUT /landing/x?comp=tier", &[("x-ms-access-tier", "Cool")], &["w"]),
            ("PUT /landing/x?comp=snapshot", &[], &["c", "w"]),
            ("PUT /landing/x?comp=undelete", &[], &["w"]),
            ("PUT /landing/x?comp=copy&copyid=1", &[("x-ms-copy-action", "abort")], &["w"]),
            ("PUT /landing/x?comp=lease", &[("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "15")], &["w"]),
            ("PUT /landing/x?comp=lease", &[("x-ms-lease-action", "renew")], &["w"]),
            ("PUT /landing/x?comp=lease", &[("x-ms-lease-action", "break")], &["w", "d"]),
            ("DELETE /landing/x", &[("x-ms-delete-snapshots", "include")], &["d"]),
            ("DELETE /landing/x?snapshot=2026-11-22T10:11:12.1234567Z", &[], &["d"]),
            ("DELETE /landing/x?versionid=2026-11-22T10:11:12.1234567Z", &[], &["x"]),
            ("DELETE /landing/x?versionid=2026-11-22T10:11:12.1234567Z&deletetype=permanent", &[], &["y"]),
            ("DELETE /landing/x?snapshot=2026-11-22T10:11:12.1234567Z&deletetype=Permanent", &[], &["y"]),
            ("PUT /landing/x?comp=immutabilityPolicies", &[("x-ms-immutability-policy-mode", "unlocked")], &["i"]),
            ("DELETE /landing/x?comp=immutabilityPolicies", &[], &["i"]),
            ("PUT /landing/x?comp=legalhold", &[("x-ms-legal-hold", "true")], &["i"]),
            ("HEAD /landing/x", &[("x-ms-if-tags", "a='1'")], &["rt"]),
        ],
    );
}

#[test]
fn what_no_service_sas_can_do_is_not_signed_under_any_letters() {
    let none = "no operation that a grant can allow";
    let from = ("x-ms-copy-source", "https://contosolake7.blob.core.windows.net/other/secret");
    assert_outside(
        &container(ALL),
        &[
            ("GET /?comp=list", &[], "something else"),
            ("GET /?restype=service&comp=properties", &[], "something else"),
            ("POST /?restype=service&comp=userdelegationkey", &[LENGTH], "something else"),
            ("PUT /landing?restype=container", &[], none),
            ("DELETE /landing?restype=container", &[], none),
            ("GET /landing?restype=container", &[], none),
            ("HEAD /landing?restype=container&comp=metadata", &[], none),
            ("GET /landing?restype=container&comp=acl", &[], none),
            ("PUT /landing?restype=container&comp=acl", &[("x-ms-blob-public-access", "blob")], none),
            ("PUT /landing?restype=container&comp=lease", &[("x-ms-lease-action", "acquire")], none),
            ("POST /landing?restype=container&comp=batch", &[LENGTH], none),
            ("GET /landing?restype=account&comp=properties", &[], none),
            ("GET /landing", &[], none),
            ("PUT /landing", &[BLOCK, LENGTH], none),
            ("GET /landing?restype=container&comp=list&include=permissions", &[], none),
            ("GET /landing?restype=container&comp=list&sv=2022-11-02&sig=x", &[], none),
            ("PUT /landing/x", &[from], none),
            ("PUT /landing/x", &[BLOCK, LENGTH, from], "Put Blob is not signed with x-ms-copy-source"),
            ("PUT /landing/x?comp=block&blockid=MQ%3D%3D", &[LENGTH, from], "Put Block is not signed with"),
            ("PUT /landing/x?comp=appendblock", &[LENGTH, from], "Append Block is not signed with"),
            ("PUT /landing/x", &[BLOCK, LENGTH, ("x-ms-encryption-scope", "s")], "is not signed with"),
            ("PUT /landing/x", &[BLOCK, LENGTH, ("x-ms-source-if-match", "1")], "is not signed with"),
            ("PUT /landing/x", &[("x-ms-rename-source", "/other/x")], none),
            ("PUT /landing/x", &[("x-ms-blob-type", "blockblob"), LENGTH], none),
            ("PUT /landing/x?comp=expiry", &[("x-ms-expiry-option", "Never")], none),
            ("PUT /landing/x?comp=undelete", &[("x-ms-undelete-source", "other")], "is not signed with"),
            ("PUT /landing/x?comp=lease", &[("x-ms-lease-action", "steal")], none),
            ("DELETE /landing/x?deletetype=permanent", &[], none),
            ("DELETE /landing/x?versionid=", &[], none),
            ("DELETE /landing/x?recursive=true", &[], none),
            ("GET /landing/x?comp=", &[], none),
            ("GET /landing/x?comp=METADATA", &[], none),
            ("GET /landing/x?unknown=1", &[], none),
            ("POST /landing/x", &[LENGTH], none),
            ("OPTIONS /landing/x", &[], none),
            ("PATCH /landing/x?action=flush&position=1", &[], none),
        ],
    );
}

#[test]
fn a_grant_of_one_blob_opens_nothing_beside_it() {
    let scope = ScopeConfig { blob: Some("in/a b.csv".to_owned()), ..container("racwdxytmeopi") };
    for request in ["GET /landing/in/a%20b.csv", "HEAD /landing/in%2Fa%20b.csv", "DELETE /landing/in/a%20b.csv"] {
        assert!(sign(scope.clone(), request, &[]).is_ok(), "{request}");
    }
    let further = "would reach further than the grant";
    assert_outside(
        &scope,
        &[
            ("GET /landing/in/a%20b.csv2", &[], further),
            ("GET /landing/in/a%20b.csv/", &[], further),
            ("GET /landing/in//a%20b.csv", &[], further),
            ("GET /landing/in/A%20b.csv", &[], further),
            ("GET /landing/in/a%2520b.csv", &[], further),
            ("GET /landing/in/a%20b.csv?snapshot=2026-11-22T10:11:12.1234567Z", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=in/a%20b.csv", &[], further),
            ("GET /landing?restype=container&comp=blobs&where=a%3D'1'", &[], further),
        ],
    );
}

#[test]
fn a_grant_of_a_directory_opens_it_and_what_is_below() {
    let scope = ScopeConfig { directory: Some("raw/2026".to_owned()), ..container("racwdlmeop") };
    for request in [
        "GET /landing/raw/2026/x",
        "GET /landing/raw%2F2026%2Fx",
        "HEAD /landing/raw/2026",
        "DELETE /landing/raw/2026/a/b",
        "GET /landing?restype=container&comp=list&prefix=raw/2026/",
        "GET /landing?restype=container&comp=list&prefix=raw%2F2026%2Fa&delimiter=/",
    ] {
        assert!(sign(scope.clone(), request, &[]).is_ok(), "{request}");
    }
    let further = "would reach further than the grant";
    assert_outside(
        &scope,
        &[
            ("GET /landing/raw/2026x", &[], further),
            ("GET /landing/raw", &[], further),
            ("GET /landing//raw/2026/x", &[], further),
            ("GET /landing/raw%252F2026/x", &[], further),
            ("GET /landing?restype=container&comp=list", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=raw/2026", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=raw/2026x/", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=raw/2026/,secret/", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=raw/2026/../x", &[], further),
            ("GET /landing?restype=container&comp=list&prefix=raw/2026/%5Cx", &[], further),
        ],
    );
    let root = ScopeConfig { directory: Some("/".to_owned()), ..container("rl") };
    assert!(sign(root, "GET /landing?restype=container&comp=list", &[]).is_ok());
}

#[test]
fn a_length_that_contradicts_the_operation_is_malformed() {
    let update = ("x-ms-page-write", "update");
    assert_malformed(
        &container(ALL),
        &[
            ("GET /landing/x", &[LENGTH], "Get Blob has no body"),
            ("HEAD /landing/x", &[LENGTH], "has no body"),
            ("DELETE /landing/x", &[LENGTH], "Delete Blob has no body"),
            ("PUT /landing/x?comp=metadata", &[LENGTH], "has no body"),
            ("PUT /landing/x", &[("x-ms-blob-type", "PageBlob"), LENGTH], "has no body"),
            ("PUT /landing/x", &[("x-ms-blob-type", "AppendBlob"), LENGTH], "has no body"),
            ("PUT /landing/x", &[BLOCK], "say its Content-Length"),
            ("PUT /landing/x?comp=blocklist", &[], "say its Content-Length"),
            ("PUT /landing/x?comp=page", &[update, LENGTH, ("Range", "bytes=0-511")], "not that of its range"),
            ("PUT /landing/x?comp=page", &[update, LENGTH, ("Range", "bytes=9-4")], "not that of its range"),
            ("PUT /landing/x?comp=page", &[update, LENGTH], "not that of its range"),
            ("PUT /landing/x?comp=page", &[("x-ms-page-write", "clear"), LENGTH], "has no body"),
        ],
    );
    for length in ["0", "5"] {
        assert!(sign(container("w"), "PUT /landing/x", &[BLOCK, ("Content-Length", length)]).is_ok());
    }
    assert!(sign(container("r"), "GET /landing/x", &[("Content-Length", "0")]).is_ok());
}

#[test]
fn a_refusal_says_what_the_grant_allows() {
    let scope = ScopeConfig { directory: Some("raw".to_owned()), ..container("rl") };
    let said = |request| match sign(scope.clone(), request, &[]) {
        Err(RequestRefusal::Outside(said)) => said,
        other => panic!("{other:?}"),
    };
    let allows = r#"the grant allows "rl" on directory "raw" of container landing, service blob"#;
    assert_eq!(said("DELETE /landing/raw/x"), format!("Delete Blob needs permission d: {allows}"));
    assert_eq!(said("GET /other/raw/x"), format!("the URL names something else of the account: {allows}"));
    assert_eq!(said("PUT /landing/raw/x?comp=snapshot"), format!("Snapshot Blob needs permission c or w: {allows}"));
}
