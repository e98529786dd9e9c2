//! Host names: which vault they stand for, in which links and ids they come back, which audience they ask for.

use serde_json::json;
use valet_testvault::{Options, SecretSpec, Seed, TestVault, TokenSpec};

use crate::client::{Client, v};

async fn start() -> TestVault {
    let seed = Seed::of([("key", "of the default vault")]);
    let vault = TestVault::start(Options { seed, ..Options::default() }).await.expect("a test vault");
    vault.put_secret("acme-prod", "key", SecretSpec::value("of acme")).expect("a secret");
    vault
}

#[tokio::test]
async fn the_first_label_of_a_vaults_name_chooses_the_vault() {
    let vault = start().await;
    for (host, value) in [
        ("acme-prod.vault.azure.net", "of acme"),
        ("ACME-prod.vault.azure.net:443", "of acme"),
        ("default.vault.azure.net", "of the default vault"),
        ("localhost:8443", "of the default vault"),
        ("127.0.0.1", "of the default vault"),
    ] {
        let answer = Client::new(&vault).host(host).get(&v("/secrets/key")).await.expect("an answer");
        assert_eq!(answer.json()["value"], value, "{host}");
    }
}

#[tokio::test]
async fn a_vault_that_nobody_made_is_a_misdirected_request_and_no_missing_secret() {
    let vault = start().await;
    let answer = Client::new(&vault).host("typo.vault.azure.net").get(&v("/secrets/key")).await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (421, &json!("NoSuchVault")));
}

#[tokio::test]
async fn ids_and_links_are_on_the_host_that_was_asked() {
    let vault = start().await;
    for number in 0..30 {
        vault.put_secret("acme-prod", &format!("n{number}"), SecretSpec::value("v")).expect("a secret");
    }
    let client = Client::new(&vault).host("acme-prod.vault.azure.net");
    let id = client.get(&v("/secrets/key")).await.expect("an answer").json()["id"].clone();
    assert!(id.as_str().is_some_and(|id| id.starts_with("https://acme-prod.vault.azure.net/secrets/key/")), "{id}");
    let page = client.get(&v("/secrets")).await.expect("a page").json();
    let link = page["nextLink"].as_str().expect("a link");
    assert!(link.starts_with("https://acme-prod.vault.azure.net:443/secrets?api-version=7.4&"), "{link}");
}

#[tokio::test]
async fn a_vault_below_vault_localhost_asks_for_tokens_of_its_own_domain() {
    let vault = start().await;
    let public = Client::new(&vault).host("acme-prod.vault.localhost:8443");
    let refused = public.get(&v("/secrets/key")).await.expect("an answer");
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(challenge.ends_with("resource=\"https://vault.localhost\""), "{challenge}");
    let local = vault.sign_token(TokenSpec { aud: Some("https://vault.localhost".to_owned()), ..TokenSpec::default() });
    assert_eq!(public.token(Some(&local)).get(&v("/secrets/key")).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn without_a_token_every_path_and_method_is_challenged_first() {
    let vault = start().await;
    let client = Client::new(&vault).token(None);
    for (method, path) in [
        ("GET", "/secrets/key"),
        ("GET", "/secrets/bad_name?api-version=nonsense"),
        ("PUT", "/secrets/key?api-version=7.4"),
        ("DELETE", "/secrets/unknown"),
        ("GET", "/"),
    ] {
        let answer = client.send(method, path, "").await.expect("an answer");
        assert_eq!(answer.status, 401, "{method} {path}");
        let body = json!({"error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}});
        assert_eq!(answer.json(), body);
    }
}

#[tokio::test]
async fn health_needs_no_token() {
    let vault = start().await;
    let answer = Client::new(&vault).token(None).get("/healthstatus").await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-ms-keyvault-network-info").is_some_and(|info| info.contains("addr=127.0.0.1;")));
}

#[tokio::test]
async fn an_escaped_slash_is_part_of_a_name_and_a_plain_one_is_not() {
    let vault = start().await;
    let client = Client::new(&vault);
    let status = async |path: &str| client.get(&v(path)).await.expect("an answer").status;
    assert_eq!(status("/secrets/key/").await, 200);
    assert_eq!(status("/secrets/key%2Fversions").await, 400);
    assert_eq!(status("/secrets/%2e%2e%2Fdeletedsecrets").await, 400);
    assert_eq!(status("/secrets/key/versions").await, 200);
    assert_eq!(status("/secrets/key/versions/more").await, 400);
    assert_eq!(status("/deletedsecrets/key").await, 404);
}
