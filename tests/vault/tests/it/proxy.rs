//! The fault proxy, and the lines that a test may change.

use std::{io::ErrorKind, time::Duration};

use valet_testvault::{Behind, Face, Fault, FaultRule, Leaf, Options, RetryAfter, Seed, Site, TestVault};

use crate::client::{Client, v};

/// A test vault, and another one whose fault proxy stands in front of it.
async fn pair() -> (TestVault, TestVault) {
    let seed = Seed::of([("one", "1")]);
    let vault = TestVault::start(Options { seed, ..Options::default() }).await.expect("a test vault");
    let url = vault.endpoints().vault_url.parse().expect("a URL");
    let behind = Some(Behind { url, ca_file: Some(vault.endpoints().ca_file.clone()) });
    let proxy = TestVault::start(Options { behind, ..Options::default() }).await.expect("a fault proxy");
    (vault, proxy)
}

#[tokio::test]
async fn a_request_passes_with_its_host_and_its_token_and_its_answer_comes_back() {
    let (vault, proxy) = pair().await;
    let answer = Client::new(&vault).over(&proxy).get(&v("/secrets/one")).await.expect("an answer");
    assert_eq!((answer.status, answer.json()["value"].as_str()), (200, Some("1")));
    let challenge = Client::new(&vault).token(None).over(&proxy).get(&v("/secrets/one")).await.expect("an answer");
    assert_eq!(challenge.status, 401);
    assert!(challenge.header("www-authenticate").is_some());
    let entra = format!("/{}/v2.0/.well-known/openid-configuration", vault.endpoints().tenant_id);
    assert_eq!(Client::new(&vault).over(&proxy).get(&entra).await.expect("an answer").status, 200);
    let log = vault.log(0);
    let port = proxy.endpoints().proxy_url.as_deref().and_then(|url| url.rsplit(':').next()).expect("a port");
    assert_eq!(log[0].host, format!("localhost:{port}"));
    assert_eq!((vault.counters().reads, proxy.counters().proxied, proxy.counters().reads), (1, 3, 0));
}

#[tokio::test]
async fn a_fault_of_the_proxy_is_made_there_and_what_it_replaces_is_never_asked_for() {
    let (vault, proxy) = pair().await;
    let client = Client::new(&vault).over(&proxy);
    let path = v("/secrets/one");
    let inject = |fault| proxy.inject(FaultRule::new(fault).face(Face::Proxied).times(1));
    inject(Fault::Throttled { retry_after: Some(RetryAfter::Seconds(7)) });
    let throttled = client.get(&path).await.expect("an answer");
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("7")));
    inject(Fault::Storage { status: 403, code: "AuthorizationFailure".to_owned() });
    let refused = client.get(&path).await.expect("an answer");
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("AuthorizationFailure")));
    inject(Fault::Reset {});
    assert!(client.get(&path).await.is_err());
    assert_eq!(vault.counters().reads, 0);
    inject(Fault::TruncatedJson {});
    let truncated = client.get(&path).await.expect("an answer");
    assert!(serde_json::from_slice::<serde_json::Value>(&truncated.body).is_err());
    assert_eq!(client.get(&path).await.expect("an answer").status, 200);
    assert_eq!((vault.counters().reads, proxy.counters().proxied), (2, 5));
}

#[tokio::test]
async fn what_does_not_answer_behind_the_proxy_is_a_bad_gateway() {
    let (vault, proxy) = pair().await;
    vault.set_line(Site::Azure, None);
    let answer = Client::new(&vault).over(&proxy).get(&v("/secrets/one")).await.expect("an answer");
    assert_eq!(answer.status, 502);
}

#[tokio::test]
async fn a_line_that_is_cut_ends_who_is_connected_and_resets_who_comes() {
    let (vault, _) = pair().await;
    let client = Client::new(&vault);
    vault.inject(FaultRule::new(Fault::Hold {}));
    let path = v("/secrets/one");
    let cut = async {
        vault.wait_for(|log| !log.is_empty()).await;
        vault.set_line(Site::Azure, None);
    };
    let (held, ()) = tokio::join!(client.get(&path), cut);
    assert!(held.is_err());
    let refused = client.connect().await.expect_err("no TLS");
    assert!(matches!(refused.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof), "{refused:?}");
    vault.clear_faults(None);
    vault.set_line(Site::Azure, Some(Leaf::Trusted));
    let answer = tokio::time::timeout(Duration::from_secs(20), client.get(&path)).await.expect("in time");
    assert_eq!(answer.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_line_shows_another_certificate_from_one_connection_to_the_next() {
    let (vault, proxy) = pair().await;
    for (site, owner, client) in
        [(Site::Azure, &vault, Client::new(&vault)), (Site::Proxy, &proxy, Client::new(&vault).over(&proxy))]
    {
        for leaf in [Leaf::WrongName, Leaf::SelfSigned, Leaf::Expired] {
            owner.set_line(site, Some(leaf));
            assert!(client.connect().await.is_err(), "{site:?} {leaf:?}");
            owner.set_line(site, Some(Leaf::Trusted));
            assert!(client.connect().await.is_ok(), "{site:?} {leaf:?}");
        }
    }
}
