//! Microsoft's own signer of user delegation SAS, given the same key and the same wishes, makes the same token.

use crate::{vectors::parameters, verifier::DELEGATION_VALUE};
use azure_core::{
    time::{OffsetDateTime, parse_rfc3339},
    xml,
};
use azure_storage_sas::{SasBuilder, SasIpRange, SasProtocol};
use proptest::{collection::btree_map, option, prelude::*, sample, sample::subsequence};
use serde_json::json;
use std::collections::BTreeMap;
use url::form_urlencoded;
use valet::sign::spec;

/// The only version that the oracle signs.
const VERSION: &str = "2026-04-06";
const START: &str = "2030-01-02T03:04:05Z";
const EXPIRY: &str = "2030-01-03T03:04:05Z";
const TIME: &str = "2026-11-22T10:11:12.1234567Z";
const ID: &str = "9e1b5c2a-0d43-4f9e-8f2b-7c6d5e4f3a21";

/// A builder with the letters that are wanted, by the names of its setters, to the token that it makes.
macro_rules! token {
    ($builder:expr, $letters:expr, $($letter:literal $setter:ident)*) => {{
        let mut builder = $builder;
        $(if $letters.contains($letter) { builder = builder.$setter(); })*
        builder.build()
    }};
}

/// A builder of the blob service with what else may be wanted; its bound on that is private, so this cannot be a function.
macro_rules! with_wishes {
    ($builder:expr, $wishes:expr) => {{
        let (mut builder, wishes) = ($builder, $wishes);
        for (name, value) in &wishes.request_headers {
            builder = builder.signed_request_header(name, value);
        }
        for (name, value) in &wishes.request_query {
            builder = builder.signed_request_query_parameter(name, value);
        }
        if let Some(text) = &wishes.header {
            builder = builder.cache_control(text).content_disposition(text).content_encoding(text);
            builder = builder.content_language(text).content_type(text);
        }
        if wishes.scope {
            builder = builder.encryption_scope("scope-1");
        }
        if wishes.correlation {
            builder = builder.correlation_id(ID);
        }
        match wishes.object_id {
            Some("authorized_object_id") => builder.authorized_object_id(ID),
            Some(_) => builder.unauthorized_object_id(ID),
            None => builder,
        }
    }};
}

/// What only the blob service's tokens can say.
#[derive(Debug)]
struct Wishes {
    request_headers: BTreeMap<String, String>,
    request_query: BTreeMap<String, String>,
    header: Option<String>,
    scope: bool,
    correlation: bool,
    object_id: Option<&'static str>,
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let object_id = option::of(sample::select(&["authorized_object_id", "unauthorized_object_id"][..]));
    let parts = (
        btree_map("x-[a-z]{1,8}", "[a-z0-9]{1,8}", 0..3),
        btree_map("[a-z]{1,8}", "[a-zA-Z0-9]{1,8}", 0..3),
        option::of("[\\PC]{1,20}"),
        any::<bool>(),
        any::<bool>(),
        object_id,
    );
    parts.prop_map(|(request_headers, request_query, header, scope, correlation, object_id)| Wishes {
        request_headers,
        request_query,
        header,
        scope,
        correlation,
        object_id,
    })
}

/// A subset of letters in any order, not empty.
fn letters(all: &'static str) -> impl Strategy<Value = String> {
    let some = subsequence(all.chars().collect::<Vec<_>>(), 1..=all.len()).prop_shuffle();
    some.prop_map(|letters| letters.into_iter().collect())
}

/// The kind of resource, and letters of its own.
fn granted() -> impl Strategy<Value = (&'static str, String)> {
    sample::select(
        &[
            ("blob", "racwdxytmeopi"),
            ("snapshot", "racwdxytmeopi"),
            ("version", "racwdxytmeopi"),
            ("container", "racwdxyltmeopi"),
            ("directory", "racwdlmeop"),
            ("queue", "raup"),
        ][..],
    )
    .prop_flat_map(|(kind, all)| (Just(kind), letters(all)))
}

proptest! {
    #[test]
    fn the_oracle_makes_the_same_token_from_the_same_key(
        (kind, letters) in granted(), name in "[a-zA-Z0-9 %+&=?#äß漢😀~;,:@!$()*_-]{1,30}(/[a-z0-9 %+.ü]{1,20}x)?", wishes in wishes(),
        start: bool, range: bool, https: bool, delegated: bool,
    ) {
        let service = if kind == "queue" { "q" } else { "b" };
        let user_tid = if delegated { format!("<SignedDelegatedUserTid>{ID}</SignedDelegatedUserTid>") } else { String::new() };
        let key = xml::from_xml::<_, _>(format!(
            "<UserDelegationKey><SignedOid>oid-1</SignedOid><SignedTid>tid-1</SignedTid><SignedStart>2030-01-02T00:00:00Z</SignedStart>\
             <SignedExpiry>2030-01-08T00:00:00Z</SignedExpiry><SignedService>{service}</SignedService>\
             <SignedVersion>{VERSION}</SignedVersion>{user_tid}<Value>{DELEGATION_VALUE}</Value></UserDelegationKey>"
        )).unwrap();
        let mut builder = SasBuilder::new("contosolake7", &key, time(EXPIRY)).unwrap();
        let resource = match kind {
            "blob" => json!({"container": "landing", "blob": name}),
            "snapshot" => json!({"container": "landing", "blob": name, "snapshot": TIME}),
            "version" => json!({"container": "landing", "blob": name, "version_id": TIME}),
            "container" => json!({"container": "landing"}),
            "directory" => json!({"container": "landing", "directory": name}),
            _ => json!({"queue": "jobs-in"}),
        };
        let mut input = json!({
            "account": "contosolake7", "resource": resource, "permissions": letters, "expiry": EXPIRY, "service_version": VERSION,
            "user_delegation_key": {
                "oid": "oid-1", "tid": "tid-1", "start": "2030-01-02T00:00:00Z", "expiry": "2030-01-08T00:00:00Z", "service": service,
                "version": VERSION, "value": DELEGATION_VALUE,
            },
        });
        if start {
            builder = builder.start(time(START));
            input["start"] = json!(START);
        }
        if range {
            builder = builder.ip_range(SasIpRange::InclusiveRange { start: [203, 0, 113, 1].into(), end: [203, 0, 113, 9].into() });
            input["ip"] = json!("203.0.113.1-203.0.113.9");
        }
        if https {
            builder = builder.protocol(SasProtocol::Https);
            input["protocol"] = json!("https");
        }
        if delegated {
            builder = builder.delegated_user_object_id(ID);
            input["delegated_user_object_id"] = json!(ID);
            input["user_delegation_key"]["delegated_user_tid"] = json!(ID);
        }
        if kind != "queue" {
            input["request_headers"] = wishes.request_headers.iter().map(|(name, value)| json!([name, value])).collect();
            input["request_query"] = wishes.request_query.iter().map(|(name, value)| json!([name, value])).collect();
            if let Some(text) = &wishes.header {
                let names = ["cache_control", "content_disposition", "content_encoding", "content_language", "content_type"];
                input["response_headers"] = names.into_iter().map(|name| (name.to_owned(), json!(text))).collect();
            }
            if wishes.scope {
                input["encryption_scope"] = json!("scope-1");
            }
            if wishes.correlation {
                input["correlation_id"] = json!(ID);
            }
            if let Some(field) = wishes.object_id {
                input[field] = json!(ID);
            }
        }
        let expected = match kind {
            "blob" | "snapshot" | "version" => {
                let builder = with_wishes!(builder.blob("landing", &name), &wishes);
                let builder = match kind {
                    "snapshot" => builder.snapshot(TIME),
                    "version" => builder.version(TIME),
                    _ => builder,
                };
                token!(builder, letters, 'r' read 'a' add 'c' create 'w' write 'd' delete 'x' delete_version 'y' permanent_delete 't' tags
                    'm' move_blob 'e' execute 'o' ownership 'p' permissions 'i' set_immutability_policy)
            }
            "container" => token!(with_wishes!(builder.container("landing"), &wishes), letters, 'r' read 'a' add 'c' create 'w' write
                'd' delete 'x' delete_version 'y' permanent_delete 'l' list 't' tags 'm' move_blob 'e' execute 'o' ownership 'p' permissions
                'i' set_immutability_policy),
            "directory" => token!(with_wishes!(builder.directory("landing", &name), &wishes), letters, 'r' read 'a' add 'c' create 'w' write
                'd' delete 'l' list 'm' move_blob 'e' execute 'o' ownership 'p' permissions),
            _ => token!(builder.queue("jobs-in"), letters, 'r' read 'a' add 'u' update 'p' process),
        };
        let kind = if service == "q" { "udk-sas-queue" } else { "udk-sas-blob" };
        let found = spec::sign(&json!({"kind": kind, "input": input}).to_string());
        let found = found.map_err(|error| TestCaseError::fail(format!("{error}: {input}")))?;
        let expected = form_urlencoded::parse(expected.as_bytes()).into_owned();
        // It puts these two, which are a part of the URL and not signed by name, behind the token.
        let expected: BTreeMap<_, _> = expected.filter(|(name, _)| !matches!(name.as_str(), "snapshot" | "versionid")).collect();
        prop_assert_eq!(parameters(&found), expected);
    }
}

fn time(text: &str) -> OffsetDateTime {
    parse_rfc3339(text).unwrap()
}
