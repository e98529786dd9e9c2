use super::{Entra, Material, Parts};
use crate::azure::{
    error::Error,
    http::wrapped,
    token::{Fetch, Token},
};
use async_trait::async_trait;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file of the projected service account token, as the webhook of Entra Workload ID sets it.
pub(super) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// A Kubernetes service account whose tokens Entra trusts.
#[derive(Debug)]
struct WorkloadIdentity {
    entra: Entra,
    client_id: String,
    token_file: Material,
}

pub(super) fn build(
    parts: &Parts<'_>,
    client_id: Option<&str>,
    tenant_id: Option<&str>,
    token_file: Option<&Path>,
) -> Result<Arc<dyn Fetch>, Error> {
    let tenant_id =
        tenant_id.map_or_else(|| parts.required("AZURE_TENANT_ID", Some("tenant_id")), |id| Ok(id.to_owned()))?;
    let client_id =
        client_id.map_or_else(|| parts.required("AZURE_CLIENT_ID", Some("client_id")), |id| Ok(id.to_owned()))?;
    let token_file = token_file.map_or_else(
        || parts.required(TOKEN_FILE, Some("token_file")).map(PathBuf::from),
        |path| Ok(path.to_owned()),
    )?;
    Ok(Arc::new(WorkloadIdentity {
        entra: parts.entra(&tenant_id)?,
        client_id,
        token_file: Material::File(token_file.into()),
    }))
}

#[async_trait]
impl Fetch for WorkloadIdentity {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let identity = self.entra.identity();
        // Not WorkloadIdentityCredential: it sends a final line break of the file along, and reads the file on the runtime's thread.
        let assertion = FileToken { file: self.token_file.clone(), identity: Arc::clone(identity) };
        self.entra.exchange(&self.client_id, assertion, scope).await
    }
}

#[derive(Debug)]
struct FileToken {
    file: Material,
    identity: Arc<str>,
}

#[async_trait]
impl ClientAssertion for FileToken {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let text = self.file.text(&self.identity).await.map_err(wrapped)?;
        Ok(text.expose().trim().to_owned())
    }
}
