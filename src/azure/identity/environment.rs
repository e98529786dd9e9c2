use super::{Material, Parts, client_certificate, client_secret};
use crate::{
    azure::{error::Error, token::Fetch},
    model::Secret,
};
use std::{path::PathBuf, sync::Arc};

pub(super) const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
pub(super) const CERTIFICATE_PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";

/// The service principal that the environment describes; a secret outranks a certificate, as in the Azure SDKs.
pub(super) fn build(parts: &Parts<'_>) -> Result<Arc<dyn Fetch>, Error> {
    let secret = parts.optional(CLIENT_SECRET)?;
    let certificate = parts.optional(CERTIFICATE_PATH)?;
    let (tenant_id, client_id) = (parts.required("AZURE_TENANT_ID", None)?, parts.required("AZURE_CLIENT_ID", None)?);
    match (secret, certificate) {
        (Some(secret), _) => client_secret::build(parts, &tenant_id, &client_id, Material::Known(Secret::new(secret))),
        (None, Some(path)) => {
            client_certificate::build(parts, &tenant_id, &client_id, Material::File(PathBuf::from(path).into()))
        }
        (None, None) => {
            Err(parts.bad("the environment has neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH; set one"))
        }
    }
}
