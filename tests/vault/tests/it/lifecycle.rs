//! Start and end: files, listeners, certificates.

use std::{fs, time::Duration};

use tokio::net::TcpStream;
use valet_testvault::{Endpoints, Fault, FaultRule, Leaf, Options, Seed, StartError, TestVault};

use crate::client::{Client, v};

#[tokio::test]
async fn its_files_say_where_it_is() {
    let vault = TestVault::start(Options::default()).await.expect("a test vault");
    let json = fs::read(vault.dir().join("endpoints.json")).expect("endpoints.json");
    let endpoints: Endpoints = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(&endpoints, vault.endpoints());
    assert_eq!(fs::read_to_string(&endpoints.ca_file).expect("ca.pem"), vault.ca_pem());
}

#[tokio::test]
async fn a_dropped_test_vault_leaves_no_listener_no_connection_and_no_file() {
    let vault =
        TestVault::start(Options { seed: Seed::of([("key", "v")]), ..Options::default() }).await.expect("a test vault");
    let (dir, url) = (vault.dir().to_owned(), vault.endpoints().control_url.clone());
    vault.inject(FaultRule::new(Fault::SlowHeaders { millis: 3_600_000 }));
    let mut held = TcpStream::connect(url.trim_start_matches("http://")).await.expect("a connection");
    drop(vault);
    let ended =
        tokio::time::timeout(Duration::from_secs(10), tokio::io::AsyncReadExt::read(&mut held, &mut [0; 1])).await;
    assert!(!matches!(ended.expect("it ends at once"), Ok(1..)));
    assert!(TcpStream::connect(url.trim_start_matches("http://")).await.is_err());
    assert!(!dir.exists());
}

#[tokio::test]
async fn the_trusted_leaf_is_good_for_every_name_and_the_others_for_none() {
    for (leaf, good) in
        [(Leaf::Trusted, true), (Leaf::SelfSigned, false), (Leaf::WrongName, false), (Leaf::Expired, false)]
    {
        let vault = TestVault::start(Options { leaf, ..Options::default() }).await.expect("a test vault");
        for host in
            ["localhost", "127.0.0.1", "acme.vault.azure.net", "acme.vault.localhost", "login.microsoftonline.com"]
        {
            assert_eq!(Client::new(&vault).host(host).connect().await.is_ok(), good, "{leaf:?} {host}");
        }
        let other = Client::new(&vault).host("wrong-name.invalid").connect().await;
        assert_eq!(other.is_ok(), leaf == Leaf::WrongName);
    }
}

#[tokio::test]
async fn a_token_of_another_test_vault_is_refused() {
    let [one, other] = [TestVault::start(Options::default()).await, TestVault::start(Options::default()).await];
    let (one, other) = (one.expect("a test vault"), other.expect("a test vault"));
    let token = other.sign_token(valet_testvault::TokenSpec::default());
    let answer = Client::new(&one).token(Some(&token)).get(&v("/secrets/key")).await.expect("an answer");
    assert_eq!(answer.status, 401);
    assert!(String::from_utf8_lossy(&answer.body).contains("AKV10046"));
}

#[tokio::test]
async fn a_control_api_that_others_could_reach_does_not_start() {
    let control = "0.0.0.0:0".parse().expect("an address");
    let started = TestVault::start(Options { control, ..Options::default() }).await;
    assert!(matches!(started.err(), Some(StartError::ControlNotLoopback(address)) if address == control));
}

#[tokio::test]
async fn a_seed_that_no_vault_can_hold_is_refused() {
    let started = TestVault::start(Options { seed: Seed::of([("under_score", "v")]), ..Options::default() }).await;
    assert!(matches!(started.err(), Some(StartError::Seed(_))));
}
