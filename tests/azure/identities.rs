//! Each kind of identity, what it sends, and what is said when it cannot.

use crate::lab::{Lab, NAME, fails, pem, read, read_canary, rsa, script};
use std::{fs, path::Path, time::Duration};
use valet::{
    azure::{
        CertificateProblem, CliProblem, Error, IdentityConfig, IdentityKind, IdentityProblem, ManagedIdentityId, Setup,
    },
    model::Reference,
};
use valet_testvault::{
    App, ErrorBody, Face, Fault, FaultRule, ManagedIdentity, RetryAfter, SYSTEM_IDENTITY_ID, TokenSpec,
    USER_IDENTITY_ID,
};

#[tokio::test]
async fn a_client_secret_in_a_file_loses_one_line_break_and_a_rotated_one_is_used_for_the_next_token() {
    let lab = Lab::start().await;
    let file = lab.write("secret", format!("{}\r\n", lab.vault.endpoints().client_secret));
    let vault = lab.key_vault_of(&lab.identity(client_secret(&lab, Reference::File(file.clone()))));
    read_canary(&vault).await;

    let app = App { secrets: vec!["new".to_owned()], ..App::default() };
    lab.vault.register_app(&lab.vault.endpoints().client_id, app).unwrap();
    fs::write(&file, "new").unwrap();
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(1));
    read_canary(&vault).await;
    assert_eq!(lab.vault.counters().token_calls, 2);
}

#[tokio::test]
async fn what_entra_refuses_is_told_by_its_number_although_its_words_have_line_breaks() {
    for crlf in [false, true] {
        let lab = Lab::start().await;
        lab.vault.set_entra_crlf(crlf);
        let azure = lab.azure_with(&[("CI_CLIENT_SECRET", "wrong-canary")]);
        let identity = lab.client_secret();
        let vault = azure.vault(&lab.vault_url(), &identity, &lab.network()).unwrap();
        let error = fails(&vault).await;
        assert_eq!(problem(&error), &IdentityProblem::Refused { code: Some(7_000_215) });
        let said = error.to_string();
        assert!(
            said.starts_with("identity \"prod\" is refused by Entra (AADSTS7000215): the client secret is wrong"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_failing_entra_is_asked_once_for_all_who_wait_and_not_again_for_a_moment() {
    let lab = Lab::start().await;
    let vault = lab.key_vault();
    lab.vault.inject(FaultRule::new(Fault::status(503)).face(Face::Entra));
    for _ in 0..2 {
        let reads = futures::future::join_all((0..20).map(|_| read(&vault))).await;
        for answer in reads {
            assert!(matches!(answer, Err(Error::Failing { status: 503, .. })), "{answer:?}");
        }
    }
    assert_eq!(lab.vault.counters().token_calls, 1);
    lab.vault.clear_faults(None);
    lab.advance(Duration::from_secs(1));
    read_canary(&vault).await;
}

#[tokio::test]
async fn what_entra_answers_wrongly_is_a_fault_of_its_own() {
    let lab = Lab::start().await;
    for (fault, expected) in [
        (Fault::Html {}, "Identity"),
        (Fault::Empty {}, "Identity"),
        (Fault::WrongJson {}, "Identity"),
        (Fault::HugeBody { bytes: 10_000_000 }, "Nonsense"),
        (Fault::Redirect { location: None }, "Nonsense"),
        (Fault::Status { status: 403, body: ErrorBody::Html, retry_after: None }, "Nonsense"),
        (Fault::Throttled { retry_after: Some(RetryAfter::Seconds(9)) }, "Throttled"),
        (Fault::Reset {}, "Unreachable"),
    ] {
        lab.vault.inject(FaultRule::new(fault.clone()).face(Face::Entra).times(1));
        let error = fails(&lab.key_vault()).await;
        assert!(format!("{error:?}").starts_with(expected), "{fault:?}: {error:?}");
        assert!(error.to_string().contains("\"prod\""), "{error}");
        lab.advance(Duration::from_secs(9));
    }
    assert_eq!(lab.vault.counters().foreign_requests, 0);
}

#[tokio::test]
async fn a_workload_identity_sends_its_token_without_the_line_break_and_reads_the_file_anew() {
    let lab = Lab::start().await;
    let file = lab.write("token", "federated-1\n");
    let app = App { assertions: vec!["federated-1".to_owned(), "federated-2".to_owned()], ..App::default() };
    lab.vault.register_app(&lab.vault.endpoints().client_id, app).unwrap();
    let vault = lab.key_vault_of(&lab.identity(workload(&lab, &file)));
    read_canary(&vault).await;

    fs::write(&file, "federated-2\n").unwrap();
    lab.vault.inject(FaultRule::new(Fault::Unauthorized {}).times(1));
    read_canary(&vault).await;
}

#[tokio::test]
async fn a_token_file_that_cannot_be_read_is_named() {
    let lab = Lab::start().await;
    let missing = lab.dir().join("missing");
    let error = fails(&lab.key_vault_of(&lab.identity(workload(&lab, &missing)))).await;
    assert_eq!(
        problem(&error),
        &IdentityProblem::UnreadableFile { path: missing.clone(), why: std::io::ErrorKind::NotFound }
    );
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");

    fs::write(&missing, "\n").unwrap();
    lab.advance(Duration::from_secs(1));
    let error = fails(&lab.key_vault_of(&lab.identity(workload(&lab, &missing)))).await;
    assert_eq!(problem(&error), &IdentityProblem::EmptyFile(missing.clone()));

    for (content, why) in
        [(vec![b'x'; 300_000], std::io::ErrorKind::FileTooLarge), (vec![0xff; 30], std::io::ErrorKind::InvalidData)]
    {
        fs::write(&missing, content).unwrap();
        let error = fails(&lab.key_vault_of(&lab.identity(workload(&lab, &missing)))).await;
        assert_eq!(problem(&error), &IdentityProblem::UnreadableFile { path: missing.clone(), why });
    }
}

#[tokio::test]
async fn a_client_certificate_signs_whatever_form_its_key_has() {
    let lab = Lab::start().await;
    let own = rsa();
    lab.register_certificate(&own);
    // PKCS#1 is what is left of PKCS#8 behind a head of 26 bytes, for RSA of 2048 bits.
    let pkcs1 = pem("RSA PRIVATE KEY", &own.key.serialize_der()[26..]);
    for (name, key) in [("pkcs8.pem", own.key.serialize_pem()), ("pkcs1.pem", pkcs1)] {
        let file = lab.write(name, own.certificate.pem() + &key);
        read_canary(&lab.key_vault_of(&lab.identity(client_certificate(&lab, &file)))).await;
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_with_what_to_do() {
    let lab = Lab::start().await;
    let file = lab.dir().join("certificate");
    let (own, other) = (rsa(), rcgen::generate_simple_self_signed(["valet.test".to_owned()]).unwrap());
    let binary = own.certificate.der().to_vec();
    let (certificate, key) = (own.certificate.pem(), own.key.serialize_pem());
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let cases: [(Vec<u8>, CertificateProblem); 6] = [
        (binary.clone(), CertificateProblem::NotPem(file.display().to_string())),
        (b"nothing of the kind".to_vec(), CertificateProblem::NoCertificate),
        (key.clone().into(), CertificateProblem::NoCertificate),
        (certificate.clone().into(), CertificateProblem::NoKey),
        ((certificate + &encrypted).into(), CertificateProblem::EncryptedKey),
        ((other.cert.pem() + &other.signing_key.serialize_pem()).into(), CertificateProblem::NotRsa),
    ];
    for (content, expected) in cases {
        fs::write(&file, content).unwrap();
        let error = fails(&lab.key_vault_of(&lab.identity(client_certificate(&lab, &file)))).await;
        assert_eq!(problem(&error), &IdentityProblem::Certificate(expected));
        lab.advance(Duration::from_secs(1));
    }
    fs::write(&file, binary).unwrap();
    let said = fails(&lab.key_vault_of(&lab.identity(client_certificate(&lab, &file)))).await.to_string();
    let command = format!("`openssl pkcs12 -in {0} -out {0}.pem -nodes`", file.display());
    assert!(said.contains(&command), "{said}");
}

#[tokio::test]
async fn a_certificate_that_entra_does_not_know_is_told_by_its_number() {
    let lab = Lab::start().await;
    let own = rsa();
    let file = lab.write("certificate.pem", own.certificate.pem() + &own.key.serialize_pem());
    let error = fails(&lab.key_vault_of(&lab.identity(client_certificate(&lab, &file)))).await;
    assert_eq!(problem(&error), &IdentityProblem::Refused { code: Some(700_027) });
}

#[tokio::test]
async fn a_managed_identity_is_asked_of_imds_by_every_kind_of_id() {
    for (id, expected) in [
        (None, SYSTEM_IDENTITY_ID),
        (Some(ManagedIdentityId::ClientId(USER_IDENTITY_ID.to_owned())), USER_IDENTITY_ID),
        (Some(ManagedIdentityId::ObjectId("0bjec7".to_owned())), USER_IDENTITY_ID),
        (Some(ManagedIdentityId::ResourceId("/subscriptions/s/user".to_owned())), USER_IDENTITY_ID),
    ] {
        let lab = Lab::start().await;
        lab.vault.register_identity(ManagedIdentity {
            client_id: USER_IDENTITY_ID.to_owned(),
            object_id: "0bjec7".to_owned(),
            resource_id: "/subscriptions/s/user".to_owned(),
            system_assigned: false,
        });
        let azure = lab.azure_with(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &lab.vault.endpoints().imds_url)]);
        let vault = azure.vault(&lab.vault_url(), &lab.managed(id), &lab.network()).unwrap();
        read_canary(&vault).await;
        let seen = lab
            .vault
            .log(0)
            .into_iter()
            .find(|entry| entry.path == format!("/secrets/{NAME}/") && entry.appid.is_some())
            .unwrap();
        assert_eq!(seen.appid.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_managed_identity_of_an_app_is_asked_with_the_apps_header() {
    let lab = Lab::start().await;
    let endpoints = lab.vault.endpoints();
    let azure = lab.azure_with(&[
        ("IDENTITY_ENDPOINT", &endpoints.identity_endpoint),
        ("IDENTITY_HEADER", &endpoints.identity_header),
    ]);
    let id = ManagedIdentityId::ClientId(USER_IDENTITY_ID.to_owned());
    read_canary(&azure.vault(&lab.vault_url(), &lab.managed(Some(id)), &lab.network()).unwrap()).await;
    let request = lab.vault.log(0).into_iter().find(|entry| entry.face == Face::ManagedIdentity).unwrap();
    assert_eq!(request.path, "/msi/token");
}

#[tokio::test]
async fn a_platform_whose_managed_identities_are_not_supported_is_told_when_the_vault_is_defined() {
    let lab = Lab::start().await;
    let resource = ManagedIdentityId::ResourceId("/subscriptions/s/user".to_owned());
    for (variables, id, expected) in [
        (["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"], None, "Service Fabric"),
        (["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_HEADER"], Some(resource), "resource_id"),
        (["IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "IMDS_ENDPOINT"], None, "Azure Arc"),
        (["MSI_ENDPOINT", "MSI_SECRET", "MSI_SECRET"], None, "Azure ML"),
    ] {
        let azure = lab.azure_with(&variables.map(|variable| (variable, "http://127.0.0.1:1")));
        let error = azure.vault(&lab.vault_url(), &lab.managed(id), &lab.network()).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Setup(Setup::BadIdentity { .. })), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn imds_is_asked_once_whatever_it_answers() {
    for (fault, expected) in [
        (Fault::status(404), "Failing"),
        (Fault::status(410), "Failing"),
        (Fault::status(500), "Failing"),
        (Fault::Throttled { retry_after: Some(RetryAfter::Seconds(90)) }, "Throttled"),
        (Fault::status(400), "Identity"),
        (Fault::Reset {}, "Unreachable"),
        (Fault::Redirect { location: None }, "Nonsense"),
        (Fault::HugeBody { bytes: 10_000_000 }, "Nonsense"),
        (Fault::Html {}, "Identity"),
    ] {
        let lab = Lab::start().await;
        lab.vault.inject(FaultRule::new(fault.clone()).face(Face::ManagedIdentity));
        let azure = lab.azure_with(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &lab.vault.endpoints().imds_url)]);
        let vault = azure.vault(&lab.vault_url(), &lab.managed(None), &lab.network()).unwrap();
        let error = fails(&vault).await;
        assert!(format!("{error:?}").starts_with(expected), "{fault:?}: {error:?}");
        assert_eq!(lab.vault.counters().managed_identity_token_calls, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn the_azure_cli_is_run_from_our_path_and_what_it_says_on_failing_is_not_shown() {
    let lab = Lab::start().await;
    let az = lab.dir().join("az");
    let path = format!("{}:/usr/bin:/bin", lab.dir().display());
    let vault = || {
        let azure = lab.azure_with(&[("PATH", &path)]);
        azure
            .vault(&lab.vault_url(), &lab.identity(IdentityKind::AzureCli { tenant_id: None }), &lab.network())
            .unwrap()
    };
    assert_eq!(problem(&fails(&vault()).await), &IdentityProblem::Cli(CliProblem::NotInstalled));

    script(&az, "echo 'canary: user@example.test, run az login' >&2; exit 1");
    assert_eq!(problem(&fails(&vault()).await), &IdentityProblem::Cli(CliProblem::Failed));

    let token = lab.vault.sign_token(TokenSpec::default());
    script(
        &az,
        &format!("echo '{{\"accessToken\": \"{token}\", \"expires_on\": 4102444800, \"tokenType\": \"Bearer\"}}'"),
    );
    read_canary(&vault()).await;
}

#[tokio::test]
async fn the_environment_describes_a_secret_or_a_certificate() {
    let lab = Lab::start().await;
    let endpoints = lab.vault.endpoints();
    let own = rsa();
    lab.register_certificate(&own);
    let file = lab.write("certificate.pem", own.certificate.pem() + &own.key.serialize_pem());
    let ids = [("AZURE_TENANT_ID", endpoints.tenant_id.as_str()), ("AZURE_CLIENT_ID", endpoints.client_id.as_str())];
    for proof in [
        ("AZURE_CLIENT_CERTIFICATE_PATH", file.to_str().unwrap()),
        ("AZURE_CLIENT_SECRET", endpoints.client_secret.as_str()),
    ] {
        for kind in [IdentityKind::Environment, IdentityKind::Default] {
            let azure = lab.azure_with(&[ids[0], ids[1], proof]);
            read_canary(&azure.vault(&lab.vault_url(), &lab.identity(kind), &lab.network()).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn what_the_environment_lacks_is_named_before_anything_is_asked() {
    let lab = Lab::start().await;
    let missing = |variable: &str, setting| {
        Error::from(Setup::MissingVariable { identity: "prod".into(), variable: variable.to_owned(), setting })
    };
    let workload =
        IdentityKind::WorkloadIdentity { client_id: Some("c".to_owned()), tenant_id: None, token_file: None };
    for (variables, kind, expected) in [
        (
            [("AZURE_CLIENT_SECRET", "s"), ("AZURE_CLIENT_ID", "c")],
            IdentityKind::Environment,
            missing("AZURE_TENANT_ID", None),
        ),
        (
            [("AZURE_CLIENT_SECRET", "s"), ("AZURE_CLIENT_ID", "c")],
            IdentityKind::Default,
            missing("AZURE_TENANT_ID", None),
        ),
        (
            [("AZURE_TENANT_ID", "t"), ("AZURE_FEDERATED_TOKEN_FILE", "f")],
            IdentityKind::Default,
            missing("AZURE_CLIENT_ID", Some("client_id")),
        ),
        (
            [("AZURE_TENANT_ID", "t"), ("AZURE_FEDERATED_TOKEN_FILE", "")],
            workload,
            missing("AZURE_FEDERATED_TOKEN_FILE", Some("token_file")),
        ),
        ([("", ""), ("", "")], client_secret(&lab, Reference::Env("GONE".to_owned())), missing("GONE", None)),
    ] {
        let azure = lab.azure_with(&variables);
        assert_eq!(azure.vault(&lab.vault_url(), &lab.identity(kind), &lab.network()).map(|_| ()), Err(expected));
    }
    assert_eq!(lab.vault.log(0), []);
}

#[tokio::test]
async fn the_default_identity_is_the_first_that_is_configured() {
    let lab = Lab::start().await;
    let endpoints = lab.vault.endpoints();
    let file = lab.write("token", "federated");
    let secrets = vec![endpoints.client_secret.clone()];
    let app = App { secrets, assertions: vec!["federated".to_owned()], ..App::default() };
    lab.vault.register_app(&endpoints.client_id, app).unwrap();
    let az = lab.dir().join("az");
    let cli_token = lab.vault.sign_token(TokenSpec::default());
    script(
        &az,
        &format!("echo '{{\"accessToken\": \"{cli_token}\", \"expires_on\": 4102444800, \"tokenType\": \"Bearer\"}}'"),
    );
    let path = format!("{}:/usr/bin:/bin", lab.dir().display());
    let mut variables = vec![
        ("PATH", path.as_str()),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &endpoints.imds_url),
        ("IDENTITY_ENDPOINT", &endpoints.identity_endpoint),
        ("IDENTITY_HEADER", &endpoints.identity_header),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ("AZURE_TENANT_ID", &endpoints.tenant_id),
        ("AZURE_CLIENT_ID", &endpoints.client_id),
        ("AZURE_CLIENT_SECRET", &endpoints.client_secret),
    ];
    // Who gives the token shows in what was asked: from the last to the first of the chain, as variables are taken away.
    for (without, paths) in [
        (None, vec![format!("/{}/oauth2/v2.0/token", endpoints.tenant_id)]),
        (Some("AZURE_CLIENT_SECRET"), vec![format!("/{}/oauth2/v2.0/token", endpoints.tenant_id)]),
        (Some("AZURE_FEDERATED_TOKEN_FILE"), vec!["/msi/token".to_owned()]),
        (Some("IDENTITY_ENDPOINT"), vec!["/metadata/identity/oauth2/token".to_owned(); 2]),
        (Some("AZURE_POD_IDENTITY_AUTHORITY_HOST"), vec![]),
    ] {
        variables.retain(|(name, _)| Some(*name) != without);
        if without == Some("AZURE_FEDERATED_TOKEN_FILE") {
            // Else it names a user-assigned identity.
            variables.retain(|(name, _)| *name != "AZURE_CLIENT_ID");
        }
        if without == Some("AZURE_POD_IDENTITY_AUTHORITY_HOST") {
            // A port that nobody listens at.
            variables.push(("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1"));
        }
        lab.vault.clear_log();
        let vault = lab
            .azure_with(&variables)
            .vault(&lab.vault_url(), &lab.identity(IdentityKind::Default), &lab.network())
            .unwrap();
        read_canary(&vault).await;
        let asked: Vec<_> =
            lab.vault.log(0).into_iter().filter(|entry| entry.face != Face::Vault).map(|entry| entry.path).collect();
        assert_eq!(asked, paths, "without {without:?}");
    }
}

#[tokio::test]
async fn a_machine_without_an_identity_is_passed_over_for_the_cli_and_all_reasons_are_told() {
    let lab = Lab::start().await;
    lab.vault.remove_identities();
    let azure = lab.azure_with(&[
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", lab.vault.endpoints().imds_url.as_str()),
        ("PATH", "/nowhere"),
    ]);
    let error =
        fails(&azure.vault(&lab.vault_url(), &lab.identity(IdentityKind::Default), &lab.network()).unwrap()).await;
    assert!(matches!(problem(&error), IdentityProblem::NothingConfigured(_)), "{error:?}");
    let imds = lab.vault.endpoints().imds_url.trim_start_matches("http://").to_owned();
    assert_eq!(
        error.to_string(),
        format!(
            "identity \"prod\" has nothing to prove itself with: environment (neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is \
             set), workload identity (AZURE_FEDERATED_TOKEN_FILE is not set), managed identity ({imds}: none is assigned to this machine), Azure \
             CLI (az is not on PATH)"
        )
    );
}

#[tokio::test]
async fn a_configured_identity_that_does_not_work_is_not_passed_over() {
    let lab = Lab::start().await;
    let endpoints = lab.vault.endpoints();
    lab.vault.inject(FaultRule::new(Fault::status(500)).face(Face::ManagedIdentity));
    let az = lab.dir().join("az");
    script(&az, "echo unexpected; exit 3");
    let path = lab.dir().display().to_string();
    for variables in [
        [("IDENTITY_ENDPOINT", endpoints.identity_endpoint.as_str()), ("IDENTITY_HEADER", "h"), ("PATH", &path)],
        [("AZURE_POD_IDENTITY_AUTHORITY_HOST", &endpoints.imds_url), ("IDENTITY_HEADER", ""), ("PATH", &path)],
    ] {
        let azure = lab.azure_with(&variables);
        let error =
            fails(&azure.vault(&lab.vault_url(), &lab.identity(IdentityKind::Default), &lab.network()).unwrap()).await;
        assert!(matches!(error, Error::Failing { status: 500, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_authority_is_scheme_host_and_port_and_http_on_this_machine_only() {
    let lab = Lab::start().await;
    for (url, expected) in [
        ("http://login.microsoftonline.com", "authority_host must be https: http is for loopback hosts only"),
        ("https://localhost/tenant", "authority_host must be scheme, host and port only"),
        ("ftp://localhost", "authority_host must be https://HOST"),
    ] {
        let identity = IdentityConfig { authority_host: Some(url.parse().unwrap()), ..lab.client_secret() };
        let error = lab.azure.vault(&lab.vault_url(), &identity, &lab.network()).map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let endpoints = lab.vault.endpoints();
    for authority in [endpoints.authority_url.as_str(), endpoints.authority_url.trim_start_matches("https://")] {
        let variables = [("AZURE_AUTHORITY_HOST", authority), ("CI_CLIENT_SECRET", &endpoints.client_secret)];
        let identity = IdentityConfig { authority_host: None, ..lab.client_secret() };
        let vault = lab.azure_with(&variables).vault(&lab.vault_url(), &identity, &lab.network()).unwrap();
        read_canary(&vault).await;
    }
}

fn client_secret(lab: &Lab, client_secret: Reference) -> IdentityKind {
    let (tenant_id, client_id) = (lab.vault.endpoints().tenant_id.clone(), lab.vault.endpoints().client_id.clone());
    IdentityKind::ClientSecret { tenant_id, client_id, client_secret }
}

fn client_certificate(lab: &Lab, file: &Path) -> IdentityKind {
    let (tenant_id, client_id) = (lab.vault.endpoints().tenant_id.clone(), lab.vault.endpoints().client_id.clone());
    IdentityKind::ClientCertificate { tenant_id, client_id, certificate: Reference::File(file.to_owned()) }
}

fn workload(lab: &Lab, token_file: &Path) -> IdentityKind {
    IdentityKind::WorkloadIdentity {
        client_id: Some(lab.vault.endpoints().client_id.clone()),
        tenant_id: Some(lab.vault.endpoints().tenant_id.clone()),
        token_file: Some(token_file.to_owned()),
    }
}

fn problem(error: &Error) -> &IdentityProblem {
    match error {
        Error::Identity { why, .. } => why,
        other => panic!("{other:?}"),
    }
}
