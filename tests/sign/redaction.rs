//! No part of a key or token can be printed by accident.

use crate::{
    vectors::{all, spec_of},
    verifier::{DELEGATION_VALUE, KEY},
};
use valet::sign::{AccountKey, DelegationKey, DelegationKeyText, Key, SharedAccessKey, spec};

/// Whether a text shows eight characters in a row of a secret.
fn shows(text: &str, secret: &str) -> bool {
    secret.as_bytes().windows(8).any(|part| text.contains(std::str::from_utf8(part).unwrap_or("\0")))
}

#[test]
fn debug_shows_no_part_of_a_key() {
    let text = DelegationKeyText {
        oid: "o",
        tid: "t",
        start: "2030-01-02T00:00:00Z",
        expiry: "2030-01-08T00:00:00Z",
        service: "b",
        version: "2022-11-02",
        delegated_user_tid: None,
        value: DELEGATION_VALUE,
    };
    let keys = [
        Key::Account(AccountKey::parse(KEY).unwrap()),
        Key::Delegation(DelegationKey::parse(&text).unwrap()),
        Key::SharedAccess(SharedAccessKey::parse(KEY).unwrap()),
    ];
    for shown in keys.iter().flat_map(|key| [format!("{key:?}"), format!("{key:#?}")]) {
        assert!(!shows(&shown, KEY) && !shows(&shown, DELEGATION_VALUE), "{shown}");
    }
}

#[test]
fn debug_shows_no_part_of_a_token_and_no_error_repeats_a_key() {
    for vector in all() {
        let mut spec = spec_of(&vector);
        if let Ok(signed) = spec::sign(&spec.to_string()) {
            let (shown, token) = (format!("{signed:?}"), signed.signed.token.expose());
            let signature = token.rsplit_once("sig=").map_or(token, |(_, signature)| signature);
            assert!(!shows(&shown, signature), "{}: {shown}", vector["id"]);
        }
        // Every text in turn is the key, as if fields had slipped.
        for field in
            ["account", "resource", "permissions", "expiry", "service_version", "url", "method", "policy", "kind"]
        {
            let kept = spec["input"][field].clone();
            spec["input"][field] = KEY.into();
            if let Err(error) = spec::sign(&spec.to_string()) {
                assert!(!shows(&error.to_string(), KEY), "{field}: {error}");
            }
            spec["input"][field] = kept;
        }
        spec["input"][KEY] = true.into();
        let error = spec::sign(&spec.to_string()).unwrap_err();
        assert!(!shows(&error.to_string(), KEY), "{error}");
    }
}
