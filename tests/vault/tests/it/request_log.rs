//! What the log and the counters say.

use valet_testvault::{Counters, Face, Fault, FaultRule, Operation, Options, Seed, TestVault, TokenSeen, TokenSpec};

use crate::client::{Client, v};

async fn start() -> TestVault {
    let seed = Seed::of([("key", "a value that no log has")]);
    TestVault::start(Options { seed, ..Options::default() }).await.expect("a test vault")
}

#[tokio::test]
async fn each_request_is_there_with_its_token_its_purpose_and_its_status() {
    let vault = start().await;
    let expired = vault.sign_token(TokenSpec { exp_in: Some(-1), ..TokenSpec::default() });
    let good = Client::new(&vault);
    Client::new(&vault).token(None).get(&v("/secrets/key")).await.expect("an answer");
    Client::new(&vault).token(Some(&expired)).get(&v("/secrets/key")).await.expect("an answer");
    good.get(&v("/secrets/key/")).await.expect("an answer");
    good.get(&v("/secrets")).await.expect("an answer");
    good.send("PUT", &v("/secrets/key"), r#"{"value": "v"}"#).await.expect("an answer");
    vault.inject(FaultRule::new(Fault::throttled()));
    good.get(&v("/secrets/key")).await.expect("an answer");
    let log = vault.log(0);
    let seen: Vec<_> =
        log.iter().map(|entry| (entry.seq, entry.token, entry.operation, entry.status, entry.fault)).collect();
    assert_eq!(
        seen,
        [
            (1, TokenSeen::No, Operation::Probe, Some(401), None),
            (2, TokenSeen::Bad, Operation::Other, Some(401), None),
            (3, TokenSeen::Yes, Operation::Read, Some(200), None),
            (4, TokenSeen::Yes, Operation::List, Some(200), None),
            (5, TokenSeen::Yes, Operation::Write, Some(200), None),
            (6, TokenSeen::Yes, Operation::Read, Some(429), Some("throttled")),
        ]
    );
    let third = &log[2];
    assert_eq!((third.face, third.method.as_str(), third.path.as_str()), (Face::Vault, "GET", "/secrets/key/"));
    assert_eq!(third.query, "api-version=7.4");
    assert_eq!(third.appid.as_deref(), Some(vault.endpoints().client_id.as_str()));
    assert_eq!(vault.log(4).len(), 2);
    let expected = Counters { probes: 1, reads: 2, lists: 1, writes: 1, bad_tokens: 1, ..Counters::default() };
    assert_eq!(vault.counters(), expected);
}

#[tokio::test]
async fn a_reset_brings_back_the_start_and_never_a_number() {
    let vault = start().await;
    let client = Client::new(&vault);
    client.send("PUT", &v("/secrets/key"), r#"{"value": "changed"}"#).await.expect("an answer");
    vault.inject(FaultRule::new(Fault::throttled()));
    vault.set_clock_offset(7200);
    vault.reset();
    assert_eq!((vault.log(0).len(), vault.counters(), vault.clock().offset()), (0, Counters::default(), 0));
    let answer = Client::new(&vault).get(&v("/secrets/key")).await.expect("an answer");
    assert_eq!(answer.json()["value"], "a value that no log has");
    assert_eq!(vault.log(0)[0].seq, 2);
}

#[tokio::test]
async fn the_log_has_no_value_and_no_token() {
    let vault = start().await;
    let client = Client::new(&vault);
    client.get(&v("/secrets/key")).await.expect("an answer");
    client.send("PUT", &v("/secrets/key"), r#"{"value": "another value"}"#).await.expect("an answer");
    let form = format!("grant_type=client_credentials&client_secret={}", vault.endpoints().client_secret);
    client
        .send("POST", &format!("/{}/oauth2/v2.0/token", vault.endpoints().tenant_id), &form)
        .await
        .expect("an answer");
    let log = serde_json::to_string(&vault.log(0)).expect("JSON");
    for secret in ["another value", "a value that no log has", "client_secret", "eyJ"] {
        assert!(!log.contains(secret), "{log}");
    }
}
