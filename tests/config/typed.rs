//! What a good file is read into.

use super::{folder, parse};
use std::{fs, path::Path, time::Duration};
use valet::{
    audit,
    azure::{BudgetConfig, ClientCertificate, IdentityConfig, IdentityKind, ManagedIdentityId, NetworkConfig},
    broker::{OnUnavailable, RouteConfig},
    cache,
    config::{Config, Loaded, Problems},
    model::{Kind, Reference, Right, SourceName},
    source::{
        FileConfig, KeyVaultConfig, ListConfig, ListWhen, NamesConfig, SourceConfig, SourceKind, Target, UpstreamConfig,
    },
    transport::{ListenerConfig, UnixConfig},
};

#[test]
fn every_key_reaches_the_typed_configuration() {
    let base = folder("data");
    let expected = Config {
        listeners: listeners(&base),
        identities: identities(&base),
        sources: sources(&base),
        source_times: [
            (
                SourceName::new("vault"),
                cache::Overrides {
                    fresh: Some(Duration::from_secs(90)),
                    stale: Some(Duration::ZERO),
                    not_found: Some(Duration::from_mins(2)),
                },
            ),
            (
                SourceName::new("central"),
                cache::Overrides { fresh: Some(Duration::from_secs(90)), ..cache::Overrides::default() },
            ),
        ]
        .into(),
        routes: routes(),
        cache: cache::Config {
            times: cache::Times {
                fresh: Duration::from_mins(90),
                stale: Duration::from_hours(30 * 24),
                not_found: Duration::ZERO,
            },
            max_bytes: 1 << 20,
        },
        audit: audit::Config::File(base.join("audit.jsonl")),
        ..Config::default()
    };
    let text = fs::read_to_string(base.join("everything.yaml")).unwrap();
    assert_eq!(parse(&text).map(|loaded| loaded.config), Ok(expected));
}

fn listeners(base: &Path) -> Vec<ListenerConfig> {
    let listener = |name: &str, path: &str, group: Option<&str>, allow: &[Right]| ListenerConfig {
        name: name.into(),
        unix: UnixConfig { path: base.join(path), mode: 0o660, group: group.map(str::to_owned) },
        allow: allow.iter().copied().collect(),
    };
    vec![
        listener("all", "run/all.sock", Some("1000"), &Right::ALL),
        listener("bare", "./run/bare.sock", None, &[Right::Connections, Right::Variables]),
    ]
}

fn identities(base: &Path) -> Vec<IdentityConfig> {
    let text = |text: &str| Some(text.to_owned());
    let identity = |name: &str, kind| IdentityConfig {
        name: name.into(),
        kind,
        authority_host: None,
        network: NetworkConfig::default(),
    };
    let managed = |id| IdentityKind::ManagedIdentity { id };
    let secret = |client_secret| IdentityKind::ClientSecret {
        tenant_id: "tenant".to_owned(),
        client_id: "client".to_owned(),
        client_secret,
    };
    let certificate = IdentityKind::ClientCertificate {
        tenant_id: "tenant".to_owned(),
        client_id: "client".to_owned(),
        certificate: Reference::File(base.join("files/identity.pem")),
    };
    let pod = IdentityKind::WorkloadIdentity {
        client_id: text("client"),
        tenant_id: text("tenant"),
        token_file: Some("/var/run/secrets/azure/tokens/azure-identity-token".into()),
    };
    let resource = "/subscriptions/s/resourceGroups/g/x".to_owned();
    vec![
        identity("default", IdentityKind::AzureCli { tenant_id: text("acme.onmicrosoft.com") }),
        IdentityConfig {
            authority_host: Some("https://login.microsoftonline.us".parse().unwrap()),
            ..identity("chain", IdentityKind::Default)
        },
        identity("variables", IdentityKind::Environment),
        IdentityConfig {
            authority_host: Some("http://127.0.0.1:4998".parse().unwrap()),
            network: ca(base),
            ..identity("pod", pod)
        },
        identity("machine", managed(None)),
        identity("machine_client", managed(Some(ManagedIdentityId::ClientId("client".to_owned())))),
        identity("machine_object", managed(Some(ManagedIdentityId::ObjectId("object".to_owned())))),
        identity("machine_resource", managed(Some(ManagedIdentityId::ResourceId(resource)))),
        identity("secret_env", secret(Reference::Env("SET".to_owned()))),
        identity("secret_file", secret(Reference::File(base.join("files/secret")))),
        identity("certificate", certificate),
    ]
}

fn ca(base: &Path) -> NetworkConfig {
    NetworkConfig { ca_file: Some(base.join("files/ca.pem")) }
}

fn sources(base: &Path) -> Vec<SourceConfig> {
    let source = |name, kind| SourceConfig { name: SourceName::new(name), kind };
    let file = |connections: Option<&str>, variables: Option<&str>| {
        let path = |path: Option<&str>| path.map(|path| base.join("files").join(path));
        SourceKind::File(FileConfig { connections: path(connections), variables: path(variables) })
    };
    let vault = |url: &str, identity: &str, names, network, requests, per, list| {
        let (url, budget) = (url.parse().unwrap(), BudgetConfig { requests, per: Duration::from_secs(per) });
        SourceKind::KeyVault(KeyVaultConfig { url, identity: identity.into(), names, network, budget, list })
    };
    let upstream = |target, network, client, token_file| {
        SourceKind::Upstream(UpstreamConfig { target, network, client, token_file })
    };
    let names = NamesConfig {
        connections: Some(String::new()),
        variables: None,
        config: Some("team_a".to_owned()),
        separator: "--".to_owned(),
        multi_team: true,
    };
    let by_default = ListConfig { when: ListWhen::Worthwhile, every: None, max_pages: 200, prefetch: Vec::new() };
    let prefetch = vec!["airflow-connections-*".to_owned(), "123?".to_owned()];
    let often = ListConfig { when: ListWhen::Always, every: Some(Duration::from_secs(90)), max_pages: 40, prefetch };
    let (everyones, near) = (NamesConfig::default(), NetworkConfig::default());
    let bare =
        vault("https://bare.vault.azure.net", "default", everyones.clone(), near.clone(), 200, 10, Some(by_default));
    let unlisted = vault("https://bare.vault.azure.net", "default", everyones, near, 200, 10, None);
    vec![
        source("env", SourceKind::Environment),
        source("connections", file(Some("connections.yaml"), None)),
        source("variables", file(None, Some("variables.env"))),
        source("bare_vault", bare),
        source("unlisted_vault", unlisted),
        source("vault", vault("http://localhost:4997", "pod", names, ca(base), 1, 90, Some(often))),
        source("node", upstream(Target::Unix(base.join("run/node.sock")), NetworkConfig::default(), None, None)),
        source(
            "central",
            upstream(
                Target::Https("https://valet.airflow.svc:8443".parse().unwrap()),
                ca(base),
                Some(ClientCertificate {
                    cert_file: base.join("files/identity.pem"),
                    key_file: base.join("files/identity.pem"),
                }),
                Some("/var/run/secrets/tokens/valet".into()),
            ),
        ),
    ]
}

fn routes() -> Vec<RouteConfig> {
    let route = |pattern: &str, kinds: &[Kind], sources: &[&str], on_unavailable| RouteConfig {
        pattern: pattern.to_owned(),
        kinds: kinds.to_vec(),
        sources: sources.iter().map(|name| SourceName::new(name)).collect(),
        on_unavailable,
        cache: cache::Overrides::default(),
    };
    let week = Some(Duration::from_hours(7 * 24));
    vec![
        route("a*", &[Kind::Connection, Kind::Variable], &["env", "vault"], OnUnavailable::Skip),
        route("123?", &[Kind::Config], &["connections", "variables"], OnUnavailable::Fail),
        RouteConfig {
            cache: cache::Overrides { stale: week, ..cache::Overrides::default() },
            ..route("*", &[Kind::Variable], &[], OnUnavailable::Fail)
        },
    ]
}

#[test]
fn what_is_left_out_is_as_the_rooms_have_it() {
    let minimal = parse("sources: {env: {kind: environment}}").unwrap();
    assert_eq!(minimal, Loaded { config: Config::default(), warnings: Problems::default() });
    let vault = parse("sources: {v: {kind: key-vault, url: \"https://v.vault.azure.net\"}}").unwrap().config;
    let SourceKind::KeyVault(source) = &vault.sources[0].kind else { panic!("it is a vault") };
    assert_eq!(source.names, NamesConfig::default());
    let names: Vec<_> = vault.identities.iter().map(|identity| (&*identity.name, &identity.kind)).collect();
    assert_eq!(names, [("default", &IdentityKind::Default)]);
}

#[test]
fn a_socket_without_a_mode_has_that_of_the_default_one_with_the_same_power() {
    for (allow, is_admin) in [("[connections]", false), ("[admin]", true), ("[config, admin]", true)] {
        let listen = format!("listen: {{a: {{unix: {{path: /run/a}}, allow: {allow}}}}}");
        let config = parse(&format!("sources: {{env: {{kind: environment}}}}\n{listen}")).unwrap().config;
        let defaults = Config::default().listeners;
        let like = defaults.iter().find(|listener| listener.allow.contains(&Right::Admin) == is_admin).unwrap();
        assert_eq!(config.listeners[0].unix.mode, like.unix.mode, "{allow}");
    }
}
