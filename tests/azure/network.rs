//! The way to a vault: names, certificates, plain text, and what is in the way.

use crate::{
    lab::{CANARY, Lab, fails, name, read, read_canary, runs_alone},
    servers::{Plain, silent_tls},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use std::{net::TcpListener, time::Duration};
use valet::{
    azure::{Error, IdentityConfig, IdentityKind, NetworkConfig, Setup, TlsProblem, Unreachable, Vault},
    model::Urgency,
};
use valet_testvault::{Leaf, Options, SecretSpec};

#[tokio::test]
async fn a_vault_of_the_public_cloud_is_reached_under_its_own_name() {
    let lab = Lab::start().await;
    lab.vault.put_secret("acme", crate::lab::NAME, SecretSpec::value(CANARY)).unwrap();
    read_canary(&lab.public_vault()).await;
    assert!(lab.vault.log(0).iter().any(|entry| entry.host == "acme.vault.azure.net"));
}

#[tokio::test]
async fn a_name_without_an_address_is_told_and_the_next_read_asks_again() {
    let lab = Lab::start().await;
    let url = "https://nowhere.vault.azure.net".parse().unwrap();
    let vault = lab.azure.vault(&url, &lab.client_secret(), &lab.network()).unwrap();
    for _ in 0..2 {
        assert_eq!(cause(&fails(&vault).await), Unreachable::Dns);
    }
}

#[tokio::test]
async fn a_closed_port_is_told() {
    let lab = Lab::start().await;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("https://{address}"), format!("http://localhost:{}", address.port())] {
        let vault = lab.azure.vault(&url.parse().unwrap(), &lab.client_secret(), &lab.network()).unwrap();
        assert_eq!(cause(&fails(&vault).await), Unreachable::ConnectionRefused, "{url}");
    }
}

#[tokio::test]
async fn each_certificate_that_is_not_good_is_told_apart() {
    for (leaf, expected, advice) in [
        (Leaf::SelfSigned, TlsProblem::UnknownIssuer, "network.ca_file"),
        (Leaf::WrongName, TlsProblem::WrongName, "another host name"),
        (Leaf::Expired, TlsProblem::Expired, "expired"),
    ] {
        let lab = Lab::with(Options { leaf, ..Options::default() }).await;
        let error = fails(&lab.key_vault()).await;
        assert_eq!(cause(&error), Unreachable::Tls(expected));
        assert!(error.to_string().contains(advice), "{error}");
    }
    // Of Entra's certificate, and without the file of authorities.
    let lab = Lab::start().await;
    let identity = IdentityConfig { network: NetworkConfig::default(), ..lab.client_secret() };
    let error = fails(&lab.key_vault_of(&identity)).await;
    assert!(error.to_string().starts_with("Entra at localhost:"), "{error}");
    assert_eq!(cause(&error), Unreachable::Tls(TlsProblem::UnknownIssuer));
}

#[tokio::test]
async fn a_certificate_authoritys_own_certificate_is_told_apart_from_an_unknown_one() {
    let lab = Lab::start().await;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    for (is_ca, expected) in [
        (IsCa::Ca(BasicConstraints::Unconstrained), Unreachable::Tls(TlsProblem::CaUsedAsEndEntity)),
        // The same with CA:FALSE is trusted as it is given; what then comes is no answer.
        (IsCa::ExplicitNoCa, Unreachable::BrokenOff),
    ] {
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let network = NetworkConfig { ca_file: Some(lab.write("own.pem", certificate.pem())) };
        let server = silent_tls(&certificate, &key).await;
        let url = format!("https://localhost:{}", server.port()).parse().unwrap();
        let vault = lab.azure.vault(&url, &lab.client_secret(), &network).unwrap();
        assert_eq!(cause(&fails(&vault).await), expected);
        drop(vault);
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_told() {
    let lab = Lab::start().await;
    let plain = Plain::start().await;
    let url = format!("https://127.0.0.1:{}", plain.port).parse().unwrap();
    let vault = lab.azure.vault(&url, &lab.client_secret(), &lab.network()).unwrap();
    assert_eq!(cause(&fails(&vault).await), Unreachable::Tls(TlsProblem::Handshake));
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_told() {
    let lab = Lab::start().await;
    // Its backlog is full with the first, so that the kernel answers nothing more.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _first = std::net::TcpStream::connect(address).unwrap();
    let vault =
        lab.azure.vault(&format!("https://{address}").parse().unwrap(), &lab.client_secret(), &lab.network()).unwrap();
    tokio::time::pause();
    assert_eq!(cause(&fails(&vault).await), Unreachable::ConnectTimedOut(Duration::from_secs(5)));
}

#[tokio::test]
async fn plain_text_works_on_this_machine_for_vault_and_entra() {
    let lab = Lab::start().await;
    let plain = Plain::start().await;
    for host in ["127.0.0.1", "localhost", "acme.localhost", "127.0.0.2"] {
        let url: url::Url = format!("http://{host}:{}", plain.port).parse().unwrap();
        let identity = IdentityConfig {
            authority_host: Some(url.clone()),
            network: NetworkConfig::default(),
            ..lab.client_secret()
        };
        let vault = lab.azure.vault(&url, &identity, &NetworkConfig::default()).unwrap();
        assert_eq!(read(&vault).await.unwrap().unwrap().value.expose(), CANARY, "{host}");
    }
}

#[tokio::test]
async fn a_vaults_url_is_scheme_host_and_port_and_http_on_this_machine_only() {
    let lab = Lab::start().await;
    for (url, expected) in [
        ("http://acme.vault.azure.net", "the vault's url must be https: http is for loopback hosts only"),
        ("http://10.0.0.1:8080", "the vault's url must be https: http is for loopback hosts only"),
        ("https://acme.vault.azure.net/secrets", "the vault's url must be scheme, host and port only"),
        ("https://acme.vault.azure.net/?a=b", "the vault's url must be scheme, host and port only"),
        ("https://acme.vault.azure.net/#a", "the vault's url must be scheme, host and port only"),
        ("https://user:canary@acme.vault.azure.net", "the vault's url must be scheme, host and port only"),
        ("file:///etc/passwd", "the vault's url must be https://HOST"),
        ("ftp://acme.vault.azure.net", "the vault's url must be https://HOST"),
    ] {
        let error =
            lab.azure.vault(&url.parse().unwrap(), &lab.client_secret(), &lab.network()).map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_bad_ca_file_is_refused_when_the_vault_is_defined() {
    let lab = Lab::start().await;
    let path = lab.dir().join("bad.pem");
    let broken = crate::lab::pem("CERTIFICATE", b"no certificate");
    let refused = || {
        let network = NetworkConfig { ca_file: Some(path.clone()) };
        lab.azure.vault(&lab.vault_url(), &lab.client_secret(), &network).map(|_| ()).unwrap_err()
    };
    let why = std::io::ErrorKind::NotFound;
    assert_eq!(refused(), Error::from(Setup::UnreadableCaFile { path: path.clone(), why }));
    for content in ["", "garbage", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", &broken] {
        lab.write("bad.pem", content);
        assert_eq!(refused(), Error::from(Setup::BadCaFile(path.clone())), "{content:?}");
    }
}

#[tokio::test]
async fn without_the_systems_authorities_a_ca_file_does_and_its_lack_is_told() {
    // Nothing else could take them away.
    let this = "network::without_the_systems_authorities_a_ca_file_does_and_its_lack_is_told";
    if !runs_alone(this, &[("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")]) {
        return;
    }
    let lab = Lab::start().await;
    read_canary(&lab.key_vault()).await;

    let lacking = lab.azure.vault(&lab.vault_url(), &lab.client_secret(), &NetworkConfig::default()).map(|_| ());
    assert_eq!(lacking, Err(Error::from(Setup::NoRoots)));
    assert!(lacking.unwrap_err().to_string().contains("network.ca_file"));

    // Plain text needs none.
    let plain = Plain::start().await;
    let url = format!("http://localhost:{}", plain.port).parse().unwrap();
    let azure = lab.azure_with(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &lab.vault.endpoints().imds_url)]);
    let identity = IdentityConfig {
        network: NetworkConfig::default(),
        ..lab.identity(IdentityKind::ManagedIdentity { id: None })
    };
    let vault = azure.vault(&url, &identity, &NetworkConfig::default()).unwrap();
    assert!(vault.secret(&name("x"), Urgency::Awaited).await.unwrap().is_some());
}

#[tokio::test]
async fn one_definition_is_one_vault_with_one_connection() {
    let lab = Lab::start().await;
    let (one, same) = (lab.key_vault(), lab.key_vault());
    assert!(std::sync::Arc::ptr_eq(&one, &same));
    let other = IdentityConfig { name: "other".into(), ..lab.client_secret() };
    assert!(!std::sync::Arc::ptr_eq(&one, &lab.key_vault_of(&other)));
}

fn cause(error: &Error) -> Unreachable {
    match error {
        Error::Unreachable { cause, .. } => *cause,
        other => panic!("{other:?}"),
    }
}
