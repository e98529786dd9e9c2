//! User delegation keys: what is asked, what the answers mean, and where a token never goes.

use crate::{
    lab::{Lab, read_canary},
    servers::Scripted,
};
use std::{net::TcpListener, sync::Arc, time::Duration};
use valet::{
    azure::{
        DelegationKeys, Error, IdentityConfig, Nonsense, StorageClient, StorageRefusal, StorageService, Unreachable,
        UserDelegationKey,
    },
    clock::Clock,
    model::{FaultKind, Secret},
};

/// A key, which must be in no message.
const KEY: &str = "Y2FuYXJ5LWtleS1vZi1kZWxlZ2F0aW9u";
const START: &str = "2026-11-24T00:00:00Z";
const EXPIRY: &str = "2026-12-01T00:00:00Z";

fn answer() -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\n\r\n\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <UserDelegationKey><SignedOid>oid-1</SignedOid><SignedTid>tid-1</SignedTid><SignedStart>{START}</SignedStart>\
         <SignedExpiry>{EXPIRY}</SignedExpiry><SignedService>b</SignedService><SignedVersion>2022-11-02</SignedVersion>\
         <Value>{KEY}</Value></UserDelegationKey>"
    )
}

/// An error as Azure Storage words it.
fn refusal(status: &str, code: &str) -> String {
    let body = format!("<Error><Code>{code}</Code><Message>upstream-canary\r\nRequestId:oid=1</Message></Error>");
    format!("HTTP/1.1 {status}\r\nx-ms-error-code: {code}\r\n\r\n\u{feff}<?xml version=\"1.0\"?>{body}")
}

/// The account `acme` at a server of this machine.
fn client(lab: &Lab, service: StorageService, port: u16) -> Arc<StorageClient> {
    let url = format!("http://127.0.0.1:{port}/acme").parse().unwrap();
    lab.azure.storage(service, &url, &lab.client_secret(), &lab.network()).unwrap()
}

/// Asks for a key and expects an error, of which nothing that came from the other side is a part.
async fn fails(client: &StorageClient) -> Error {
    let error = client.delegation_key(START, EXPIRY).await.unwrap_err();
    let said = format!("{error} {error:?} {client:?}");
    for leak in ["canary", "oid", KEY, "<", "restype", START] {
        assert!(!said.contains(leak), "{leak} is in {said}");
    }
    error
}

#[tokio::test]
async fn a_key_is_asked_for_with_a_token_for_storage_and_taken_as_it_is() {
    let lab = Lab::start().await;
    let server = Scripted::start(vec![answer(), answer()]).await;
    let client = client(&lab, StorageService::Blob, server.port);
    let expected = UserDelegationKey {
        oid: "oid-1".to_owned(),
        tid: "tid-1".to_owned(),
        start: START.to_owned(),
        expiry: EXPIRY.to_owned(),
        service: "b".to_owned(),
        version: "2022-11-02".to_owned(),
        delegated_user_tid: None,
        value: Secret::new(KEY),
    };
    for _ in 0..2 {
        assert_eq!(client.delegation_key(START, EXPIRY).await.as_ref(), Ok(&expected));
    }
    assert!(!format!("{expected:?}").contains(KEY));

    let token = lab.azure.tokens(&lab.client_secret()).unwrap().token("https://storage.azure.com/.default").await;
    let requests = server.requests.lock().unwrap().clone();
    assert_eq!((requests.len(), lab.vault.counters().token_calls), (2, 1));
    for (head, body) in requests {
        let (first, headers) = head.split_once("\r\n").unwrap();
        assert_eq!(first, "POST /acme/?restype=service&comp=userdelegationkey HTTP/1.1");
        for header in [
            format!("authorization: Bearer {}", token.as_ref().unwrap().text.expose()),
            "x-ms-version: 2022-11-02".to_owned(),
            "content-type: application/xml".to_owned(),
            format!("host: 127.0.0.1:{}", server.port),
        ] {
            assert!(headers.lines().any(|line| line == header), "{header} is not in {headers}");
        }
        let expected = format!("<KeyInfo><Start>{START}</Start><Expiry>{EXPIRY}</Expiry></KeyInfo>");
        assert_eq!(body.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>"), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn each_refusal_says_what_to_change() {
    use StorageRefusal::{AccountDisabled, Firewall, Forbidden, MissingRole, SharedKeyOff};
    let lab = Lab::start().await;
    let _kept = lab.azure.tokens(&lab.client_secret()).unwrap();
    for (service, code, expected, kind, advice) in [
        (
            StorageService::Blob,
            "AuthorizationPermissionMismatch",
            MissingRole(StorageService::Blob),
            FaultKind::DeniedBySource,
            "role \"Storage Blob Delegator\" (Storage Blob Data Reader, Contributor and Owner will do too) on the storage account as a whole, \
             or another role with Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ),
        (
            StorageService::Queue,
            "AuthorizationPermissionMismatch",
            MissingRole(StorageService::Queue),
            FaultKind::DeniedBySource,
            "role \"Storage Queue Delegator\" on the storage account as a whole, or another role with \
             Microsoft.Storage/storageAccounts/queueServices/generateUserDelegationKey/action",
        ),
        (
            StorageService::Blob,
            "KeyBasedAuthenticationNotPermitted",
            SharedKeyOff,
            FaultKind::DeniedBySource,
            "use grants of kind user-delegation-sas",
        ),
        (
            StorageService::Blob,
            "AuthorizationFailure",
            Firewall,
            FaultKind::SourceDown,
            "add it to the storage account's firewall",
        ),
        (
            StorageService::Blob,
            "AccountIsDisabled",
            AccountDisabled,
            FaultKind::DeniedBySource,
            "the storage account is disabled",
        ),
        (
            StorageService::Blob,
            "SomethingNew",
            Forbidden,
            FaultKind::DeniedBySource,
            "look into the storage account's log",
        ),
    ] {
        let told = refusal("403 Forbidden", code);
        // Some proxies drop headers that they do not know; others answer in place of the service.
        let in_the_body = told.replacen("x-ms-error-code", "x-other", 1);
        let server = Scripted::start(vec![told, in_the_body]).await;
        let client = client(&lab, service, server.port);
        for _ in 0..2 {
            let error = fails(&client).await;
            let message = error.to_string();
            assert!(
                message.starts_with(&format!("storage endpoint 127.0.0.1:{} refuses identity \"prod\": ", server.port))
            );
            assert!(message.contains(advice), "{message}");
            assert_eq!(error.fault_kind(), kind, "{message}");
            assert!(matches!(error, Error::RefusedByStorage { why, .. } if why == expected), "{message}");
        }
    }
    // None of this was tried again, or took a token of its own.
    assert_eq!(lab.vault.counters().token_calls, 1);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_and_then_it_is_a_fault() {
    let lab = Lab::start().await;
    for rejection in
        [refusal("401 Unauthorized", "InvalidAuthenticationInfo"), refusal("403 Forbidden", "AuthenticationFailed")]
    {
        let lab = Lab::start().await;
        let server = Scripted::start(vec![rejection, answer()]).await;
        let client = client(&lab, StorageService::Blob, server.port);
        assert!(client.delegation_key(START, EXPIRY).await.is_ok());
        let requests = server.requests.lock().unwrap().clone();
        assert_eq!((requests.len(), lab.vault.counters().token_calls), (2, 2));
        assert_ne!(requests[0].0, requests[1].0);
    }
    let server = Scripted::start(vec![refusal("401 Unauthorized", "InvalidAuthenticationInfo"); 3]).await;
    let client = client(&lab, StorageService::Blob, server.port);
    for _ in 0..2 {
        let error = fails(&client).await;
        assert!(matches!(error, Error::RefusedByStorage { why: StorageRefusal::Unauthorized, .. }), "{error:?}");
        assert!(error.to_string().ends_with("tenant is the storage account's, and this machine's clock"), "{error}");
        assert_eq!(error.fault_kind(), FaultKind::DeniedBySource);
    }
    assert_eq!((server.requests.lock().unwrap().len(), lab.vault.counters().token_calls), (3, 2));
}

#[tokio::test]
async fn an_account_that_is_busy_or_down_is_told_with_the_wait_that_it_asks_for() {
    let lab = Lab::start().await;
    for (status, code, expected) in [
        ("429 Too Many Requests", "TooManyRequests", FaultKind::Throttled),
        ("503 Service Unavailable", "ServerBusy", FaultKind::Throttled),
        ("503 Service Unavailable", "Other", FaultKind::SourceDown),
        ("500 Internal Server Error", "InternalError", FaultKind::SourceDown),
    ] {
        let told = refusal(status, code).replacen("\r\n", "\r\nretry-after: 7\r\n", 1);
        let server = Scripted::start(vec![told, refusal(status, code)]).await;
        let client = client(&lab, StorageService::Blob, server.port);
        let error = fails(&client).await;
        assert_eq!(
            (error.fault_kind(), error.retry_after()),
            (expected, Some(Duration::from_secs(7))),
            "{status} {code}"
        );
        lab.advance(Duration::from_secs(7));
        let error = fails(&client).await;
        assert_eq!((error.fault_kind(), error.retry_after()), (expected, None), "{status} {code}");
    }
}

#[tokio::test]
async fn what_is_no_storage_account_is_told() {
    let lab = Lab::start().await;
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{}", "<".repeat(2_000_000));
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\r\n".to_owned();
    for (answer, expected) in [
        (refusal("404 Not Found", "ResourceNotFound"), Nonsense::NoAccount),
        ("HTTP/1.1 404 Not Found\r\n\r\n<html>no".to_owned(), Nonsense::NoAccount),
        (refusal("400 Bad Request", "InvalidHeaderValue"), Nonsense::NoDelegationKeys),
        (answer().replacen("200 OK", "202 Accepted", 1), Nonsense::Status(202)),
        ("HTTP/1.1 200 OK\r\n\r\n<html>hello</html>".to_owned(), Nonsense::Unreadable),
        (answer().replace(KEY, &format!("{KEY}<")), Nonsense::Unreadable),
        (huge, Nonsense::TooLarge(1024 * 1024)),
        (elsewhere, Nonsense::Redirect(307)),
    ] {
        let server = Scripted::start(vec![answer]).await;
        let error = fails(&client(&lab, StorageService::Blob, server.port)).await;
        assert!(matches!(error, Error::Nonsense { why, .. } if why == expected), "{error:?}");
        assert_eq!(error.fault_kind(), FaultKind::SourceDown);
    }
}

#[tokio::test]
async fn an_account_that_is_not_there_or_does_not_answer_is_named() {
    let lab = Lab::start().await;
    let storage = |url: &str, identity: &IdentityConfig| {
        lab.azure.storage(StorageService::Blob, &url.parse().unwrap(), identity, &lab.network())
    };
    let error = fails(&storage("https://nowhere.blob.core.windows.net", &lab.client_secret()).unwrap()).await;
    assert!(matches!(error, Error::Unreachable { cause: Unreachable::Dns, .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("storage endpoint nowhere.blob.core.windows.net cannot be reached"),
        "{error}"
    );

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fails(&storage(&format!("https://{closed}"), &lab.client_secret()).unwrap()).await;
    assert!(matches!(error, Error::Unreachable { cause: Unreachable::ConnectionRefused, .. }), "{error:?}");

    let server = Scripted::start(vec![String::new()]).await;
    let client = client(&lab, StorageService::Blob, server.port);
    // With a token at hand, so that nothing but the answer is waited for.
    lab.azure.tokens(&lab.client_secret()).unwrap().token("https://storage.azure.com/.default").await.unwrap();
    tokio::time::pause();
    let error = fails(&client).await;
    assert!(matches!(error, Error::TimedOut { after, .. } if after <= Duration::from_secs(9)), "{error:?}");
    assert_eq!(error.fault_kind(), FaultKind::TimedOut);
}

#[tokio::test]
async fn an_endpoint_must_be_https_or_of_this_machine_and_have_no_user_or_query() {
    let lab = Lab::start().await;
    for (url, expected) in [
        ("http://acme.blob.core.windows.net", "must be https: http is for loopback hosts only"),
        ("ftp://acme.blob.core.windows.net", "must be https://HOST"),
        ("https://user:pass@acme.blob.core.windows.net", "no user, query or fragment"),
        ("https://acme.blob.core.windows.net/?sv=1", "no user, query or fragment"),
        ("https://acme.blob.core.windows.net/#a", "no user, query or fragment"),
    ] {
        let url = url.parse().unwrap();
        let error = lab.azure.storage(StorageService::Blob, &url, &lab.client_secret(), &lab.network()).unwrap_err();
        assert!(error.to_string().contains(expected), "{url}: {error}");
        assert_eq!(error.fault_kind(), FaultKind::BadConfig);
    }
}

#[tokio::test]
async fn vaults_storage_and_whoever_asks_share_the_tokens_of_an_identity() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    let tokens = lab.azure.tokens(&lab.client_secret()).unwrap();
    let token = tokens.lasting_token("https://vault.azure.net/.default", Duration::from_mins(10)).await.unwrap();
    assert!(token.expires_at > lab.clock.wall() + Duration::from_mins(10));
    assert_eq!(lab.vault.counters().token_calls, 1);
    // A scope that is none is told with Entra's number.
    let error = tokens.token("https://vault.azure.net").await.unwrap_err();
    assert!(error.to_string().contains("(AADSTS1002012)") && error.to_string().contains("/.default"), "{error}");
}
