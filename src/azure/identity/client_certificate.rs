use super::{Entra, IdentityProblem, Material, Parts, jwt::SigningCertificate};
use crate::{
    azure::{
        error::Error,
        token::{Fetch, Token},
    },
    clock::Clock,
};
use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use azure_core::{error::ErrorKind, http::ClientMethodOptions};
use azure_identity::ClientAssertion;
use std::sync::Arc;

/// A service principal with a certificate. Not `ClientCertificateCredential`: it needs OpenSSL, takes PKCS#12 only and never reads it again.
#[derive(Debug)]
struct ClientCertificate {
    entra: Entra,
    client_id: String,
    certificate: Material,
    clock: Arc<dyn Clock>,
}

pub(super) fn build(
    parts: &Parts<'_>,
    tenant_id: &str,
    client_id: &str,
    certificate: Material,
) -> Result<Arc<dyn Fetch>, Error> {
    let (entra, clock) = (parts.entra(tenant_id)?, Arc::clone(parts.clock));
    Ok(Arc::new(ClientCertificate { entra, client_id: client_id.to_owned(), certificate, clock }))
}

#[async_trait]
impl Fetch for ClientCertificate {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let identity = self.entra.identity();
        let pem = self.certificate.bytes(identity).await?;
        let certificate = SigningCertificate::from_pem(&pem, &self.certificate.place()).map_err(|why| {
            Error::Identity { identity: Arc::clone(identity), why: IdentityProblem::Certificate(why) }
        })?;
        let assertion = Assertion {
            certificate,
            client_id: self.client_id.clone(),
            audience: self.entra.token_url(),
            clock: Arc::clone(&self.clock),
            random: SystemRandom::new(),
        };
        self.entra.exchange(&self.client_id, assertion, scope).await
    }
}

#[derive(Debug)]
struct Assertion {
    certificate: SigningCertificate,
    client_id: String,
    audience: String,
    clock: Arc<dyn Clock>,
    random: SystemRandom,
}

#[async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.certificate
            .assertion(&self.client_id, &self.audience, self.clock.wall(), &self.random)
            .ok_or_else(|| azure_core::Error::with_message(ErrorKind::Credential, "signing failed"))
    }
}
