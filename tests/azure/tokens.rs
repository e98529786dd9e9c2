//! When tokens are fetched, renewed and dropped.

use crate::lab::{Lab, fails, read, read_canary};
use std::time::Duration;
use tokio::{task::JoinSet, time};
use valet::azure::{Error, IdentityProblem};
use valet_testvault::{Face, Fault, FaultRule, Options};

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_reads_do_not_wait_for_it() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    lab.advance(Duration::from_mins(50));
    lab.vault.inject(FaultRule::new(Fault::Hold {}).face(Face::Entra));
    // Entra answers none of them; the old token is good for ten minutes more.
    read_canary(&vault).await;
    lab.vault.wait_for(|log| log.iter().filter(|entry| entry.face == Face::Entra).count() == 2).await;
    for _ in 0..10 {
        read_canary(&vault).await;
    }
    assert_eq!(lab.vault.counters().token_calls, 2);
}

#[tokio::test]
async fn a_token_is_renewed_although_nobody_reads() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    lab.advance(Duration::from_mins(50));
    time::pause();
    time::advance(Duration::from_mins(1)).await;
    time::resume();
    lab.vault.wait_for(|log| log.iter().filter(|entry| entry.face == Face::Entra).count() == 2).await;
    assert_eq!(lab.vault.counters().reads, 1);
    drop(vault);
}

#[tokio::test]
async fn a_token_of_a_minute_does_for_many_reads() {
    let lab = Lab::with(Options { token_lifetime: Duration::from_mins(1), ..Options::default() }).await;
    let vault = lab.key_vault();
    for _ in 0..20 {
        read_canary(&vault).await;
    }
    assert_eq!((lab.vault.counters().token_calls, lab.vault.counters().reads), (1, 20));
}

#[tokio::test]
async fn a_renewal_that_fails_costs_nothing_until_the_old_token_ends() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    lab.vault.inject(FaultRule::new(Fault::status(503)).face(Face::Entra));
    for _ in 0..9 {
        lab.advance(Duration::from_mins(6));
        read_canary(&vault).await;
    }
    lab.advance(Duration::from_mins(6));
    let error = fails(&vault).await;
    assert!(matches!(error, Error::Failing { status: 503, .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_that_has_ended_when_it_comes_is_a_fault_and_no_storm() {
    let lab = Lab::with(Options { token_lifetime: Duration::ZERO, ..Options::default() }).await;
    let vault = lab.key_vault();
    for _ in 0..5 {
        let error = fails(&vault).await;
        assert!(matches!(error, Error::Identity { why: IdentityProblem::TokenHasEnded, .. }), "{error:?}");
        assert!(error.to_string().ends_with("set this machine's clock"), "{error}");
    }
    assert_eq!(lab.vault.counters().token_calls, 1);
}

#[tokio::test]
async fn whoever_asked_first_may_go_and_the_token_still_comes() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.vault.inject(FaultRule::new(Fault::Hold {}).face(Face::Entra).times(1));
    let mut first = JoinSet::new();
    first.spawn({
        let vault = vault.clone();
        async move { read(&vault).await }
    });
    lab.vault.wait_for(|log| log.iter().any(|entry| entry.face == Face::Entra)).await;
    first.shutdown().await;
    lab.vault.clear_faults(None);
    read_canary(&vault).await;
    assert_eq!(lab.vault.counters().token_calls, 1);
}

#[tokio::test]
async fn nothing_is_asked_for_once_nobody_uses_the_vault() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    read_canary(&vault).await;
    drop(vault);
    lab.advance(Duration::from_mins(50));
    time::pause();
    time::advance(Duration::from_mins(1)).await;
    time::resume();
    // A vault of its own asks for a token of its own, after anything that the first could still have asked for.
    read_canary(&lab.key_vault()).await;
    assert_eq!(lab.vault.counters().token_calls, 2);
}
