//! How each kind of identity proves itself and gets a token, once, past every cache.
//! It keeps no token and decides on no retry. [`super::token`] calls it, whenever a token is needed.

mod chain;
mod cli;
mod client_certificate;
mod client_secret;
mod entra;
mod environment;
mod jwt;
mod managed;
mod material;
mod problem;
mod workload;

pub use problem::{CertificateProblem, CliProblem, IdentityProblem};

use super::{
    IdentityConfig, IdentityKind,
    error::{Error, Setup},
    http::{Clients, our_error},
    token::{Fetch, Token},
};
use crate::{clock::Clock, env::Env, model::Secret};
use azure_core::credentials::AccessToken;
use entra::Entra;
use material::{Material, optional, required};
use std::{sync::Arc, time::SystemTime};

/// What every kind is built from.
struct Parts<'a> {
    config: &'a IdentityConfig,
    env: &'a Arc<dyn Env>,
    clock: &'a Arc<dyn Clock>,
    clients: &'a Clients,
}

/// The way in which an identity proves itself. Reads the environment, no file but `ca_file`, and does no network I/O.
///
/// The Azure credentials below are built anew for each token: each keeps its tokens until five minutes before their end, whatever we think of
/// them, and some keep what they read at first.
pub(super) fn build(
    config: &IdentityConfig,
    env: &Arc<dyn Env>,
    clock: &Arc<dyn Clock>,
    clients: &Clients,
) -> Result<Arc<dyn Fetch>, Error> {
    let parts = Parts { config, env, clock, clients };
    match &config.kind {
        IdentityKind::Default => chain::build(&parts),
        IdentityKind::Environment => environment::build(&parts),
        IdentityKind::WorkloadIdentity { client_id, tenant_id, token_file } => {
            workload::build(&parts, client_id.as_deref(), tenant_id.as_deref(), token_file.as_deref())
        }
        IdentityKind::ManagedIdentity { id } => Ok(managed::build(&parts, id.as_ref())?),
        IdentityKind::ClientSecret { tenant_id, client_id, client_secret } => {
            let secret = Material::new(client_secret, &config.name, &**env)?;
            client_secret::build(&parts, tenant_id, client_id, secret)
        }
        IdentityKind::ClientCertificate { tenant_id, client_id, certificate } => {
            let certificate = Material::new(certificate, &config.name, &**env)?;
            client_certificate::build(&parts, tenant_id, client_id, certificate)
        }
        IdentityKind::AzureCli { tenant_id } => Ok(cli::build(&parts, tenant_id.as_deref())?),
    }
}

impl Parts<'_> {
    fn entra(&self, tenant_id: &str) -> Result<Entra, Error> {
        Entra::new(self, tenant_id)
    }

    fn optional(&self, variable: &str) -> Result<Option<String>, Error> {
        optional(variable, &**self.env)
    }

    fn required(&self, variable: &str, setting: Option<&'static str>) -> Result<String, Error> {
        required(variable, setting, &self.config.name, &**self.env)
    }

    fn bad(&self, what: &'static str) -> Error {
        Setup::BadIdentity { identity: Arc::clone(&self.config.name), what }.into()
    }
}

/// What a credential of the Azure crates gave, as ours.
fn token(result: azure_core::Result<AccessToken>, identity: &Arc<str>) -> Result<Token, Error> {
    let no_token = || Error::Identity { identity: Arc::clone(identity), why: IdentityProblem::NoToken };
    match result {
        // An answer of `{}` is an empty token to them.
        Ok(token) if token.token.secret().is_empty() => Err(no_token()),
        Ok(token) => {
            Ok(Token { text: Secret::new(token.token.secret()), expires_at: SystemTime::from(token.expires_on) })
        }
        Err(error) => Err(our_error(&error).cloned().unwrap_or_else(no_token)),
    }
}
