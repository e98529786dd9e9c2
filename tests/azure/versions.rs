//! The newest version that is enabled: what accounts sign with.

use crate::lab::{CANARY, Lab, NAME, name};
use std::time::Duration;
use valet::{
    azure::{Error, KeyVault, Refusal, Vault},
    model::{Found, Urgency},
};
use valet_testvault::{Action, Authorization, Grant, SecretSpec};

/// Adds versions, each a second after the one before, and disables those that are marked so; answers their ids.
fn add_versions(lab: &Lab, values: &[(&str, bool)]) -> Vec<String> {
    let add = |(value, is_enabled): &(&str, bool)| {
        lab.advance(Duration::from_secs(1));
        let spec = SecretSpec { enabled: Some(*is_enabled), ..SecretSpec::value(*value) };
        lab.vault.put_secret("default", NAME, spec).unwrap()
    };
    values.iter().map(add).collect()
}

async fn newest(vault: &KeyVault) -> Result<Option<String>, Error> {
    let found = vault.newest_enabled(&name(NAME), Urgency::Awaited).await?;
    Ok(found.map(|found| found.value.expose().to_owned()))
}

#[tokio::test]
async fn the_latest_version_is_read_without_a_list_while_it_is_enabled() {
    let lab = Lab::start().await;
    add_versions(&lab, &[("second", true)]);
    assert_eq!(newest(&lab.key_vault()).await, Ok(Some("second".to_owned())));
    assert_eq!((lab.vault.counters().reads, lab.vault.counters().lists), (1, 0));
}

#[tokio::test]
async fn while_the_latest_version_is_disabled_the_newest_of_the_others_is_read() {
    let lab = Lab::start().await;
    let ids = add_versions(&lab, &[("second", true), ("third", true), ("fourth", false), ("fifth", false)]);
    let found = lab.key_vault().newest_enabled(&name(NAME), Urgency::Awaited).await.unwrap().unwrap();
    assert_eq!(found.value.expose(), "third");
    assert_eq!(found.version.as_deref(), ids[1].rsplit('/').next());
    assert!(found.created_at.is_some());
    assert_eq!((lab.vault.counters().reads, lab.vault.counters().lists), (2, 1));
}

#[tokio::test]
async fn versions_on_later_pages_are_looked_at_too() {
    let lab = Lab::start().await;
    // The seed's version is the only one that is enabled, whatever the order of the pages.
    add_versions(&lab, &[("disabled", false); 60]);
    assert_eq!(newest(&lab.key_vault()).await, Ok(Some(CANARY.to_owned())));
    assert!(lab.vault.counters().lists >= 3, "{:?}", lab.vault.counters());
}

#[tokio::test]
async fn a_secret_of_which_no_version_is_enabled_or_which_is_unknown_or_deleted_is_not_here() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    assert_eq!(vault.newest_enabled(&name("unknown"), Urgency::Awaited).await, Ok(None));
    lab.vault.disable_secret("default", NAME).unwrap();
    assert_eq!(newest(&vault).await, Ok(None));
    lab.vault.delete_secret("default", NAME).unwrap();
    assert_eq!(newest(&vault).await, Ok(None));
}

#[tokio::test]
async fn without_the_right_to_list_the_refusal_says_that_one_and_what_else_would_help() {
    for authorization in [Authorization::Rbac, Authorization::Policy] {
        let lab = Lab::start().await;
        lab.vault.set_authorization("default", authorization);
        lab.vault.disable_secret("default", NAME).unwrap();
        let appid = lab.vault.endpoints().client_id.clone();
        lab.vault.revoke(&Grant { actions: vec![Action::List], ..Grant::all(appid) });
        let error = newest(&lab.key_vault()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { why: Refusal::MayNotListVersions, .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("\"list\"") && said.contains("\"prod\"") && said.contains("enable that one"), "{said}");
        // And who may list reads on.
        add_versions(&lab, &[("second", true)]);
        assert_eq!(newest(&lab.key_vault()).await, Ok(Some("second".to_owned())));
    }
}

/// The value of the newest version before this one that is not `not`.
async fn earlier(vault: &KeyVault, than: &str, not: &'static str) -> Result<Option<String>, Error> {
    let is_wanted = move |found: &Found| found.value.expose() != not;
    let version = than.rsplit('/').next().unwrap();
    let found = vault.earlier_enabled(&name(NAME), version, &is_wanted, Urgency::Awaited).await?;
    Ok(found.map(|found| found.value.expose().to_owned()))
}

#[tokio::test]
async fn of_the_versions_before_one_the_newest_is_read_that_is_enabled_and_wanted() {
    let lab = Lab::start().await;
    let ids = add_versions(&lab, &[("one", true), ("two", true), ("off", false), ("two", true), ("three", true)]);
    let vault = lab.key_vault();
    assert_eq!(earlier(&vault, &ids[4], "two").await, Ok(Some("one".to_owned())));
    assert_eq!((lab.vault.counters().reads, lab.vault.counters().lists), (3, 1));
    assert_eq!(earlier(&vault, &ids[3], "three").await, Ok(Some("two".to_owned())), "the latest one is later");
    assert_eq!(earlier(&vault, &ids[0], "one").await, Ok(Some(CANARY.to_owned())));
    assert_eq!(earlier(&vault, &ids[0], CANARY).await, Ok(None));
    add_versions(&lab, &[("same", true); 4]);
    assert_eq!(earlier(&vault, "ffffffffffffffffffffffffffffffff", "same").await, Ok(None), "few are looked at");
}

#[tokio::test]
async fn a_version_that_says_to_hold_the_same_of_two_keys_is_passed_over() {
    let lab = Lab::start().await;
    let add = |value: &str, id: &str| {
        lab.advance(Duration::from_secs(1));
        let tags = Some([("CredentialId".to_owned(), id.to_owned())].into());
        lab.vault.put_secret("default", NAME, SecretSpec { tags, ..SecretSpec::value(value) }).unwrap()
    };
    add("first-of-1", "key1");
    add("first-of-2", "key2");
    let latest = add("second-of-2", "key2");
    assert_eq!(earlier(&lab.key_vault(), &latest, "second-of-2").await, Ok(Some("first-of-1".to_owned())));
}

#[tokio::test]
async fn earlier_versions_need_the_right_to_list() {
    let lab = Lab::start().await;
    let ids = add_versions(&lab, &[("second", true)]);
    let appid = lab.vault.endpoints().client_id.clone();
    lab.vault.revoke(&Grant { actions: vec![Action::List], ..Grant::all(appid) });
    let error = earlier(&lab.key_vault(), &ids[0], "second").await.unwrap_err();
    assert!(matches!(error, Error::Refused { why: Refusal::MayNotListVersions, .. }), "{error:?}");
    assert!(error.to_string().contains("suspect"), "{error}");
}
