//! What good accounts, grants and connections are read into.

use super::{folder, parse};
use serde_json::Number;
use std::{fs, time::Duration};
use valet::{
    azure::{IdentityKind, NetworkConfig},
    broker::{ConnectionConfig, EntraTokenConfig, ExtraConfig, Field, PartConfig},
    mint::{AccountConfig, AccountKind, GrantConfig, GrantKind, ScopeConfig, StorageConfig, StorageService},
    model::{Name, Origin, Reference, Right, SourceName},
};

const HOUR: Duration = Duration::from_hours(1);

#[expect(clippy::unnecessary_wraps, reason = "every field that it fills may be absent")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn secret(source: &str, name: &str) -> Origin {
    Origin::Secret { source: SourceName::new(source), name: Name::parse(name).unwrap() }
}

fn env(name: &str) -> Origin {
    Origin::Local(Reference::Env(name.to_owned()))
}

fn file(name: &str) -> Origin {
    Origin::Local(Reference::File(folder("data").join(name)))
}

fn brokered() -> valet::config::Config {
    parse(&fs::read_to_string(folder("data/brokered.yaml")).unwrap()).unwrap().config
}

fn accounts() -> Vec<AccountConfig> {
    let account = |name: &str, kind, keys: &[Origin]| AccountConfig {
        name: name.into(),
        kind,
        keys: keys.to_vec(),
        identity: "default".into(),
        network: NetworkConfig::default(),
    };
    let url = |url: &str| url.parse().unwrap();
    let endpoints = [
        (StorageService::Blob, "http://127.0.0.1:10000/acmelanding"),
        (StorageService::Dfs, "https://acmelanding.z1.dfs.storage.azure.net/"),
        (StorageService::File, "https://files.acme.example"),
        (StorageService::Queue, "http://queue.localhost:10001/a/acmelanding/"),
        (StorageService::Table, "https://acmelanding-secondary.table.core.windows.net"),
    ];
    let landing = AccountKind::Storage(StorageConfig {
        account: "acmelanding".into(),
        suffix: "core.chinacloudapi.cn".into(),
        endpoints: endpoints.map(|(service, endpoint)| (service, url(endpoint))).to_vec(),
    });
    let numbered = AccountKind::Storage(StorageConfig {
        account: "123456".into(),
        suffix: "core.windows.net".into(),
        endpoints: vec![],
    });
    let bus = |host: &str, policy| AccountKind::ServiceBus { host: host.into(), policy };
    let cosmos = AccountKind::Cosmos { endpoint: url("https://acme.documents.azure.com") };
    let batch = AccountKind::Batch {
        account: "acmebatch".into(),
        endpoint: url("https://acmebatch.westeurope.batch.azure.com"),
    };
    let keys =
        [secret("prod", "landing-key1"), env("KEY"), file("files/account.key"), secret("files", "a key/of 2026")];
    vec![
        AccountConfig {
            identity: "prod".into(),
            network: NetworkConfig { ca_file: Some(folder("data/files/ca.pem")) },
            ..account("landing", landing, &keys)
        },
        account("numbered", numbered, &[]),
        account("bus", bus("acme.servicebus.windows.net", text("send")), &[secret("env", "BUS_KEY")]),
        account("hubs", bus("acme.servicebus.usgovcloudapi.net", None), &[secret("prod", "hubs")]),
        account("documents", cosmos, &[env("KEY")]),
        account("batch", batch, &[env("KEY")]),
    ]
}

fn grants() -> Vec<GrantConfig> {
    let grant = |name: &str, account: &str, kind, scope| GrantConfig {
        name: name.into(),
        account: account.into(),
        kind,
        scope,
        lifetime: 12 * HOUR,
        min_remaining: 6 * HOUR,
    };
    let of_landing = |name, scope| grant(name, "landing", GrantKind::ServiceSas, scope);
    let of = |service, permissions: &str| ScopeConfig {
        service: Some(service),
        permissions: text(permissions),
        ..ScopeConfig::default()
    };
    let raw = |permissions| ScopeConfig { container: text("raw"), ..of(StorageService::Blob, permissions) };
    let id = "6f1c2d3e-0000-0000-0000-000000000000";
    let time = "2026-11-24T00:00:00.0000000Z";
    let version = ScopeConfig { blob: text("a b/c.csv"), version_id: text(time), ..raw("r") };
    let directory = ScopeConfig {
        service: Some(StorageService::Dfs),
        directory: text("2026/11"),
        ip: text("203.0.113.7"),
        encryption_scope: text("scope"),
        service_version: text("2024-11-04"),
        ..raw("rl")
    };
    let policy = ScopeConfig {
        queue: text("orders"),
        identifier: text("policy"),
        permissions: None,
        ..of(StorageService::Queue, "")
    };
    let file = ScopeConfig { share: text("reports"), path: text("2026/a.csv"), ..of(StorageService::File, "r") };
    let table = ScopeConfig {
        table: text("Orders"),
        start_pk: text("a"),
        start_rk: text("1"),
        end_pk: text("b"),
        end_rk: text("2"),
        ..of(StorageService::Table, "r")
    };
    let account = ScopeConfig {
        services: text("bfqt"),
        resource_types: text("sco"),
        permissions: text("rl"),
        ..ScopeConfig::default()
    };
    let delegated = ScopeConfig {
        unauthorized_object_id: text(id),
        correlation_id: text("6f1c2d3e-0000-0000-0000-000000000001"),
        ..raw("rl")
    };
    let vouched = ScopeConfig { authorized_object_id: text(id), ..raw("r") };
    let orders = ScopeConfig { entity: text("orders"), ..ScopeConfig::default() };
    vec![
        GrantConfig { lifetime: HOUR, min_remaining: HOUR / 2, ..of_landing("version", version) },
        of_landing("snapshot", ScopeConfig { blob: text("c.csv"), snapshot: text(time), ..raw("r") }),
        of_landing("directory", directory),
        of_landing("policy", policy),
        GrantConfig { lifetime: 24 * HOUR, min_remaining: 3 * HOUR / 2, ..of_landing("file", file) },
        of_landing("table", table),
        grant("account", "landing", GrantKind::AccountSas, account),
        GrantConfig {
            lifetime: 7 * 24 * HOUR,
            ..grant("delegated", "numbered", GrantKind::UserDelegationSas, delegated)
        },
        grant("vouched", "numbered", GrantKind::UserDelegationSas, vouched),
        grant("orders", "bus", GrantKind::ServiceBusSas, orders),
        grant("requests", "landing", GrantKind::SharedKey, raw("rw")),
        grant("master", "documents", GrantKind::AccountKey, ScopeConfig::default()),
    ]
}

fn connections() -> Vec<ConnectionConfig> {
    let connection = |id: &str, conn_type: &str, grant: Option<&str>| ConnectionConfig {
        id: Name::parse(id).unwrap(),
        conn_type: conn_type.into(),
        grant: grant.map(Into::into),
        fields: vec![],
        port: None,
        extra: vec![],
    };
    let literal = |text: &str| PartConfig::Literal(text.to_owned());
    let token = |scope: &str, identity: &str, minutes| {
        PartConfig::EntraToken(EntraTokenConfig {
            scope: scope.to_owned(),
            identity: identity.into(),
            min_remaining: Duration::from_mins(minutes),
        })
    };
    let reporting = ConnectionConfig {
        fields: vec![
            (Field::Description, literal("2026")),
            (Field::Host, PartConfig::Origin(env("SET"))),
            (Field::Login, PartConfig::Origin(file("files/secret"))),
            (Field::Password, token("https://ossrdbms-aad.database.windows.net/.default", "prod", 10)),
            (Field::Schema, PartConfig::Origin(secret("prod", "reporting-schema"))),
        ],
        port: Some(5432),
        extra: extra(token("2ff814a6-3304-4ab8-85cd-cb0e6f879c1d/.default", "default", 5)),
        ..connection("reporting", "postgres", None)
    };
    let plain = ConnectionConfig {
        fields: vec![(Field::Password, literal("")), (Field::Schema, literal(""))],
        port: Some(0),
        ..connection("plain", "http", None)
    };
    vec![
        connection("wasb_landing", "wasb", Some("account")),
        ConnectionConfig {
            fields: vec![(Field::Description, literal("Orders"))],
            ..connection("team/orders (2026).é", "azure-service-bus", Some("orders"))
        },
        connection("bare", "http", None),
        reporting,
        plain,
    ]
}

fn extra(token: PartConfig) -> Vec<(String, ExtraConfig)> {
    let literal = |text: &str| ExtraConfig::Part(PartConfig::Literal(text.to_owned()));
    let origin = |origin| ExtraConfig::Part(PartConfig::Origin(origin));
    let entry = |key: &str, value| (key.to_owned(), value);
    let whole = |number: i64| ExtraConfig::Number(number.into());
    let list = vec![literal("a"), whole(1), origin(env("SET")), ExtraConfig::List(vec![ExtraConfig::Null])];
    let map =
        vec![entry("one", literal("a")), entry("two", origin(secret("prod", "two"))), entry("file", literal("name"))];
    vec![
        entry("sslmode", literal("require")),
        entry("sas_token", ExtraConfig::Part(PartConfig::Grant("directory".into()))),
        entry("token", literal("")),
        entry("password", ExtraConfig::Null),
        entry("keepalives", whole(1)),
        entry("ratio", ExtraConfig::Number(Number::from_f64(-1500.0).unwrap())),
        entry("signed", whole(7)),
        entry("quoted", literal("1")),
        entry("zeros", literal("007")),
        entry("hex", literal("0x1F")),
        entry("large", literal("12345678901234567890123")),
        entry("yes", literal("yes")),
        entry("tls", ExtraConfig::Bool(true)),
        entry("off", ExtraConfig::Bool(false)),
        entry("nothing", ExtraConfig::Null),
        entry("empty", ExtraConfig::Null),
        entry("list", ExtraConfig::List(list)),
        entry("map", ExtraConfig::Map(map)),
        entry("odd key.", ExtraConfig::Part(token)),
    ]
}

#[test]
fn every_key_of_accounts_grants_and_connections_reaches_the_typed_configuration() {
    let config = brokered();
    assert_eq!(config.accounts, accounts());
    assert_eq!(config.grants, grants());
    assert_eq!(config.connections, connections());
    let rights = [Right::Connections, Right::Tokens, Right::Signatures];
    assert_eq!(config.listeners[0].allow, rights.into());
}

#[test]
fn the_default_identity_is_there_for_delegation_and_for_entra_tokens_and_for_nothing_else() {
    let account = "accounts: {a: {kind: storage, name: acme, keys: [{env: KEY}]}}";
    let grant = |kind: &str| {
        format!("grants: {{g: {{account: a, kind: {kind}, service: blob, container: raw, permissions: r}}}}")
    };
    let delegation = grant("user-delegation-sas");
    let token = "{entra_token: {scope: a/.default}}";
    for (text, is_there) in [
        (format!("{account}\n{}", grant("service-sas")), false),
        (format!("{account}\n{delegation}"), true),
        (format!("{}\n{delegation}\nidentities: {{i: {{kind: environment}}}}", account.replace("keys", "identity: i, keys")), false),
        (format!("connections: {{c: {{type: http, password: {token}}}}}"), true),
        (format!("connections: {{c: {{type: http, extra: {{a: [{{b: {token}}}]}}}}}}"), true),
        ("connections: {c: {type: http, password: {entra_token: {scope: a/.default, identity: i}}}}\nidentities: {i: {kind: environment}}".to_owned(), false),
    ] {
        let identities = parse(&text).unwrap_or_else(|problems| panic!("{problems:?}")).config.identities;
        let found = identities.iter().any(|identity| (&*identity.name, &identity.kind) == ("default", &IdentityKind::Default));
        assert_eq!(found, is_there, "{text}");
    }
}

#[test]
fn a_grant_that_only_says_its_lifetime_is_handed_out_until_half_of_it_is_left_and_six_hours_at_most() {
    let life = |life: &str| {
        let text = format!(
            "sources: {{env: {{kind: environment}}}}\naccounts: {{a: {{kind: storage, name: acme, keys: [{{env: KEY}}]}}}}\n\
             grants: {{g: {{account: a, kind: account-sas, services: b, resource_types: o, permissions: r{life}}}}}"
        );
        let grant = parse(&text).unwrap().config.grants.swap_remove(0);
        (grant.lifetime, grant.min_remaining)
    };
    assert_eq!(life(""), (12 * HOUR, 6 * HOUR));
    assert_eq!(life(", lifetime: 3d"), (72 * HOUR, 6 * HOUR));
    assert_eq!(life(", lifetime: 3h"), (3 * HOUR, 3 * HOUR / 2));
    assert_eq!(life(", min_remaining: 11h"), (12 * HOUR, 11 * HOUR));
    assert_eq!(life(", lifetime: 3h, min_remaining: 1m"), (3 * HOUR, HOUR / 60));
}

#[test]
fn connections_alone_need_no_source() {
    let text = "connections: {bare: {type: http}}";
    assert!(parse(text).unwrap().warnings.is_empty());
}

#[test]
fn an_upstream_without_a_route_is_of_use_where_tokens_are_handed_out() {
    let with = |allow: &str| {
        let text = format!(
            "listen: {{a: {{unix: {{path: /a}}, allow: [{allow}]}}}}
sources: {{env: {{kind: environment}}, central: {{kind: upstream, target: \"unix:/b\"}}}}
routes: [{{match: \"*\", sources: [env]}}]"
        );
        super::problems(&text).render(std::path::Path::new("f"))
    };
    assert_eq!(with("connections, tokens"), "");
    assert!(with("connections").contains("sources.central: no route leads to this source"), "{}", with("connections"));
}
