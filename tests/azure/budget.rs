//! How often a vault and Entra are asked, and when not at all.

use crate::lab::{Lab, NAME, name, read, read_canary};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use valet::{
    azure::{Azure, BreakerState, BudgetConfig, Error, IdentityConfig, KeyVault, Trouble, Vault},
    clock::{Clock, ManualClock},
    env::MapEnv,
    model::{FaultKind, Found, Urgency},
    telemetry::Counter,
};
use valet_testvault::{Counters, Face, Fault, FaultRule, ForbiddenCode, RetryAfter, SecretSpec, When};

/// An Azure of its own with a clock that stands still, so that no request leaves a window because the machine is slow.
struct Still {
    lab: Lab,
    azure: Azure,
    clock: Arc<ManualClock>,
}

impl Still {
    async fn start() -> Self {
        let lab = Lab::start().await;
        let clock = Arc::new(ManualClock::new(lab.clock.wall()));
        let env = MapEnv::new([("CI_CLIENT_SECRET", lab.vault.endpoints().client_secret.clone())]);
        let (random, counters) = (Arc::new(|| 0), Arc::clone(&lab.counters));
        let azure = Azure::new(Arc::new(env), clock.clone(), lab.resolver.clone(), random, counters);
        Self { lab, azure, clock }
    }

    fn vault(&self) -> Arc<KeyVault> {
        self.vault_of(&self.lab.client_secret())
    }

    fn vault_of(&self, identity: &IdentityConfig) -> Arc<KeyVault> {
        self.azure.vault(&self.lab.vault_url(), identity, &self.lab.network()).unwrap()
    }

    /// Another vault, which has [`NAME`] too.
    fn other_vault(&self, identity: &IdentityConfig) -> Arc<KeyVault> {
        self.lab.vault.put_secret("acme", NAME, SecretSpec::value(crate::lab::CANARY)).unwrap();
        self.azure.vault(&"https://acme.vault.azure.net".parse().unwrap(), identity, &self.lab.network()).unwrap()
    }

    /// The same application under another name.
    fn other_identity(&self) -> IdentityConfig {
        IdentityConfig { name: "other".into(), ..self.lab.client_secret() }
    }

    fn limit(&self, requests: u32, seconds: u64) {
        let budget = BudgetConfig { requests, per: Duration::from_secs(seconds) };
        self.azure.limit(&self.lab.vault_url(), budget);
    }

    fn asked(&self) -> u64 {
        asked(&self.lab.vault.counters())
    }
}

/// Requests of every kind to vaults.
fn asked(counters: &Counters) -> u64 {
    counters.probes + counters.reads + counters.lists
}

/// How many of these are an answer, and what the others are.
fn told(answers: &[Result<Option<Found>, Error>]) -> (usize, Vec<&Error>) {
    (
        answers.iter().filter(|answer| answer.is_ok()).count(),
        answers.iter().filter_map(|it| it.as_ref().err()).collect(),
    )
}

#[tokio::test]
async fn a_thousand_cold_reads_never_exceed_the_budget_and_those_left_out_hear_when_to_come_back() {
    let still = Still::start().await;
    let vault = still.vault();
    still.limit(40, 10);
    let names: Vec<_> = (0..1000).map(|number| name(&format!("n{number}"))).collect();
    // The first request of all is the one that asks for the challenge.
    for (round, answered) in [(1, 39), (2, 40), (3, 40)] {
        let answers = join_all(names.iter().map(|name| vault.secret(name, Urgency::Awaited))).await;
        let (ok, errors) = told(&answers);
        assert_eq!((ok, still.asked()), (answered, 40 * round));
        for error in errors {
            let is_spent = matches!(error, Error::BudgetSpent { retry_after, .. } if retry_after.as_secs() == 10);
            assert!(is_spent, "{error:?}");
            assert!(error.to_string().contains("budget of 40 requests per 10 s is spent"), "{error}");
            let fault = error.fault("secret \"x\"");
            assert_eq!((fault.kind(), fault.is_unasked()), (FaultKind::Throttled, true));
        }
        assert_eq!(vault.standing().budget_left, 0);
        // One of the last turns was put off by not quite a second.
        still.clock.advance(Duration::from_secs(11));
        assert_eq!(vault.standing().budget_left, 40);
    }
    assert_eq!(still.lab.counters.get(Counter::BudgetSpent), 961 + 960 + 960);
}

#[tokio::test]
async fn whoever_asks_a_vault_shares_its_budget_and_another_vault_has_its_own() {
    let still = Still::start().await;
    let (ours, theirs) = (still.vault(), still.vault_of(&still.other_identity()));
    still.limit(4, 10);
    read_canary(&ours).await;
    read_canary(&theirs).await;
    assert_eq!((still.asked(), ours.standing().budget_left, theirs.standing().budget_left), (4, 0, 0));
    assert!(matches!(read(&ours).await, Err(Error::BudgetSpent { .. })));
    read_canary(&still.other_vault(&still.lab.client_secret())).await;
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_leaves_a_quarter_of_the_budget_to_the_others() {
    let still = Still::start().await;
    let vault = still.vault();
    still.limit(8, 10);
    for left in [6, 5, 4, 3, 2] {
        assert!(vault.secret(&name(NAME), Urgency::Ahead).await.is_ok());
        assert_eq!(vault.standing().budget_left, left);
    }
    let yielded = vault.secret(&name(NAME), Urgency::Ahead).await.unwrap_err();
    assert!(matches!(yielded, Error::Yielded { .. }), "{yielded:?}");
    assert_eq!((yielded.fault_kind(), still.asked()), (FaultKind::Overloaded, 6));
    read_canary(&vault).await;
    assert_eq!(still.lab.counters.get(Counter::RefreshesYielded), 1);
}

#[tokio::test]
async fn the_time_that_one_answer_names_holds_everybody_back_from_that_vault_and_no_other() {
    let still = Still::start().await;
    let identity = still.lab.client_secret();
    let (vault, same_vault, other) =
        (still.vault(), still.vault_of(&still.other_identity()), still.other_vault(&identity));
    for vault in [&vault, &same_vault, &other] {
        read_canary(vault).await;
    }
    for (fault, trouble, kind) in [
        (Fault::Throttled { retry_after: Some(RetryAfter::Seconds(7)) }, Trouble::Throttled, FaultKind::Throttled),
        (
            Fault::Status {
                status: 503,
                body: valet_testvault::ErrorBody::Empty,
                retry_after: Some(RetryAfter::Seconds(7)),
            },
            Trouble::Failing(503),
            FaultKind::SourceDown,
        ),
    ] {
        still.lab.vault.inject(FaultRule::new(fault).vault("default").times(1));
        let asked_before = still.asked();
        assert_eq!(read(&vault).await.unwrap_err().retry_after(), Some(Duration::from_secs(7)));
        still.clock.advance(Duration::from_secs(2));
        for answer in join_all((0..20).map(|_| read(&same_vault))).await {
            let error = answer.unwrap_err();
            let said = matches!(&error, Error::HeldBack { trouble: said, retry_after, .. }
                if *said == trouble && retry_after.as_secs() == 5);
            assert!(said && error.fault_kind() == kind, "{error:?}");
        }
        assert_eq!((still.asked(), vault.standing().breaker), (asked_before + 1, BreakerState::Open));
        read_canary(&other).await;
        still.clock.advance(Duration::from_secs(5));
        // One goes ahead to see, and the others follow.
        let answers = join_all((0..20).map(|_| read(&same_vault))).await;
        assert_eq!(told(&answers), (20, vec![]));
        assert_eq!(vault.standing().breaker, BreakerState::Closed);
    }
    assert_eq!(still.lab.counters.get(Counter::RequestsHeldBack), 40);
    assert_eq!(still.lab.counters.get(Counter::BreakersOpened), 2);
}

#[tokio::test]
async fn a_vault_that_fails_again_and_again_is_asked_ever_more_seldom_until_it_answers() {
    let still = Still::start().await;
    let vault = still.vault();
    read_canary(&vault).await;
    still.lab.vault.inject(FaultRule::new(Fault::status(500)));
    for _ in 0..5 {
        assert!(matches!(read(&vault).await, Err(Error::Failing { status: 500, .. })));
    }
    for (pause, asked) in [(2, 7), (4, 8), (8, 9)] {
        let reads = join_all((0..10).map(|_| read(&vault))).await;
        let held = Duration::from_secs(pause);
        let is_held = |answer: &Result<_, Error>| matches!(answer, Err(Error::HeldBack { trouble: Trouble::Failing(500), retry_after, .. }) if *retry_after == held);
        assert!(reads.iter().all(is_held), "{reads:?}");
        assert_eq!(still.asked(), asked);
        still.clock.advance(held);
        assert_eq!(vault.standing().breaker, BreakerState::HalfOpen);
        // One of them is the trial, the others wait for it, and share its fate.
        let trial = join_all((0..10).map(|_| read(&vault))).await;
        assert_eq!(trial.iter().filter(|answer| matches!(answer, Err(Error::Failing { .. }))).count(), 1, "{trial:?}");
    }
    still.lab.vault.clear_faults(None);
    still.clock.advance(Duration::from_secs(16));
    assert_eq!(told(&join_all((0..10).map(|_| read(&vault))).await), (10, vec![]));
    assert_eq!(vault.standing().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn a_vault_that_refuses_can_be_asked() {
    let still = Still::start().await;
    let vault = still.vault();
    for fault in [Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac }, Fault::Unauthorized {}, Fault::Html {}] {
        // A failure before and after, so that five in a row would be reached if these counted.
        for fault in [Fault::status(500), fault.clone(), Fault::status(500), fault.clone(), Fault::status(500), fault] {
            still.lab.vault.inject(FaultRule::new(fault).times(1));
            let _ = read(&vault).await;
        }
        assert_eq!(vault.standing().breaker, BreakerState::Closed);
    }
    still.lab.vault.clear_faults(None);
    read_canary(&vault).await;
}

#[tokio::test]
async fn a_challenge_that_is_throttled_holds_the_vault_back_too() {
    let still = Still::start().await;
    let vault = still.vault();
    let throttled = Fault::Throttled { retry_after: Some(RetryAfter::Seconds(30)) };
    still.lab.vault.inject(FaultRule::new(throttled).on(When::Probe).times(1));
    assert!(matches!(read(&vault).await, Err(Error::Throttled { .. })));
    assert!(matches!(read(&vault).await, Err(Error::HeldBack { trouble: Trouble::Throttled, .. })));
    assert_eq!(still.asked(), 1);
    still.clock.advance(Duration::from_secs(30));
    read_canary(&vault).await;
}

#[tokio::test]
async fn an_entra_that_throttles_is_left_alone_by_all_identities_of_all_vaults() {
    let still = Still::start().await;
    let vaults = [still.vault(), still.other_vault(&still.other_identity())];
    let throttled = Fault::Throttled { retry_after: Some(RetryAfter::Seconds(20)) };
    still.lab.vault.inject(FaultRule::new(throttled).face(Face::Entra).times(1));
    for _ in 0..3 {
        for (vault, identity) in vaults.iter().zip(["prod", "other"]) {
            let error = read(vault).await.unwrap_err();
            assert_eq!(error.fault_kind(), FaultKind::Throttled, "{error:?}");
            assert!(error.to_string().contains("Entra at localhost"), "{error}");
            assert!(error.to_string().contains(&format!("(identity {identity:?})")), "{error}");
        }
        still.clock.advance(Duration::from_secs(6));
    }
    assert_eq!(still.lab.vault.counters().token_calls, 1);
    assert_eq!(vaults[0].standing().breaker, BreakerState::Closed, "the vault has done nothing");
    still.clock.advance(Duration::from_secs(2));
    for vault in &vaults {
        read_canary(vault).await;
    }
    assert_eq!(still.lab.vault.counters().token_calls, 3);
    assert!(still.lab.counters.get(Counter::EntraBackedOff) >= 1);
}
