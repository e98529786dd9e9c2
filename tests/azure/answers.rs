//! What a vault answers, and what it means.

use crate::lab::{CANARY, Lab, NAME, fails, name, read, read_canary};
use std::time::{Duration, SystemTime};
use valet::{
    azure::{Error, Nonsense, Refusal, Unreachable, Vault},
    model::Urgency,
};
use valet_testvault::{ErrorBody, Fault, FaultRule, ForbiddenCode, RetryAfter, SecretSpec};

#[tokio::test]
async fn a_secret_is_read_with_its_version_and_its_end() {
    let lab = Lab::start().await;
    let spec = SecretSpec { exp: Some(4_102_444_801), ..SecretSpec::value("€ 1\r\n\0\"") };
    let id = lab.vault.put_secret("default", "odd", spec).unwrap();
    let found = lab.key_vault().secret(&name("ODD"), Urgency::Awaited).await.unwrap().unwrap();
    assert_eq!(found.value.expose(), "€ 1\r\n\0\"");
    assert_eq!(found.version.as_deref(), id.rsplit('/').next());
    assert_eq!(found.expires_at, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_801)));
}

#[tokio::test]
async fn an_unknown_and_a_deleted_secret_are_not_here() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    assert_eq!(vault.secret(&name("unknown"), Urgency::Awaited).await, Ok(None));
    lab.vault.delete_secret("default", NAME).unwrap();
    assert_eq!(read(&vault).await, Ok(None));
}

#[tokio::test]
async fn an_expired_and_an_early_secret_are_served_and_a_disabled_one_is_refused() {
    let lab = Lab::start().await;
    for spec in [
        SecretSpec { exp: Some(1), ..SecretSpec::value(CANARY) },
        SecretSpec { nbf: Some(4_102_444_801), ..SecretSpec::value(CANARY) },
    ] {
        lab.vault.put_secret("default", NAME, spec).unwrap();
        read_canary(&lab.key_vault()).await;
    }
    lab.vault.disable_secret("default", NAME).unwrap();
    assert_eq!(refusal(fails(&lab.key_vault()).await), Refusal::Disabled);
}

#[tokio::test]
async fn each_refusal_is_told_from_the_others_although_its_message_has_line_breaks() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for (code, expected, advice) in [
        (ForbiddenCode::ForbiddenByRbac, Refusal::MissingRole, "\"Key Vault Secrets User\""),
        (ForbiddenCode::AccessDenied, Refusal::MissingPolicy, "permission \"get\""),
        (ForbiddenCode::ForbiddenByPolicy, Refusal::MissingPolicy, "permission \"get\""),
        (ForbiddenCode::ForbiddenByFirewall, Refusal::Firewall, "vault's firewall"),
        (ForbiddenCode::ForbiddenByConnection, Refusal::PrivateOnly, "private endpoint"),
        (ForbiddenCode::SecretDisabled, Refusal::Disabled, "enable it"),
    ] {
        lab.vault.inject(FaultRule::new(Fault::Forbidden { code }).times(1));
        let error = fails(&vault).await;
        assert!(error.to_string().contains(advice) && error.to_string().contains("\"prod\""), "{error}");
        assert_eq!(refusal(error), expected);
    }
    lab.vault.inject(FaultRule::new(Fault::Status { status: 403, body: ErrorBody::Html, retry_after: None }).times(1));
    assert_eq!(refusal(fails(&vault).await), Refusal::Forbidden);
    read_canary(&vault).await;
}

#[tokio::test]
async fn only_the_vaults_own_word_makes_a_404_not_here() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for body in [ErrorBody::Html, ErrorBody::Empty] {
        lab.vault.inject(FaultRule::new(Fault::Status { status: 404, body, retry_after: None }).times(1));
        assert_eq!(nonsense(fails(&vault).await), Nonsense::Status(404));
    }
}

#[tokio::test]
async fn throttling_is_told_with_the_wait_that_it_asks_for_up_to_a_bound() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for (retry_after, expected) in [
        (None, None),
        (Some(RetryAfter::Seconds(7)), Some(7..=7)),
        (Some(RetryAfter::Seconds(86_400)), Some(300..=300)),
        (Some(RetryAfter::Date { date_in: 60 }), Some(58..=60)),
        (Some(RetryAfter::Date { date_in: -60 }), Some(0..=0)),
        (Some(RetryAfter::Text("soon".to_owned())), None),
    ] {
        lab.vault.inject(FaultRule::new(Fault::Throttled { retry_after }).times(1));
        let error = fails(&vault).await;
        assert!(matches!(error, Error::Throttled { .. }), "{error:?}");
        match (error.retry_after(), expected) {
            (Some(wait), Some(expected)) => assert!(expected.contains(&wait.as_secs()), "{wait:?}"),
            (wait, expected) => assert_eq!(wait.map(|wait| wait.as_secs()..=wait.as_secs()), expected),
        }
        lab.advance(Duration::from_mins(5));
    }
    // None of this was tried again.
    assert_eq!(lab.vault.counters().reads, 6);
}

#[tokio::test]
async fn a_failing_vault_is_asked_once_and_said_to_be_failing() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for (status, body) in [
        (500, ErrorBody::Empty),
        (502, ErrorBody::Html),
        (503, ErrorBody::Json),
        (504, ErrorBody::Html),
        (408, ErrorBody::Empty),
    ] {
        lab.vault
            .inject(FaultRule::new(Fault::Status { status, body, retry_after: Some(RetryAfter::Seconds(3)) }).times(1));
        let error = fails(&vault).await;
        assert!(
            matches!(error, Error::Failing { status: said, retry_after: Some(wait), .. } if said == status && wait.as_secs() == 3),
            "{error:?}"
        );
        lab.advance(Duration::from_secs(3));
    }
    assert_eq!(lab.vault.counters().reads, 5);
    read_canary(&vault).await;
}

#[tokio::test]
async fn nonsense_is_a_fault_of_its_own_and_leaves_the_client_usable() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for (fault, expected) in [
        (Fault::Html {}, Nonsense::Unreadable),
        (Fault::Empty {}, Nonsense::Unreadable),
        (Fault::TruncatedJson {}, Nonsense::Unreadable),
        (Fault::WrongJson {}, Nonsense::NoValue),
        (Fault::HugeBody { bytes: 10_000_000 }, Nonsense::TooLarge(1024 * 1024)),
        (Fault::Redirect { location: None }, Nonsense::Redirect(302)),
        (Fault::Status { status: 400, body: ErrorBody::Json, retry_after: None }, Nonsense::Status(400)),
        (Fault::status(204), Nonsense::Status(204)),
    ] {
        lab.vault.inject(FaultRule::new(fault.clone()).times(1));
        assert_eq!(nonsense(fails(&vault).await), expected, "{fault:?}");
    }
    read_canary(&vault).await;
    assert_eq!(lab.vault.counters().foreign_requests, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_a_fault_and_the_next_read_works() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for fault in [Fault::Reset {}, Fault::CutBody {}] {
        lab.vault.inject(FaultRule::new(fault).times(1));
        let error = fails(&vault).await;
        assert!(matches!(error, Error::Unreachable { cause: Unreachable::BrokenOff, .. }), "{error:?}");
    }
    read_canary(&vault).await;
}

#[tokio::test]
async fn a_vault_that_does_not_answer_in_time_is_named() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    for fault in [Fault::Hold {}, Fault::SlowBody { millis: 60_000 }] {
        // With a connection at hand, so that nothing but the answer is waited for; time then runs as fast as nobody has anything to do.
        read_canary(&vault).await;
        lab.vault.inject(FaultRule::new(fault).times(1));
        tokio::time::pause();
        let error = fails(&vault).await;
        assert!(matches!(&error, Error::TimedOut { after, .. } if *after <= Duration::from_secs(9)), "{error:?}");
        assert!(error.to_string().starts_with("vault localhost:"), "{error}");
        tokio::time::resume();
    }
    lab.vault.clear_faults(None);
    read_canary(&vault).await;
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Refused { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

fn nonsense(error: Error) -> Nonsense {
    match error {
        Error::Nonsense { why, .. } => why,
        other => panic!("{other:?}"),
    }
}
