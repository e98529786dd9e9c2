//! What a request must be like whatever the grant, and what is signed of it.

use crate::world::{DATE, KEY, account, assert_malformed, grant, key, now, sign, whole};
use valet::{
    mint::{
        RequestRefusal,
        StorageService::{self, Blob},
    },
    sign::{AccountKey, AccountName, Request, Scheme, SharedKey},
};

#[test]
fn the_signature_is_that_of_the_described_request_with_its_date() {
    let own = ("x-ms-date", "Wed, 02 Jan 2030 03:00:00 GMT");
    for (headers, date) in [(vec![("x-ms-version", "2022-11-02")], DATE), (vec![own, ("Date", DATE)], own.1)] {
        let signed = sign(whole(Blob, "r"), "GET /landing/x?timeout=9", &headers).unwrap();
        let mut sent: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        sent.retain(|(name, _)| name != "x-ms-date");
        sent.push(("x-ms-date".to_owned(), date.to_owned()));
        let url = "https://contosolake7.blob.core.windows.net/landing/x?timeout=9";
        let signer = SharedKey {
            account: AccountName::parse("contosolake7").unwrap(),
            service: valet::sign::StorageService::Blob,
            scheme: Scheme::SharedKey,
        };
        let expected =
            signer.sign(&AccountKey::parse(KEY).unwrap(), &Request::parse("GET", url, &sent).unwrap()).unwrap();
        assert_eq!((signed.x_ms_date.as_str(), &signed.authorization), (date, &expected.token));
        assert!(signed.authorization.expose().starts_with("SharedKey contosolake7:"));
        assert!(!format!("{signed:?}").contains(signed.authorization.expose()));
    }
}

#[test]
fn a_date_that_is_not_of_now_is_malformed() {
    assert_malformed(
        &whole(Blob, "r"),
        &[
            ("GET /landing/x", &[("x-ms-date", "Wed, 02 Jan 2030 02:49:04 GMT")], "more than 15 minutes from now"),
            ("GET /landing/x", &[("x-ms-date", "Wed, 02 Jan 2030 03:19:06 GMT")], "more than 15 minutes from now"),
            ("GET /landing/x", &[("x-ms-date", "2030-01-02T03:04:05Z")], "no HTTP date"),
            ("GET /landing/x", &[("x-ms-date", "")], "no HTTP date"),
        ],
    );
}

#[test]
fn headers_that_lie_or_are_read_in_more_than_one_way_are_malformed() {
    let block = ("x-ms-blob-type", "BlockBlob");
    let many: Vec<_> = (0..65).map(|at| format!("x-ms-meta-{at}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let long = "1".repeat(8193);
    assert_malformed(
        &whole(Blob, "rw"),
        &[
            ("PUT /landing/x", &[block, ("Content-Length", "-5")], "Content-Length is no length"),
            ("PUT /landing/x", &[block, ("Content-Length", "5, 5")], "Content-Length is no length"),
            ("PUT /landing/x", &[block, ("Content-Length", "0x5")], "Content-Length is no length"),
            ("PUT /landing/x", &[block, ("Content-Length", "05")], "Content-Length is no length"),
            ("PUT /landing/x", &[block, ("Content-Length", "99999999999999999999")], "Content-Length is no length"),
            ("PUT /landing/x", &[block, ("Content-Length", "5"), ("content-length", "5")], "same name twice"),
            ("PUT /landing/x", &[block, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")], "exclude"),
            ("PUT /landing/x", &[block, ("Transfer-Encoding", "chunked")], "Transfer-Encoding"),
            ("GET /landing/x", &[("x-ms-range", "bytes=0-1"), ("X-Ms-Range", "bytes=0-2")], "same name twice"),
            ("GET /landing/x", &[("x-ms-range", "bytes=0-1"), ("Range", "bytes=0-2")], "both Range and x-ms-range"),
            ("GET /landing/x", &[("x-ms-meta-a", "1\r\nx-ms-copy-source: x")], "control character"),
            ("GET /landing/x", &[("x-ms-meta-a\n", "1")], "has a name"),
            ("GET /landing/x", &[("X-HTTP-Method-Override", "DELETE")], "another method"),
            ("GET /landing/x", &[("Host", "other.blob.core.windows.net")], "Host that is not the URL's"),
            ("GET /landing/x", &[("x-ms-version", "2014-02-14")], "before 2015-04-05"),
            ("GET /landing/x", &[("x-ms-version", "latest")], "x-ms-version is no date"),
            ("GET /landing/x", &many, "more than 64"),
            ("GET /landing/x", &[("x-ms-meta-a", &long)], "longer than 8192"),
            ("G\u{c9}T /landing/x", &[], "no HTTP method"),
        ],
    );
    let harmless =
        [("Host", "contosolake7.blob.core.windows.net:443"), ("Accept", "*/*"), ("Authorization", "SharedKey a:b")];
    assert!(sign(whole(Blob, "r"), "GET /landing/x", &harmless).is_ok());
}

#[test]
fn a_key_that_signs_no_requests_is_refused() {
    let account = account(&[]);
    let grant = grant(whole(Blob, "r"), &account).unwrap();
    let mut key = key(&account);
    key.key = valet::sign::Key::SharedAccess(valet::sign::SharedAccessKey::parse(KEY).unwrap());
    let url = "https://contosolake7.blob.core.windows.net/landing/x";
    let refused = grant.requests().unwrap().sign(&key, "GET", url, &[], now());
    assert!(matches!(refused, Err(RequestRefusal::BadKey(_))), "{refused:?}");
}

#[test]
fn no_refusal_repeats_a_value_of_the_request() {
    let canary = "CANARY";
    let requests = [
        "GET /landing/CANARY?comp=CANARY",
        "GET /CANARY/x",
        "DELETE /landing/CANARY",
        "GET /landing/x?CANARY=1",
        "GET /landing/..%2FCANARY",
    ];
    let headers =
        [("x-ms-encryption-key", canary), ("Content-Length", canary), ("x-ms-date", canary), ("Range", canary)];
    for service in StorageService::ALL {
        for request in requests {
            for header in headers {
                let refused = sign(whole(service, "r"), request, &[header]).unwrap_err();
                assert!(!refused.to_string().contains(canary), "{refused}");
            }
        }
    }
}
