//! The `key-vault` source: names, teams, and what each fault is to those who look something up.

use crate::lab::{CANARY, Lab, NAME, runs_alone};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;
use valet::{
    azure::{BudgetConfig, IdentityConfig},
    model::{Fault as OurFault, FaultKind, Kind, Lookup, SourceName, Urgency},
    source::{KeyVaultConfig, KeyVaultSource, ListSeams, NamesConfig, Source},
};
use valet_testvault::{ErrorBody, Face, Fault, FaultRule, ForbiddenCode, RetryAfter, SecretSpec};

#[tokio::test]
async fn each_kind_is_read_by_its_own_name_and_a_teams_before_everybodys() {
    let lab = Lab::start().await;
    for (name, value) in [
        ("airflow-variables-region", "everybody's"),
        ("airflow-variables-red--region", "red's"),
        ("airflow-config-sql-conn", "sqlite://"),
    ] {
        lab.vault.put_secret("default", name, SecretSpec::value(value)).unwrap();
    }
    let source = source(&lab);
    for (kind, name, team, expected) in [
        (Kind::Connection, "db", "", Some(CANARY)),
        (Kind::Connection, "DB", "red", Some(CANARY)),
        (Kind::Variable, "region", "", Some("everybody's")),
        (Kind::Variable, "region", "red", Some("red's")),
        (Kind::Variable, "region", "blue", Some("everybody's")),
        (Kind::Config, "sql_conn", "red", Some("sqlite://")),
        (Kind::Config, "region", "", None),
    ] {
        let found = source.read(&Lookup::parse(kind, name, team).unwrap(), Urgency::Awaited).await.unwrap();
        assert_eq!(found.as_ref().map(|found| found.value.expose()), expected, "{kind} {name} {team}");
    }
    assert_eq!((source.kind(), source.is_local(), source.name().as_str()), ("key-vault", false, "prod"));
    let place = |team| source.location(&Lookup::parse(Kind::Connection, "db", team).unwrap());
    assert_eq!(place(""), "secret \"airflow-connections-db\"");
    assert_eq!(place("red"), "secret \"airflow-connections-red--db\" or secret \"airflow-connections-db\"");
}

#[tokio::test]
async fn a_name_that_no_vault_can_hold_is_not_here_and_never_asked_for() {
    let lab = Lab::start().await;
    let source = source(&lab);
    for name in ["a/versions", "../deletedsecrets/x", "a?b", "a#b", "%2e%2e", "a b", "é", "😀", ".", &"x".repeat(1000)]
    {
        let lookup = Lookup::parse(Kind::Variable, name, "").unwrap();
        assert_eq!(source.read(&lookup, Urgency::Awaited).await, Ok(None), "{name}");
        assert_eq!(source.location(&lookup), lookup.to_string());
    }
    assert_eq!(lab.vault.log(0), []);
}

#[tokio::test]
async fn each_fault_has_its_kind_and_names_the_secret() {
    let lab = Lab::start().await;
    let source = source(&lab);
    let retry = Some(RetryAfter::Seconds(7));
    let forbidden = |code| FaultRule::new(Fault::Forbidden { code });
    for (rule, expected, retry_after) in [
        (forbidden(ForbiddenCode::ForbiddenByRbac), FaultKind::DeniedBySource, None),
        (forbidden(ForbiddenCode::AccessDenied), FaultKind::DeniedBySource, None),
        (forbidden(ForbiddenCode::SecretDisabled), FaultKind::DeniedBySource, None),
        (forbidden(ForbiddenCode::ForbiddenByFirewall), FaultKind::SourceDown, None),
        (forbidden(ForbiddenCode::ForbiddenByConnection), FaultKind::SourceDown, None),
        (FaultRule::new(Fault::Throttled { retry_after: retry.clone() }), FaultKind::Throttled, Some(7)),
        (
            FaultRule::new(Fault::Status { status: 503, body: ErrorBody::Html, retry_after: retry }),
            FaultKind::SourceDown,
            Some(7),
        ),
        (FaultRule::new(Fault::Html {}), FaultKind::SourceDown, None),
        (FaultRule::new(Fault::WrongJson {}), FaultKind::SourceDown, None),
        (FaultRule::new(Fault::Redirect { location: None }), FaultKind::SourceDown, None),
        (FaultRule::new(Fault::Reset {}), FaultKind::SourceDown, None),
    ] {
        lab.vault.inject(rule.clone().times(1));
        let fault = read(&source).await.unwrap_err();
        assert_eq!((fault.kind(), fault.retry_delay()), (expected, retry_after.map(Duration::from_secs)), "{rule:?}");
        assert!(fault.message().starts_with("secret \"airflow-connections-db\": "), "{fault}");
        assert!(!fault.message().ends_with('.') && !fault.message().contains('\n'), "{fault}");
        lab.advance(Duration::from_secs(7));
    }
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(2));
    assert_eq!(read(&source).await.unwrap_err().kind(), FaultKind::DeniedBySource);
    assert_eq!(read(&source).await.unwrap().unwrap().value.expose(), CANARY);
}

#[tokio::test]
async fn an_identitys_fault_has_its_kind_and_names_the_identity() {
    for (rule, expected) in [
        (Fault::Status { status: 400, body: ErrorBody::Json, retry_after: None }, FaultKind::DeniedBySource),
        (Fault::throttled(), FaultKind::Throttled),
        (Fault::status(503), FaultKind::SourceDown),
        (Fault::Html {}, FaultKind::SourceDown),
    ] {
        let lab = Lab::start().await;
        lab.vault.inject(FaultRule::new(rule.clone()).face(Face::Entra));
        let fault = read(&source(&lab)).await.unwrap_err();
        assert_eq!(fault.kind(), expected, "{rule:?}: {fault}");
        assert!(fault.message().contains("identity \"prod\""), "{fault}");
    }
}

#[tokio::test]
async fn a_source_is_built_while_its_vault_is_away_and_refused_where_it_can_never_work() {
    let lab = Lab::start().await;
    let mut config = config(&lab);
    config.url = "https://nowhere.vault.azure.net".parse().unwrap();
    let source = build(&lab, &config, &[lab.client_secret()]).unwrap();
    assert_eq!(read(&source).await.unwrap_err().kind(), FaultKind::SourceDown);

    config.url = "http://acme.vault.azure.net".parse().unwrap();
    let refused = build(&lab, &config, &[lab.client_secret()]).unwrap_err();
    assert_eq!(refused.kind(), FaultKind::BadConfig);
    assert!(refused.message().starts_with("source \"prod\": the vault's url must be https"), "{refused}");

    let refused = build(&lab, &config, &[]).unwrap_err();
    let expected = "source \"prod\": there is no identity \"prod\"; define it under identities";
    assert_eq!((refused.kind(), refused.message()), (FaultKind::BadConfig, expected));
}

#[tokio::test]
async fn no_line_of_the_log_at_any_level_holds_a_value_a_token_or_a_secret() {
    // Other tests would leave it to chance which lines are made at all.
    if !runs_alone("source::no_line_of_the_log_at_any_level_holds_a_value_a_token_or_a_secret", &[]) {
        return;
    }
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let lab = Lab::start().await;
    let source = source(&lab);
    lab.vault.put_secret("default", NAME, SecretSpec { exp: Some(1), ..SecretSpec::value(CANARY) }).unwrap();
    assert!(read(&source).await.unwrap().is_some());
    for fault in [Fault::Forbidden { code: ForbiddenCode::ForbiddenByRbac }, Fault::Html {}, Fault::status(500)] {
        lab.vault.inject(FaultRule::new(fault).times(1));
        read(&source).await.unwrap_err();
    }
    drop(logging);
    let said = lines.text();
    assert_eq!(said.matches("the secret has expired").count(), 1);
    assert!(said.contains("TRACE"));
    // A token begins as every JWT does; the client secret as it is and as a form has it.
    for leak in ["canary", "Bearer ey", "eyJ", "t3st~vault", "t3st%7Evault", valet_testvault::UPSTREAM_CANARY] {
        assert!(!said.contains(leak), "{leak} is in the log");
    }
}

async fn read(source: &KeyVaultSource) -> Result<Option<valet::model::Found>, OurFault> {
    let answer = source.read(&Lookup::parse(Kind::Connection, "db", "").unwrap(), Urgency::Awaited).await;
    assert!(!format!("{:?}", answer.as_ref().map(|_| ())).contains("canary"));
    answer
}

pub(crate) fn source(lab: &Lab) -> KeyVaultSource {
    build(lab, &config(lab), &[lab.client_secret()]).unwrap()
}

fn build(lab: &Lab, config: &KeyVaultConfig, identities: &[IdentityConfig]) -> Result<KeyVaultSource, OurFault> {
    let seams = ListSeams { clock: lab.clock.clone(), random: Arc::new(|| 0), counters: Arc::clone(&lab.counters) };
    KeyVaultSource::build(SourceName::new("prod"), config, identities, &lab.azure, seams)
}

fn config(lab: &Lab) -> KeyVaultConfig {
    KeyVaultConfig {
        url: lab.vault_url(),
        identity: "prod".into(),
        names: NamesConfig::default(),
        network: lab.network(),
        budget: BudgetConfig::default(),
        list: None,
    }
}

/// What is logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
