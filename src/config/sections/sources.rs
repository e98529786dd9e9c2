use super::{network::network, settings};
use crate::{
    azure::{BudgetConfig, ClientCertificate},
    cache::Overrides,
    config::{
        address::{HostUrl, TargetOf},
        context::{Context, Names},
        path::{Content, PathTo},
        place::Place,
        record::{Record, Variant},
        shape::{ListOf, NameOf, OfKeys, Shape, Words},
        text::{Flag, Text},
        units::{CountOf, DurationOf},
    },
    model::{Kind, document::Node},
    source::{FileConfig, KeyVaultConfig, ListConfig, ListWhen, NamesConfig, SourceKind, Target, UpstreamConfig},
};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// One entry of `sources`, but for its name.
pub(super) fn source(record: &mut Record<'_, '_>) -> Option<(SourceKind, Option<Overrides>)> {
    let times = record.optional("cache", "What is different for this source.", &OfKeys(settings::overrides));
    let kind = record.variant("kind", "What the source is.", KINDS, &[])?;
    if times.is_some() && matches!(kind, SourceKind::Environment | SourceKind::File(_)) {
        record.note("cache", |place| {
            place.warning("this source is never cached, so nothing is different", "leave `cache` out here")
        });
    }
    Some((kind, times))
}

const KINDS: &[Variant<SourceKind>] = &[
    Variant {
        word: "environment",
        doc: "AIRFLOW_CONN_* and AIRFLOW_VAR_* of Valet's own environment.",
        read: |_| Some(SourceKind::Environment),
    },
    Variant { word: "file", doc: "Files in the formats of Airflow's LocalFilesystemBackend.", read: file },
    Variant { word: "key-vault", doc: "An Azure Key Vault.", read: key_vault },
    Variant {
        word: "upstream",
        doc: "Another Valet: its connections, variables and options, and the tokens of its grants.",
        read: upstream,
    },
];

fn file(record: &mut Record<'_, '_>) -> Option<SourceKind> {
    let connections = record.optional(
        "connections",
        "The file of connections: .json, .yaml, .yml or .env.",
        &PathTo(Content::Values(Kind::Connection)),
    );
    let variables = record.optional(
        "variables",
        "The file of variables: .json, .yaml, .yml or .env.",
        &PathTo(Content::Values(Kind::Variable)),
    );
    if !record.has("connections") && !record.has("variables") {
        record.note("", |place| place.error("this source names no file", "give it `connections`, `variables` or both"));
    }
    Some(SourceKind::File(FileConfig { connections, variables }))
}

fn key_vault(record: &mut Record<'_, '_>) -> Option<SourceKind> {
    let url = record.required("url", "The vault's URL.", &HostUrl { example: "https://acme-prod.vault.azure.net" });
    let identity = record.defaulted("identity", "Who asks.", &NameOf(Names::Identity), "default".into());
    let names = record.optional("names", "How Airflow's names become names of secrets.", &OfKeys(names));
    let network = record.optional("network", "How the vault is reached.", &OfKeys(network));
    let budget = record.optional(
        "budget",
        "How often this process asks the vault at most, whatever for. Where several sources name one vault, the smallest counts for all.",
        &OfKeys(budget),
    );
    let list = record.nullable(
        "list",
        "How the vault's list of secrets, 25 to a request, stands in for reading each value again; null is not at all.",
        &List,
        Some(ListConfig::default()),
    );
    let url = url?;
    if url.domain().is_some_and(|host| host.contains(".privatelink.")) {
        record.note("url", |place| {
            place.warning(
                "this is the vault's private-link name, which its certificate and its challenge do not have",
                "use the public name, such as https://acme-prod.vault.azure.net; DNS leads it to the private address",
            )
        });
    }
    Some(SourceKind::KeyVault(KeyVaultConfig {
        url,
        identity,
        names: names.unwrap_or_default(),
        network: network.unwrap_or_default(),
        budget: budget.unwrap_or_default(),
        list,
    }))
}

fn upstream(record: &mut Record<'_, '_>) -> Option<SourceKind> {
    let target =
        record.required("target", "Where the other Valet listens: https://HOST:PORT, or unix:PATH.", &TargetOf);
    let network = record.optional("network", "How it is reached.", &OfKeys(network));
    let cert_file = record.optional(
        "cert_file",
        "The PEM file of the certificate by which this Valet proves who it is, leaf first.",
        &PathTo(Content::Certificates),
    );
    let key_file = record.optional("key_file", "The PEM file of its private key.", &PathTo(Content::PrivateKey));
    let token_file = record.optional(
        "token_file",
        "The file of a token that goes along with each call, such as a Kubernetes service account's.",
        &PathTo(Content::Unread),
    );
    for (key, other) in [("cert_file", "key_file"), ("key_file", "cert_file")] {
        if record.has(key) && !record.has(other) {
            record.note(key, |place| {
                place.error("a certificate and its key come together", format!("write `{other}` too"))
            });
        }
    }
    if matches!(target, Some(Target::Unix(_))) {
        for key in ["network", "cert_file", "token_file"] {
            if record.has(key) {
                record.note(key, |place| {
                    place.error(
                        "this is for TLS, and a Unix socket needs none",
                        "leave it out: who may open the socket is let in",
                    )
                });
            }
        }
    }
    let client = cert_file.zip(key_file).map(|(cert_file, key_file)| ClientCertificate { cert_file, key_file });
    Some(SourceKind::Upstream(UpstreamConfig {
        target: target?,
        network: network.unwrap_or_default(),
        client,
        token_file,
    }))
}

fn budget(record: &mut Record<'_, '_>) -> Option<BudgetConfig> {
    const REQUESTS: CountOf = CountOf { min: 1, max: 100_000 };
    const SPAN: DurationOf = DurationOf { max: Duration::from_hours(1) };
    const SHORTEST: Duration = Duration::from_secs(1);
    let default = BudgetConfig::default();
    let requests = record.defaulted("requests", "The most requests …", &REQUESTS, default.requests);
    let per = record.defaulted("per", "… within any such time, from 1s to 1h.", &SPAN, default.per);
    if per < SHORTEST {
        record.note("per", |place| place.error("this is shorter than 1s", "write 1s or more"));
    }
    Some(BudgetConfig { requests, per })
}

/// `list`, which can show its default.
struct List;

impl Shape for List {
    type Out = ListConfig;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<ListConfig> {
        OfKeys(list).read(node, place, cx)
    }

    fn schema(&self) -> Json {
        OfKeys(list).schema()
    }

    fn show(&self, list: &ListConfig) -> Json {
        json!({"when": WHEN.show(&list.when)})
    }
}

fn list(record: &mut Record<'_, '_>) -> Option<ListConfig> {
    const TIMES: DurationOf = DurationOf { max: Duration::from_hours(1) };
    const SHORTEST: Duration = Duration::from_secs(1);
    const PAGES: CountOf = CountOf { min: 1, max: 2_000 };
    let default = ListConfig::default();
    let when = record.defaulted(
        "when",
        "`always`, or `worthwhile`: while listing costs fewer requests than reading again what is held, as where `list` is left out.",
        &WHEN,
        ListWhen::Always,
    );
    let every = record.optional(
        "every",
        "How often at most, from 1s to 1h. Without it: twice in the source's `fresh` time, and at least every third `not_found` time.",
        &TIMES,
    );
    let max_pages = record.defaulted(
        "max_pages",
        "The most pages, of 25 secrets each; a vault that has more is not listed.",
        &PAGES,
        default.max_pages,
    );
    let prefetch = record.optional(
        "prefetch",
        "Globs over names of secrets, such as `airflow-connections-*`: at start those that match are read before anybody asks for them, up to 1024.",
        &ListOf { shape: SECRETS, if_empty: None },
    );
    if every.is_some_and(|every| every < SHORTEST) {
        record.note("every", |place| place.error("this is shorter than 1s", "write 1s or more"));
    }
    let prefetch = prefetch.map(|globs| record.distinct(globs)).unwrap_or_default();
    Some(ListConfig { when, every, max_pages, prefetch })
}

const WHEN: Words<ListWhen> =
    Words { words: &[("always", ListWhen::Always), ("worthwhile", ListWhen::Worthwhile)], later: &[] };

const SECRETS: Text = Text {
    noun: "a glob over names of secrets",
    rule: "names of secrets are letters, digits and `-`; write `*` for any text and `?` for any character",
    is_right: |text| {
        let fits = (1..=LONGEST_NAME).contains(&text.len());
        fits && text.bytes().all(|byte| is_of_names(byte) || matches!(byte, b'*' | b'?'))
    },
    pattern: "^[0-9A-Za-z*?-]{1,127}$",
};

fn names(record: &mut Record<'_, '_>) -> Option<NamesConfig> {
    let default = NamesConfig::default();
    let connections =
        record.nullable("connections", "Prefix of connections; null turns them off.", &PREFIX, default.connections);
    let variables =
        record.nullable("variables", "Prefix of variables; null turns them off.", &PREFIX, default.variables);
    let config =
        record.nullable("config", "Prefix of configuration options; null turns them off.", &PREFIX, default.config);
    let separator = record.defaulted(
        "separator",
        "What stands between prefix and name, and replaces every `_`.",
        &SEPARATOR,
        default.separator,
    );
    let multi_team = record.defaulted(
        "multi_team",
        "Whether Airflow runs in multi-team mode: then a name that becomes one with `--` in it is nobody's.",
        &Flag,
        default.multi_team,
    );
    if connections.is_none() && variables.is_none() && config.is_none() {
        record.note("", |place| {
            place.warning(
                "every kind is turned off, so this source never answers",
                "give a kind a prefix, or remove the source",
            )
        });
    }
    Some(NamesConfig { connections, variables, config, separator, multi_team })
}

/// The longest name of a secret in Key Vault, and the most that may stand before what Airflow asks for.
const LONGEST_NAME: usize = 127;

const PREFIX: Text = Text {
    noun: "a prefix that Key Vault can hold",
    rule: "it is at most 125 letters, digits, `-` and `_`; it may be empty",
    is_right: |text| text.len() <= LONGEST_NAME - 2 && text.bytes().all(|byte| byte == b'_' || is_of_names(byte)),
    pattern: "^[0-9A-Za-z_-]{0,125}$",
};

const SEPARATOR: Text = Text {
    noun: "a separator that Key Vault can hold",
    rule: "it is at most 8 letters, digits and `-`; the usual one is `-`",
    is_right: |text| text.len() <= 8 && text.bytes().all(is_of_names),
    pattern: "^[0-9A-Za-z-]{0,8}$",
};

fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}
