//! The request without a token that comes first, and what follows from it.

use crate::lab::{CANARY, Lab, NAME, fails, read, read_canary};
use futures::future::join_all;
use std::{future::Future, sync::Arc};
use tokio::task::JoinSet;
use valet::{
    azure::{BudgetConfig, Error, KeyVault, Nonsense, Refusal},
    model::Found,
};
use valet_testvault::{Fault, FaultRule, SecretSpec, When};

#[tokio::test]
async fn fifty_cold_reads_cost_one_probe_and_one_token() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for answer in join_all((0..50).map(|_| read(&vault))).await {
        assert_eq!(answer.unwrap().unwrap().value.expose(), CANARY);
    }
    let counters = lab.vault.counters();
    assert_eq!((counters.probes, counters.token_calls, counters.reads), (1, 1, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_cold_parallel_reads_of_a_slow_vault_all_succeed() {
    let lab = Lab::start().await;
    lab.vault.inject(FaultRule::new(Fault::SlowHeaders { millis: 5 }).on(When::Any));
    for _ in 0..3 {
        // A vault of its own each time, so that each is cold.
        let azure = lab.azure_with(&[("CI_CLIENT_SECRET", &lab.vault.endpoints().client_secret)]);
        let url = lab.vault.endpoints().vault_url.parse().unwrap();
        let vault = azure.vault(&url, &lab.client_secret(), &lab.network()).unwrap();
        azure.limit(&url, BudgetConfig { requests: 201, ..BudgetConfig::default() });
        let reads: JoinSet<_> = (0..200).map(|_| reading(&vault)).collect();
        for answer in reads.join_all().await {
            assert_eq!(answer.map(|found| found.is_some()), Ok(true));
        }
    }
    assert_eq!(lab.vault.counters().probes, 3);
}

#[tokio::test]
async fn whoever_waits_for_a_probe_that_fails_gets_its_fault_and_the_next_read_probes_anew() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.vault.inject(FaultRule::new(Fault::status(503)).on(When::Probe).times(1));
    for answer in join_all((0..20).map(|_| read(&vault))).await {
        assert!(matches!(answer, Err(Error::Failing { status: 503, .. })), "{answer:?}");
    }
    assert_eq!(lab.vault.counters().probes, 1);
    read_canary(&vault).await;
    assert_eq!(lab.vault.counters().probes, 2);
}

#[tokio::test]
async fn a_probe_survives_whoever_began_it() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.vault.inject(FaultRule::new(Fault::Hold {}).on(When::Probe).times(1));
    let mut reads = JoinSet::new();
    let first = reads.spawn(reading(&vault));
    lab.vault.wait_for(|log| log.len() == 1).await;
    reads.spawn(reading(&vault));
    tokio::task::yield_now().await;
    first.abort();
    assert!(reads.join_next().await.unwrap().unwrap_err().is_cancelled());
    lab.vault.clear_faults(None);
    assert_eq!(reads.join_next().await.unwrap().unwrap().unwrap().unwrap().value.expose(), CANARY);
    assert_eq!(lab.vault.counters().probes, 1);
}

#[tokio::test]
async fn an_answer_to_a_request_without_a_token_is_never_believed() {
    let lab = Lab::start().await;
    for fault in [Fault::Html {}, Fault::Empty {}, Fault::WrongJson {}, Fault::status(404), Fault::status(403)] {
        lab.vault.inject(FaultRule::new(fault.clone()).on(When::Probe).times(1));
        let error = fails(&lab.key_vault()).await;
        assert!(matches!(error, Error::Nonsense { why: Nonsense::NoChallenge, .. }), "{fault:?}: {error:?}");
    }
    lab.vault.inject(FaultRule::new(Fault::Redirect { location: None }).on(When::Probe).times(1));
    let error = fails(&lab.key_vault()).await;
    assert!(matches!(error, Error::Nonsense { why: Nonsense::Redirect(302), .. }), "{error:?}");
    assert_eq!(lab.vault.counters().foreign_requests, 0);
}

#[tokio::test]
async fn a_challenge_for_another_service_gets_no_token() {
    let lab = Lab::start().await;
    let vault = lab.public_vault();
    lab.vault.inject(FaultRule::new(Fault::foreign_challenge()).on(When::Any));
    let error = fails(&vault).await;
    assert!(matches!(error, Error::Nonsense { why: Nonsense::Challenge, .. }), "{error:?}");
    assert_eq!((lab.vault.counters().token_calls, lab.vault.counters().reads), (0, 0));
    lab.vault.clear_faults(None);
    lab.vault.put_secret("acme", NAME, SecretSpec::value(CANARY)).unwrap();
    read_canary(&vault).await;
}

#[tokio::test]
async fn a_cold_vault_with_a_token_that_is_rejected_gets_a_new_one() {
    let lab = Lab::start().await;
    let warm = lab.key_vault();
    read_canary(&warm).await;
    lab.vault.put_secret("acme", NAME, SecretSpec::value(CANARY)).unwrap();
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).vault("acme").times(1));
    read_canary(&lab.public_vault()).await;
    assert_eq!((lab.vault.counters().probes, lab.vault.counters().token_calls, lab.vault.counters().reads), (2, 2, 3));
}

#[tokio::test]
async fn fifty_reads_whose_token_is_rejected_share_one_new_token() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(50));
    for answer in join_all((0..50).map(|_| read(&vault))).await {
        assert_eq!(answer.unwrap().unwrap().value.expose(), CANARY);
    }
    assert_eq!((lab.vault.counters().token_calls, lab.vault.counters().reads), (2, 101));
}

#[tokio::test]
async fn a_rejected_token_is_replaced_and_the_read_succeeds() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(1));
    read_canary(&vault).await;
    let counters = lab.vault.counters();
    assert_eq!((counters.probes, counters.token_calls, counters.reads), (1, 2, 3));
}

#[tokio::test]
async fn a_vault_that_rejects_every_token_is_a_fault_and_causes_no_storm_of_tokens() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}));
    for _ in 0..10 {
        let error = fails(&vault).await;
        assert!(matches!(error, Error::Refused { why: Refusal::Unauthorized { .. }, .. }), "{error:?}");
    }
    // The first read has a second try with a new token, which is then kept for a while.
    assert_eq!((lab.vault.counters().token_calls, lab.vault.counters().reads), (2, 11));
    lab.vault.clear_faults(None);
    read_canary(&vault).await;
}

#[tokio::test]
async fn two_vaults_of_one_identity_share_its_token() {
    let lab = Lab::start().await;
    lab.vault.put_secret("acme", NAME, SecretSpec::value(CANARY)).unwrap();
    let vaults = [lab.key_vault(), lab.public_vault()];
    for vault in &vaults {
        read_canary(vault).await;
    }
    let counters = lab.vault.counters();
    assert_eq!((counters.probes, counters.token_calls, counters.reads), (2, 1, 2));
}

fn reading(vault: &Arc<KeyVault>) -> impl Future<Output = Result<Option<Found>, Error>> + use<> {
    let vault = Arc::clone(vault);
    async move { read(&vault).await }
}
