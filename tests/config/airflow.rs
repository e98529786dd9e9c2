//! What `valet init --from-airflow-cfg` makes of Airflow's settings.

use super::{files, is_as_beside};
use std::fs;
use valet::{
    config::{
        Config,
        airflow::{Converted, NoConversion, convert},
    },
    env::MapEnv,
    source::{KeyVaultConfig, NamesConfig, SourceKind},
};

const BACKEND: &str = "airflow.providers.microsoft.azure.secrets.key_vault.AzureKeyVaultBackend";

fn no_env() -> MapEnv {
    MapEnv::default()
}

fn cfg(arguments: &str) -> String {
    format!("[secrets]\nbackend = {BACKEND}\nbackend_kwargs = {arguments}\n")
}

/// The vault of what was written.
fn vault(converted: &Converted) -> KeyVaultConfig {
    let config: Config = super::parse(&converted.yaml).unwrap().config;
    match config.sources.into_iter().map(|source| source.kind).collect::<Vec<_>>().as_slice() {
        [SourceKind::KeyVault(vault)] => vault.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_form_of_settings_becomes_the_file_beside_it() {
    let all = files("airflow", "cfg").into_iter().chain(files("airflow", "env"));
    let differences = all.filter_map(|file| {
        let converted = convert(&fs::read_to_string(&file).unwrap(), &no_env()).unwrap();
        assert!(!converted.yaml.contains("canary"), "{}", file.display());
        assert!(super::parse(&converted.yaml).is_ok(), "{}", file.display());
        is_as_beside(&file.with_extension("valet.yaml"), &converted.yaml).err()
    });
    let differences: String = differences.collect();
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn prefixes_and_separators_are_those_of_the_backend() {
    let names = |arguments: &str| {
        let arguments = format!("{{\"vault_url\": \"https://a.vault.azure.net\"{arguments}}}");
        vault(&convert(&cfg(&arguments), &no_env()).unwrap()).names
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(names(""), NamesConfig::default());
    assert_eq!(names(", \"connections_prefix\": \"a-b--\"").connections, text("a-b"));
    assert_eq!(names(", \"connections_prefix\": \"\"").connections, text(""));
    assert_eq!(names(", \"connections_prefix\": \"null\"").connections, text("null"));
    assert_eq!(names(", \"connections_prefix\": \"123\"").connections, text("123"));
    assert_eq!(names(", \"connections_prefix\": null").connections, None);
    assert_eq!(names(", \"sep\": \"--\"").separator, "--");
    let odd = names(", \"sep\": \"xy\", \"variables_prefix\": \"varsyx\"");
    assert_eq!((odd.separator.as_str(), odd.variables), ("xy", text("vars")));
    assert_eq!(names(", \"sep\": \"\"").separator, "");
}

#[test]
fn variables_of_the_environment_outrank_the_file_unless_they_lead_elsewhere() {
    let file = cfg("{\"vault_url\": \"https://file.vault.azure.net\"}");
    let host = |env: MapEnv| vault(&convert(&file, &env).unwrap()).url.host_str().unwrap().to_owned();
    assert_eq!(host(no_env()), "file.vault.azure.net");
    let arguments = "{\"vault_url\": \"https://env.vault.azure.net\"}";
    assert_eq!(host(MapEnv::new([("AIRFLOW__SECRETS__BACKEND_KWARGS", arguments)])), "env.vault.azure.net");
    let single = ("AIRFLOW__SECRETS__BACKEND_KWARG__VAULT_URL", "https://single.vault.azure.net");
    assert_eq!(host(MapEnv::new([single])), "single.vault.azure.net");
    let switched = MapEnv::new([("AIRFLOW__SECRETS__BACKEND", "airflow_valet.ValetBackend"), single]);
    assert_eq!(host(switched), "file.vault.azure.net");
    assert_eq!(host(MapEnv::new([("AIRFLOW__SECRETS__BACKEND", "")])), "file.vault.azure.net");

    let with_variable =
        cfg("{\"vault_url\": \"https://${CLUSTER}-kv.vault.azure.net\", \"sep\": \"-\", \"client_secret\": \"$\"}");
    let env = MapEnv::new([("CLUSTER", "blue")]);
    assert_eq!(vault(&convert(&with_variable, &env).unwrap()).url.host_str(), Some("blue-kv.vault.azure.net"));
}

#[test]
fn what_cannot_be_taken_over_says_why() {
    for (text, error) in [
        ("", NoConversion::Unreadable),
        ("canary", NoConversion::Unreadable),
        ("[secrets\n", NoConversion::Unreadable),
        ("[core]\nexecutor = x", NoConversion::NoBackend),
        ("[secrets]\nbackend =\nbackend_kwargs = {}", NoConversion::NoBackend),
        ("[secrets]\nbackend = airflow_valet.ValetBackend", NoConversion::OtherBackend),
        ("AIRFLOW__SECRETS__BACKEND=x.VaultBackend", NoConversion::OtherBackend),
        (&cfg("{\"canary\""), NoConversion::NotJson),
        (&cfg("[1]"), NoConversion::NotJson),
        (&cfg("{\"vault_url\": 5}"), NoConversion::NotText("vault_url")),
        (&cfg("\nbackend_kwargs_cmd = canary"), NoConversion::Elsewhere("backend_kwargs_cmd".to_owned())),
    ] {
        assert_eq!(convert(text, &no_env()), Err(error), "{text}");
    }
    for arguments in [
        "{}",
        "{\"vault_url\": \"canary\"}",
        "{\"vault_url\": \"http://a.vault.azure.net\"}",
        "{\"vault_url\": \"https://a\", \"sep\": \"_\"}",
    ] {
        let Err(NoConversion::Invalid(problems)) = convert(&cfg(arguments), &no_env()) else { panic!("{arguments}") };
        assert!(problems.errors() == 1 && !format!("{problems:?}").contains("canary"), "{problems:?}");
    }
}
