//! Tokens that are signed again and again, as of now.

use crate::{
    vectors,
    verifier::{DELEGATION_VALUE, KEY},
};
use proptest::prelude::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use valet::sign::{
    AccountKey, AccountName, AccountOptions, AccountSas, CLOCK_SKEW, DELEGATION_CAP, DelegationKey, DelegationKeyText,
    DelegationOptions, DelegationSas, Grant, Key, Protocol, Resource, Sas, SasOptions, ServiceBusSas, ServiceSas,
    SharedAccessKey, SignError, Signed, Timestamp, Window, sign, spec,
};

/// 2030-01-02T03:04:05Z and a bit.
const NOW: Duration = Duration::from_millis(1_893_553_445_900);
const HOUR: Duration = Duration::from_hours(1);

fn now() -> SystemTime {
    UNIX_EPOCH + NOW
}

fn account() -> AccountName {
    AccountName::parse("contosolake7").unwrap()
}

fn account_key() -> Key {
    Key::Account(AccountKey::parse(KEY).unwrap())
}

fn options() -> SasOptions {
    SasOptions { permissions: Some("lr".to_owned()), ..SasOptions::default() }
}

fn service(options: &SasOptions) -> Sas {
    let container = Resource::container("landing").unwrap();
    Sas::Service(Box::new(ServiceSas::new(&account(), &container, None, options).unwrap()))
}

fn delegation() -> Sas {
    let options = DelegationOptions { sas: options(), ..DelegationOptions::default() };
    let container = Resource::container("landing").unwrap();
    Sas::Delegation(Box::new(DelegationSas::new(&account(), &container, &options).unwrap()))
}

/// A key as Azure would give it for a window.
fn delegation_key(window: Window) -> Key {
    let (start, expiry) = (window.start().unwrap(), window.expiry().unwrap());
    let text = DelegationKeyText {
        oid: "5f0a1c1e-8f1b-4c1a-9b62-0d3a4f3c1b01",
        tid: "72f988bf-86f1-41af-91ab-2d7cd011db47",
        start: start.as_str(),
        expiry: expiry.as_str(),
        service: "b",
        version: "2022-11-02",
        delegated_user_tid: None,
        value: DELEGATION_VALUE,
    };
    Key::Delegation(DelegationKey::parse(&text).unwrap())
}

fn parameter(signed: &Signed, name: &str) -> Option<String> {
    let found = signed.parameters().into_iter().find(|(other, _)| other == name);
    found.map(|(_, value)| value.expose().to_owned())
}

#[test]
fn a_grant_is_open_a_quarter_of_an_hour_before_now_and_for_its_whole_lifetime() {
    let grant = Grant::new(service(&options()), 12 * HOUR).unwrap();
    let signed = sign(&account_key(), &grant, now()).unwrap();
    let said = ["sv", "sr", "sp", "st", "se", "spr"].map(|name| parameter(&signed, name).unwrap());
    assert_eq!(said, ["2022-11-02", "c", "rl", "2030-01-02T02:49:05Z", "2030-01-02T15:04:05Z", "https"]);
    assert_eq!(signed.expires_at, Timestamp::parse("expiry", "2030-01-02T15:04:05Z").ok());
}

#[test]
fn the_same_grant_in_the_same_second_is_the_same_token() {
    let grant = Grant::new(service(&options()), HOUR).unwrap();
    let at = |millis| sign(&account_key(), &grant, UNIX_EPOCH + Duration::from_millis(millis)).unwrap();
    assert_eq!(at(1_893_553_445_000), at(1_893_553_445_999));
    assert_ne!(at(1_893_553_445_000).token, at(1_893_553_446_000).token);
}

#[test]
fn only_a_declared_http_emulator_gets_a_token_for_plain_http() {
    let protocol = |protocol| {
        let grant = Grant::new(service(&SasOptions { protocol, ..options() }), HOUR).unwrap();
        parameter(&sign(&account_key(), &grant, now()).unwrap(), "spr")
    };
    assert_eq!(protocol(Protocol::default()).as_deref(), Some("https"));
    assert_eq!(protocol(Protocol::HttpsAndHttp).as_deref(), Some("https,http"));
}

#[test]
fn a_delegated_grant_of_seven_days_ends_seven_days_after_its_start() {
    let key = delegation_key(Window::of_delegation_key(now()).unwrap());
    let grant = Grant::new(delegation(), DELEGATION_CAP).unwrap();
    let signed = sign(&key, &grant, now()).unwrap();
    assert_eq!(parameter(&signed, "st").as_deref(), Some("2030-01-02T02:49:05Z"));
    assert_eq!(parameter(&signed, "se").as_deref(), Some("2030-01-09T02:49:05Z"));
    assert_eq!(parameter(&signed, "skt"), parameter(&signed, "st"));
    assert_eq!(parameter(&signed, "ske"), parameter(&signed, "se"));

    let beyond = Grant::new(delegation(), DELEGATION_CAP + Duration::from_secs(1));
    assert_eq!(beyond, Err(SignError::TooLongLived { field: "lifetime", cap: DELEGATION_CAP }));
    let later = sign(&key, &grant, now() + HOUR);
    assert_eq!(later, Err(SignError::OutsideDelegationKey { field: "expiry" }), "the key does not live that long");
}

#[test]
fn a_lifetime_of_nothing_is_refused() {
    for lifetime in [Duration::ZERO, Duration::from_millis(999)] {
        assert!(Grant::new(service(&options()), lifetime).is_err());
    }
    let endless = Grant::new(service(&options()), Duration::MAX).unwrap();
    assert!(sign(&account_key(), &endless, now()).is_err(), "no calendar goes that far");
}

#[test]
fn a_key_of_another_kind_signs_nothing() {
    let account_sas = AccountOptions {
        services: "b".to_owned(),
        resource_types: "co".to_owned(),
        permissions: "rl".to_owned(),
        ..AccountOptions::default()
    };
    let of_account = Sas::Account(Box::new(AccountSas::new(&account(), &account_sas).unwrap()));
    let of_bus = Sas::ServiceBus(ServiceBusSas::new("sb://ns.servicebus.windows.net/q", "p").unwrap());
    let shared_access = Key::SharedAccess(SharedAccessKey::parse("0123456789abcdef").unwrap());
    let keys = [account_key(), delegation_key(Window::of_delegation_key(now()).unwrap()), shared_access];
    for (sas, own) in [(service(&options()), 0), (of_account, 0), (delegation(), 1), (of_bus, 2)] {
        let grant = Grant::new(sas, HOUR).unwrap();
        let signs = keys.each_ref().map(|key| sign(key, &grant, now()).is_ok());
        assert_eq!(signs, [0, 1, 2].map(|key| key == own), "{grant:?}");
    }
}

#[test]
fn a_service_bus_grant_ends_its_lifetime_after_now() {
    let sas = ServiceBusSas::new("sb://ns.servicebus.windows.net/q", "p").unwrap();
    let key = Key::SharedAccess(SharedAccessKey::parse("0123456789abcdef").unwrap());
    let signed = sign(&key, &Grant::new(Sas::ServiceBus(sas), HOUR).unwrap(), now()).unwrap();
    assert_eq!(parameter(&signed, "se").as_deref(), Some("1893557045"));
    assert!(
        signed.token.expose().starts_with("SharedAccessSignature sr=sb%3A%2F%2Fns.servicebus.windows.net%2Fq&sig=")
    );
}

#[test]
fn a_grant_and_a_spec_that_say_the_same_are_the_same_token() {
    let grant = Grant::new(service(&options()), 12 * HOUR).unwrap();
    let signed = sign(&account_key(), &grant, now()).unwrap();
    let input = serde_json::json!({
        "account": "contosolake7", "key": KEY, "resource": {"container": "landing"}, "permissions": "rl",
        "start": "2030-01-02T02:49:05Z", "expiry": "2030-01-02T15:04:05Z", "protocol": "https",
    });
    let spec = spec::sign(&serde_json::json!({"kind": "service-sas-blob", "input": input}).to_string()).unwrap();
    assert_eq!(signed, spec.signed);
    assert_eq!(vectors::parameters(&spec)["sv"], "2022-11-02");
}

proptest! {
    #[test]
    fn no_window_is_longer_than_its_cap_or_the_lifetime_asked_for(
        now in 0_u64..200_000_000_000, lifetime in 1_u64..10_000_000, cap in proptest::option::of(1_u64..10_000_000),
    ) {
        let (lifetime, cap) = (Duration::from_secs(lifetime), cap.map(Duration::from_secs));
        let window = Window::opening(UNIX_EPOCH + Duration::from_secs(now), lifetime, cap);
        if cap.is_some_and(|cap| lifetime > cap) {
            prop_assert!(window.is_err());
            return Ok(());
        }
        let window = window.unwrap();
        let (start, expiry) = (window.start().unwrap().unix(), window.expiry().unwrap().unix());
        prop_assert_eq!(start, now.saturating_sub(CLOCK_SKEW.as_secs()));
        prop_assert!(expiry > start && expiry <= now + lifetime.as_secs());
        prop_assert!(cap.is_none_or(|cap| expiry - start <= cap.as_secs()));
    }
}
