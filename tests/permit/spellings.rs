//! Requests that look as if they were inside the grant.

use crate::world::{account, assert_malformed, assert_outside, sign, sign_at, whole};
use valet::mint::{
    AccountConfig, RequestRefusal,
    StorageService::{Blob, Queue},
};

#[test]
fn a_container_is_named_in_one_way_only() {
    let elsewhere = "something else of the account";
    assert_outside(
        &whole(Blob, "racwdl"),
        &[
            ("GET /other/x", &[], elsewhere),
            ("GET /Landing/x", &[], elsewhere),
            ("GET /landing%2Fother/x", &[], elsewhere),
            ("GET /landing%2fx", &[], elsewhere),
            ("GET /landing%20/x", &[], elsewhere),
            ("GET /landing./x", &[], elsewhere),
            ("GET /landing%252Fx/y", &[], elsewhere),
            ("GET //landing/x", &[], elsewhere),
            ("GET /%2Flanding/x", &[], elsewhere),
            ("GET /contosolake7/landing/x", &[], elsewhere),
            ("GET /$root/landing/x", &[], elsewhere),
            ("GET /contosolake7-secondary/landing/x", &[], elsewhere),
        ],
    );
    assert!(sign(whole(Blob, "r"), "GET /l%61nding/x", &[]).is_ok(), "the service decodes it likewise");
    assert!(sign(whole(Blob, "r"), "GET /landing//x", &[]).is_ok(), "a blob's name may begin with a slash");
}

#[test]
fn what_is_resolved_to_another_path_is_malformed() {
    assert_malformed(
        &whole(Blob, "racwdl"),
        &[
            ("GET /landing/../other/x", &[], "segment . or .."),
            ("GET /landing/%2e%2e/other/x", &[], "segment . or .."),
            ("GET /landing/.%2E/other/x", &[], "segment . or .."),
            ("GET /landing/a%2F..%2F..%2Fother/x", &[], "segment of dots"),
            ("GET /landing/..%2Fother/x", &[], "segment of dots"),
            ("GET /landing/..%5Cother/x", &[], "backslash"),
            ("GET /landing%5C..%5Cother/x", &[], "backslash"),
            ("GET /landing\\..\\other/x", &[], "backslash"),
            ("GET /landing/.../x", &[], "segment of dots"),
            ("GET /landing/..%20/x", &[], "segment of dots"),
            ("DELETE /landing//", &[], "single slashes"),
            ("GET /landing/x%00", &[], "control character"),
            ("GET /landing/%ff", &[], "not UTF-8"),
            ("GET /landing/x#y", &[], "has a #"),
        ],
    );
    assert!(sign(whole(Blob, "r"), "GET /landing/%252e%252e/x", &[]).is_ok(), "decoded once, it is text");
}

#[test]
fn a_parameter_that_is_sent_twice_is_malformed() {
    for request in [
        "GET /landing?restype=container&comp=list&COMP=acl",
        "GET /landing?restype=container&restype=service&comp=list",
        "GET /landing?restype=container&comp=list&comp=list",
        "GET /landing?restype=container&comp=list&%63omp=acl",
        "GET /landing?restype=container&comp=list&prefix=a&Prefix=b",
    ] {
        assert_malformed(&whole(Blob, "rl"), &[(request, &[], "a query parameter twice")]);
    }
    assert_malformed(
        &whole(Blob, "rl"),
        &[("GET /landing?restype=container&comp=list%0Acomp:acl", &[], "control character")],
    );
}

fn outcome(account: &AccountConfig, url: &str) -> &'static str {
    method_outcome(account, &format!("GET {url}"))
}

fn method_outcome(account: &AccountConfig, request: &str) -> &'static str {
    match sign_at(account, whole(Blob, "racwdl"), request, &[]) {
        Ok(_) => "signed",
        Err(RequestRefusal::Outside(_)) => "outside",
        Err(RequestRefusal::Malformed(_)) => "malformed",
        Err(RequestRefusal::BadKey(_)) => "bad key",
    }
}

#[test]
fn only_the_accounts_own_endpoint_is_signed_for() {
    let account = account(&[]);
    for (url, expected) in [
        ("https://contosolake7.blob.core.windows.net/landing/x", "signed"),
        ("https://CONTOSOLAKE7.Blob.core.windows.NET:443/landing/x", "signed"),
        ("https://contosolake7-secondary.blob.core.windows.net/landing/x", "signed"),
        ("http://contosolake7.blob.core.windows.net/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net:8443/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net:80/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net:/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net:+443/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net./landing/x", "outside"),
        ("https://contosolake7.queue.core.windows.net/landing/x", "outside"),
        ("https://contosolake7.dfs.core.windows.net/landing/x", "outside"),
        ("https://contosolake8.blob.core.windows.net/landing/x", "outside"),
        ("https://contosolake7.blob.core.windows.net.evil.example/landing/x", "outside"),
        ("https://contosolake7-secondary-secondary.blob.core.windows.net/landing/x", "outside"),
        ("https://evil.example/contosolake7.blob.core.windows.net/landing/x", "outside"),
        ("https://[::1]/landing/x", "outside"),
        ("https://[::1]:443/landing/x", "outside"),
        ("https://user@contosolake7.blob.core.windows.net/landing/x", "malformed"),
        ("https://contosolake7.blob.core.windows.net@evil.example/landing/x", "malformed"),
        ("HTTPS://contosolake7.blob.core.windows.net/landing/x", "malformed"),
        ("//contosolake7.blob.core.windows.net/landing/x", "malformed"),
        ("/landing/x", "malformed"),
    ] {
        assert_eq!(outcome(&account, url), expected, "{url}");
    }
    let secondary = "DELETE https://contosolake7-secondary.blob.core.windows.net/landing/x";
    assert_eq!(method_outcome(&account, secondary), "outside", "the secondary endpoint is for reading");
}

#[test]
fn an_emulators_endpoint_has_the_account_in_its_path() {
    let account =
        account(&[(Blob, "http://127.0.0.1:10000/contosolake7"), (Queue, "http://[::1]:10001/contosolake7/")]);
    for (url, expected) in [
        ("http://127.0.0.1:10000/contosolake7/landing/x", "signed"),
        ("http://127.0.0.1:10000/contosolake7-secondary/landing/x", "signed"),
        ("http://127.0.0.1:10000/landing/x", "outside"),
        ("http://127.0.0.1:10000/contosolake7/contosolake7/landing/x", "outside"),
        ("http://127.0.0.1:10000/contosolake7x/landing/x", "outside"),
        ("http://127.0.0.1:10000/contosolake8/landing/x", "outside"),
        ("http://127.0.0.1:10000//contosolake7/landing/x", "outside"),
        ("http://127.0.0.1:10000/%63ontosolake7/landing/x", "outside"),
        ("http://127.0.0.1:10000/contosolake7", "outside"),
        ("http://127.0.0.1:10001/contosolake7/landing/x", "outside"),
        ("http://localhost:10000/contosolake7/landing/x", "outside"),
        ("https://127.0.0.1:10000/contosolake7/landing/x", "outside"),
        ("http://[::1]:10000/contosolake7/landing/x", "outside"),
    ] {
        assert_eq!(outcome(&account, url), expected, "{url}");
    }
    let secondary = "DELETE http://127.0.0.1:10000/contosolake7-secondary/landing/x";
    assert_eq!(method_outcome(&account, secondary), "outside");
    let peek = "GET http://[::1]:10001/contosolake7/landing/messages?peekonly=true";
    assert!(sign_at(&account, whole(Queue, "r"), peek, &[]).is_ok());
}

#[test]
fn a_container_that_is_named_like_the_secondary_account_is_not_signed_as_another() {
    // At a host that does not name the account, `/ACCOUNT-secondary/…` is signed as `/ACCOUNT/…`.
    let account = account(&[(Blob, "https://blobs.contoso.example")]);
    let scope =
        || valet::mint::ScopeConfig { container: Some("contosolake7-secondary".to_owned()), ..whole(Blob, "r") };
    let refused = sign_at(&account, scope(), "GET https://blobs.contoso.example/contosolake7-secondary/x", &[]);
    assert!(matches!(refused, Err(RequestRefusal::Outside(_))), "{refused:?}");
}
