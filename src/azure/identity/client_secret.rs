use super::{Entra, Material, Parts, token};
use crate::azure::{
    error::Error,
    token::{Fetch, Token},
};
use async_trait::async_trait;
use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use std::sync::Arc;

/// A service principal with a secret.
#[derive(Debug)]
struct ClientSecret {
    entra: Entra,
    client_id: String,
    secret: Material,
}

pub(super) fn build(
    parts: &Parts<'_>,
    tenant_id: &str,
    client_id: &str,
    secret: Material,
) -> Result<Arc<dyn Fetch>, Error> {
    Ok(Arc::new(ClientSecret { entra: parts.entra(tenant_id)?, client_id: client_id.to_owned(), secret }))
}

#[async_trait]
impl Fetch for ClientSecret {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let identity = self.entra.identity();
        let secret = Secret::new(self.secret.text(identity).await?.expose().to_owned());
        let options = ClientSecretCredentialOptions { client_options: self.entra.client_options() };
        let result =
            match ClientSecretCredential::new(&self.entra.tenant_id, self.client_id.clone(), secret, Some(options)) {
                Ok(credential) => credential.get_token(&[scope], None).await,
                Err(error) => Err(error),
            };
        token(result, identity)
    }
}
