//! Data Lake Storage and Azure Files.

use crate::world::{assert_letters, assert_malformed, assert_outside, sign, whole};
use valet::mint::{
    ScopeConfig,
    StorageService::{Dfs, File},
};

const LENGTH: (&str, &str) = ("Content-Length", "5");
const NEW: (&str, &str) = ("If-None-Match", "*");

#[test]
fn each_operation_on_a_path_needs_its_letters() {
    let acquire = ("x-ms-lease-action", "acquire");
    assert_letters(
        |letters| whole(Dfs, letters),
        "racwdlmeop",
        &[
            ("GET /landing?resource=filesystem&recursive=true&directory=a&maxResults=10", &[], &["l"]),
            ("GET /landing/a/b", &[], &["r"]),
            ("HEAD /landing/a/b", &[], &["r"]),
            ("HEAD /landing/a/b?action=getStatus", &[], &["r", "e"]),
            ("HEAD /landing/a/b?action=getAccessControl&upn=false", &[], &["e"]),
            ("PUT /landing/a?resource=file", &[("x-ms-content-type", "text/csv")], &["w"]),
            ("PUT /landing/a?resource=file", &[NEW], &["w", "c"]),
            ("PUT /landing/a?resource=directory", &[NEW, ("x-ms-permissions", "rwx")], &["wp", "cp"]),
            ("PUT /landing/a?resource=directory", &[("x-ms-owner", "o"), ("x-ms-acl", "user::rwx")], &["wop"]),
            ("PATCH /landing/a?action=append&position=0", &[LENGTH], &["w"]),
            ("PATCH /landing/a?action=flush&position=5&close=true", &[], &["w"]),
            ("PATCH /landing/a?action=setProperties", &[("x-ms-properties", "a=MQ==")], &["w"]),
            ("PATCH /landing/a?action=setAccessControl", &[("x-ms-owner", "o")], &["o"]),
            ("PATCH /landing/a?action=setAccessControl", &[("x-ms-acl", "user::rwx")], &["p"]),
            ("PATCH /landing/a?action=setAccessControlRecursive&mode=set", &[("x-ms-acl", "user::rwx")], &["p"]),
            ("POST /landing/a", &[acquire, ("x-ms-lease-duration", "15")], &["w"]),
            ("POST /landing/a", &[("x-ms-lease-action", "break")], &["w", "d"]),
            ("DELETE /landing/a", &[], &["d"]),
            ("DELETE /landing/a?recursive=false", &[], &["d"]),
            ("DELETE /landing/a?recursive=true&continuation=x", &[], &["d"]),
        ],
    );
}

#[test]
fn a_file_system_itself_and_renames_are_not_signed() {
    let none = "no operation that a grant can allow";
    assert_outside(
        &whole(Dfs, "racwdlmeop"),
        &[
            ("PUT /landing?resource=filesystem", &[], none),
            ("DELETE /landing?resource=filesystem", &[], none),
            ("HEAD /landing?resource=filesystem", &[], none),
            ("PATCH /landing?resource=filesystem", &[], none),
            ("GET /?resource=account", &[], "something else"),
            ("DELETE /landing/?recursive=true", &[], none),
            ("PUT /landing/a", &[("x-ms-rename-source", "/other/secret")], none),
            ("PUT /landing/a?mode=legacy", &[("x-ms-rename-source", "/other/secret")], none),
            ("PUT /landing/a?resource=file", &[("x-ms-rename-source", "/other/x")], "is not signed with"),
            ("PUT /landing/a?resource=file", &[("x-ms-expiry-option", "Absolute")], "is not signed with"),
            ("HEAD /landing/a?action=checkAccess&fsAction=r--", &[], none),
            ("PUT /landing/a?action=append&position=0", &[LENGTH], none),
            ("DELETE /other/a", &[], "something else"),
        ],
    );
    assert_malformed(
        &whole(Dfs, "racwdlmeop"),
        &[
            ("DELETE /landing//?recursive=true", &[], "more than one way"),
            ("DELETE /landing/a//b", &[], "more than one way"),
            ("PATCH /landing/a?action=append&position=0", &[], "say its Content-Length"),
            ("PATCH /landing/a?action=flush&position=0", &[LENGTH], "has no body"),
        ],
    );
}

#[test]
fn a_path_grant_keeps_recursion_and_listings_inside() {
    let directory = ScopeConfig { directory: Some("raw".to_owned()), ..whole(Dfs, "racwdlmeop") };
    for request in [
        "GET /landing?resource=filesystem&recursive=true&directory=raw",
        "GET /landing?resource=filesystem&recursive=false&directory=raw/a",
        "DELETE /landing/raw?recursive=true",
    ] {
        assert!(sign(directory.clone(), request, &[]).is_ok(), "{request}");
    }
    let further = "would reach further than the grant";
    assert_outside(
        &directory,
        &[
            ("GET /landing?resource=filesystem&recursive=true", &[], further),
            ("GET /landing?resource=filesystem&recursive=true&directory=", &[], further),
            ("GET /landing?resource=filesystem&recursive=true&directory=rawer", &[], further),
            ("GET /landing?resource=filesystem&recursive=true&directory=raw,other", &[], further),
            ("GET /landing?resource=filesystem&recursive=true&directory=raw/..", &[], further),
            ("DELETE /landing/rawer", &[], further),
        ],
    );
    let one = ScopeConfig { blob: Some("raw/x".to_owned()), ..whole(Dfs, "racwdmeop") };
    assert!(sign(one.clone(), "DELETE /landing/raw/x", &[]).is_ok());
    let acl = [("x-ms-acl", "user::rwx")];
    assert_outside(
        &one,
        &[
            ("DELETE /landing/raw/x?recursive=true", &[], further),
            ("PATCH /landing/raw/x?action=setAccessControlRecursive&mode=set", &acl, further),
            ("GET /landing/raw/y", &[], further),
        ],
    );
}

#[test]
fn each_operation_on_a_share_needs_its_letters() {
    let create = [("x-ms-type", "file"), ("x-ms-content-length", "5"), ("x-ms-file-permission", "Inherit")];
    let write = [("x-ms-write", "update"), LENGTH, ("x-ms-range", "bytes=0-4")];
    assert_letters(
        |letters| whole(File, letters),
        "rcwdl",
        &[
            ("GET /landing?restype=directory&comp=list", &[], &["l"]),
            ("GET /landing/a?restype=directory&comp=list&include=timestamps", &[], &["l"]),
            ("GET /landing/a?restype=directory", &[], &["r"]),
            ("PUT /landing/a?restype=directory", &[("x-ms-file-attributes", "none")], &["c", "w"]),
            ("PUT /landing/a?restype=directory&comp=metadata", &[("x-ms-meta-a", "1")], &["w"]),
            ("DELETE /landing/a?restype=directory", &[], &["d"]),
            ("GET /landing/a/x.txt", &[("x-ms-range", "bytes=0-9")], &["r"]),
            ("HEAD /landing/a/x.txt", &[("x-ms-allow-trailing-dot", "true")], &["r"]),
            ("GET /landing/x?comp=metadata", &[], &["r"]),
            ("GET /landing/x?comp=rangelist", &[], &["r"]),
            ("PUT /landing/x", &create, &["w"]),
            ("PUT /landing/x?comp=range", &write, &["w"]),
            ("PUT /landing/x?comp=range", &[("x-ms-write", "clear"), ("x-ms-range", "bytes=0-4")], &["w"]),
            ("PUT /landing/x?comp=properties", &[("x-ms-file-permission", "preserve")], &["w"]),
            ("PUT /landing/x?comp=metadata", &[("x-ms-meta-a", "1")], &["w"]),
            ("DELETE /landing/x", &[], &["d"]),
        ],
    );
}

#[test]
fn a_share_itself_copies_and_descriptors_are_not_signed() {
    let none = "no operation that a grant can allow";
    let create = ("x-ms-type", "file");
    assert_outside(
        &whole(File, "rcwdl"),
        &[
            ("GET /?comp=list", &[], "something else"),
            ("PUT /landing?restype=share", &[], none),
            ("DELETE /landing?restype=share", &[], none),
            ("GET /landing?restype=share&comp=acl", &[], none),
            ("PUT /landing?restype=share&comp=filepermission", &[LENGTH], none),
            ("DELETE /landing?restype=directory", &[], none),
            ("GET /landing/x?sharesnapshot=2026-11-22T10:11:12.1234567Z", &[], none),
            ("PUT /landing/x?comp=lease", &[("x-ms-lease-action", "break")], none),
            ("PUT /landing/x?comp=forceclosehandles", &[("x-ms-handle-id", "*")], none),
            ("PUT /landing/x", &[("x-ms-copy-source", "https://h/other/x")], none),
            ("PUT /landing/x?comp=rename", &[("x-ms-file-rename-source", "https://h/other/x")], none),
            ("PUT /landing/x", &[create, ("x-ms-file-permission", "O:SYG:SYD:")], "is not signed with"),
            ("PUT /landing/x", &[create, ("x-ms-file-permission-key", "1")], "is not signed with"),
            ("HEAD /landing/x", &[("x-ms-file-request-intent", "backup")], "is not signed with"),
        ],
    );
    let one = ScopeConfig { path: Some("in/a.csv".to_owned()), ..whole(File, "rcwd") };
    assert!(sign(one.clone(), "GET /landing/in/a.csv", &[]).is_ok());
    assert_outside(&one, &[("GET /landing/in/b.csv", &[], "would reach further")]);
    assert_malformed(
        &one,
        &[("GET /landing/in/a.csv.", &[], "no dot at the end"), ("GET /landing/in/", &[], "single slashes")],
    );
}
