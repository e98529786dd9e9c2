//! The test CA and the leaves it signs, made anew at each start (ECDSA: no wait for primes). TLS 1.2 and 1.3 by rustls on aws-lc-rs.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::options::Leaf;

/// A certificate that could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Making it.
    #[error("a test certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// Using it.
    #[error("a test certificate cannot be used")]
    Use(#[from] rustls::Error),
}

/// A certificate authority for one test vault.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn generate() -> Result<Self, TlsError> {
        let mut params = named("Valet test CA", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// Its certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A TLS server with such a leaf; any server name is answered with it.
    pub(crate) fn acceptor(&self, leaf: Leaf) -> Result<TlsAcceptor, TlsError> {
        let names = if leaf == Leaf::WrongName { &["wrong-name.invalid"][..] } else { &NAMES };
        let mut params = named("Valet test vault", names)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if leaf == Leaf::Expired {
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate()?;
        let certificate = if leaf == Leaf::SelfSigned {
            params.self_signed(&key)?
        } else {
            params.use_authority_key_identifier_extension = true;
            params.signed_by(&key, &self.issuer)?
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

const NAMES: [&str; 6] =
    ["localhost", "127.0.0.1", "::1", "*.vault.azure.net", "*.vault.localhost", "login.microsoftonline.com"];
