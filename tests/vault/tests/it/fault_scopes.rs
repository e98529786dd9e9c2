//! Which requests meet a fault.

use serde_json::{Map, json};
use valet_testvault::{Face, Fault, FaultRule, Options, SecretSpec, Seed, TestVault, When};

use crate::client::{Client, v};

async fn start() -> TestVault {
    let seed = Seed::of([("one", "1"), ("two", "2")]);
    TestVault::start(Options { seed, ..Options::default() }).await.expect("a test vault")
}

async fn status(client: &Client<'_>, path: &str) -> u16 {
    client.get(&v(path)).await.expect("an answer").status
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_was_asked_and_in_its_turn() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::throttled()).times(2));
    vault.inject(FaultRule::new(Fault::status(503)).times(1));
    let client = Client::new(&vault);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(status(&client, "/secrets/one").await);
    }
    assert_eq!(seen, [429, 429, 503, 200]);
    assert!(vault.faults().is_empty());
}

#[tokio::test]
async fn a_fault_without_a_count_strikes_until_it_is_cleared() {
    let vault = start().await;
    let throttled = vault.inject(FaultRule::new(Fault::throttled()));
    let client = Client::new(&vault);
    assert_eq!((status(&client, "/secrets/one").await, status(&client, "/secrets/one").await), (429, 429));
    vault.clear_faults(Some(throttled));
    assert_eq!(status(&client, "/secrets/one").await, 200);
}

#[tokio::test]
async fn a_fault_of_one_secret_leaves_the_others_and_lists_alone() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::status(500)).secret("ONE"));
    let client = Client::new(&vault);
    assert_eq!(status(&client, "/secrets/one").await, 500);
    assert_eq!(status(&client, "/secrets/one/versions").await, 500);
    assert_eq!((status(&client, "/secrets/two").await, status(&client, "/secrets").await), (200, 200));
}

#[tokio::test]
async fn a_fault_of_one_vault_leaves_the_others_alone() {
    let vault = start().await;
    vault.put_secret("acme", "one", SecretSpec::value("1")).expect("a secret");
    vault.inject(FaultRule::new(Fault::status(500)).vault("acme"));
    assert_eq!(status(&Client::new(&vault).host("acme.vault.azure.net"), "/secrets/one").await, 500);
    assert_eq!(status(&Client::new(&vault), "/secrets/one").await, 200);
}

#[tokio::test]
async fn probes_are_challenged_before_a_fault_strikes_unless_it_is_for_them() {
    let vault = start().await;
    let (probe, read) = (Client::new(&vault).token(None), Client::new(&vault));
    vault.inject(FaultRule::new(Fault::throttled()));
    assert_eq!((status(&probe, "/secrets/one").await, status(&read, "/secrets/one").await), (401, 429));
    vault.clear_faults(None);
    vault.inject(FaultRule::new(Fault::throttled()).on(When::Probe));
    assert_eq!((status(&probe, "/secrets/one").await, status(&read, "/secrets/one").await), (429, 200));
    vault.clear_faults(None);
    vault.inject(FaultRule::new(Fault::throttled()).on(When::Any));
    assert_eq!((status(&probe, "/secrets/one").await, status(&read, "/secrets/one").await), (429, 429));
}

#[tokio::test]
async fn a_fault_of_another_face_leaves_the_vaults_alone() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::status(503)).face(Face::Entra));
    let client = Client::new(&vault);
    assert_eq!(status(&client, "/secrets/one").await, 200);
    let token = format!("/{}/oauth2/v2.0/token", vault.endpoints().tenant_id);
    assert_eq!(client.send("POST", &token, "").await.expect("an answer").status, 503);
}

#[tokio::test]
async fn a_throttled_set_sets_nothing() {
    let vault = start().await;
    vault.inject(FaultRule::new(Fault::throttled()).times(1));
    let client = Client::new(&vault);
    let set = client.send("PUT", &v("/secrets/new"), r#"{"value": "v"}"#).await.expect("an answer");
    assert_eq!((set.status, status(&client, "/secrets/new").await), (429, 404));
}

#[test]
fn json_names_a_fault_and_its_scope_in_one_object_and_nothing_unknown() {
    let rule = |json: serde_json::Value| {
        let fields: Map<_, _> = json.as_object().expect("an object").clone();
        FaultRule::from_json(fields)
    };
    let expected = FaultRule::new(Fault::throttled()).times(2).secret("db").face(Face::Vault).on(When::Any);
    let json = json!({"kind": "throttled", "times": 2, "secret": "db", "on": "any"});
    assert_eq!(rule(json).expect("a rule"), expected);
    assert!(rule(json!({"kind": "throttled", "retryafter": 5})).is_err());
    assert!(rule(json!({"kind": "reset", "time": 5})).is_err());
    assert!(rule(json!({"kind": "nonsense"})).is_err());
}
