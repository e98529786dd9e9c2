//! One account, grants on it, and requests to sign under them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use valet::{
    azure::NetworkConfig,
    mint::{
        AccountConfig, AccountKind, BadGrant, Grant, GrantConfig, GrantKind, RequestRefusal, ScopeConfig,
        SignedRequest, StorageConfig, StorageService, StoredKey,
    },
    model::{Origin, Reference, Secret},
};

/// A made-up key: base64 of 64 bytes.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
pub(crate) const DATE: &str = "Wed, 02 Jan 2030 03:04:05 GMT";

/// The moment of [`DATE`].
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_893_553_445)
}

pub(crate) fn account(endpoints: &[(StorageService, &str)]) -> AccountConfig {
    AccountConfig {
        name: "lake".into(),
        kind: AccountKind::Storage(StorageConfig {
            account: "contosolake7".to_owned(),
            suffix: StorageConfig::SUFFIX.to_owned(),
            endpoints: endpoints.iter().map(|(service, url)| (*service, url.parse().unwrap())).collect(),
        }),
        keys: vec![Origin::Local(Reference::Env("KEY".to_owned()))],
        identity: "default".into(),
        network: NetworkConfig::default(),
    }
}

pub(crate) fn grant(scope: ScopeConfig, account: &AccountConfig) -> Result<Grant, BadGrant> {
    let config = GrantConfig {
        name: "reader".into(),
        account: "lake".into(),
        kind: GrantKind::SharedKey,
        scope,
        lifetime: GrantConfig::LIFETIME,
        min_remaining: GrantConfig::MIN_REMAINING,
    };
    Grant::new(&config, account)
}

/// A whole container, share, queue or table, whose name is `landing` or, of a table, `Metrics`.
pub(crate) fn whole(service: StorageService, letters: &str) -> ScopeConfig {
    let scope = ScopeConfig { service: Some(service), permissions: Some(letters.to_owned()), ..ScopeConfig::default() };
    let name = Some("landing".to_owned());
    match service {
        StorageService::Blob | StorageService::Dfs => ScopeConfig { container: name, ..scope },
        StorageService::File => ScopeConfig { share: name, ..scope },
        StorageService::Queue => ScopeConfig { queue: name, ..scope },
        StorageService::Table => ScopeConfig { table: Some("Metrics".to_owned()), ..scope },
    }
}

pub(crate) fn key(account: &AccountConfig) -> StoredKey {
    StoredKey::parse(account, &Secret::new(KEY), None, None).unwrap()
}

/// What becomes of `METHOD URL` with these headers.
pub(crate) fn sign_at(
    account: &AccountConfig,
    scope: ScopeConfig,
    request: &str,
    headers: &[(&str, &str)],
) -> Result<SignedRequest, RequestRefusal> {
    let (method, url) = request.split_once(' ').unwrap();
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let grant = grant(scope, account).unwrap();
    grant.requests().unwrap().sign(&key(account), method, url, &headers, now())
}

/// What becomes of `METHOD /PATH` at the service's usual endpoint.
pub(crate) fn sign(
    scope: ScopeConfig,
    request: &str,
    headers: &[(&str, &str)],
) -> Result<SignedRequest, RequestRefusal> {
    let account = account(&[]);
    let host = format!(" https://contosolake7.{}.core.windows.net", scope.service.unwrap().as_str());
    sign_at(&account, scope, &request.replacen(' ', &host, 1), headers)
}

/// An operation: `METHOD /PATH`, headers, and the sets of letters of which each suffices.
pub(crate) type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// Asserts for each case that the letters decide, and nothing but the letters that it names.
pub(crate) fn assert_letters(scope: impl Fn(&str) -> ScopeConfig, all: &str, cases: &[Case<'_>]) {
    for (request, headers, sets) in cases {
        let alone = all.chars().map(String::from);
        let without = all.chars().map(|letter| all.replace(letter, ""));
        let named = sets.iter().map(|set| (*set).to_owned());
        for letters in alone.chain(without).chain(named).chain([all.to_owned()]) {
            let suffices = sets.iter().any(|set| set.chars().all(|letter| letters.contains(letter)));
            match sign(scope(&letters), request, headers) {
                Ok(_) => assert!(suffices, "{request} signed under {letters}"),
                Err(RequestRefusal::Outside(said)) => {
                    assert!(!suffices, "{request} under {letters}: {said}");
                    assert!(said.contains(&format!("the grant allows {letters:?} on ")), "{said}");
                }
                Err(other) => panic!("{request} under {letters}: {other}"),
            }
        }
    }
}

/// A request: `METHOD /PATH`, headers, and a part of what the refusal says.
pub(crate) type Refused<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Asserts that a grant of all letters does not sign them, each with a text that says so.
pub(crate) fn assert_outside(scope: &ScopeConfig, cases: &[Refused<'_>]) {
    for (request, headers, says) in cases {
        match sign(scope.clone(), request, headers) {
            Err(RequestRefusal::Outside(said)) => {
                assert!(said.contains(says) && said.contains("the grant allows"), "{request}: {said}");
            }
            other => panic!("{request}: {other:?}"),
        }
    }
}

/// Asserts that no request of these can be signed under any grant.
pub(crate) fn assert_malformed(scope: &ScopeConfig, cases: &[Refused<'_>]) {
    for (request, headers, says) in cases {
        match sign(scope.clone(), request, headers) {
            Err(RequestRefusal::Malformed(said)) => assert!(said.contains(says), "{request}: {said}"),
            other => panic!("{request}: {other:?}"),
        }
    }
}
