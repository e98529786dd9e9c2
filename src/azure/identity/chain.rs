use super::{IdentityProblem, Parts, cli, cli::Cli, environment, managed, managed::ManagedIdentity, workload};
use crate::azure::{
    ManagedIdentityId,
    error::Error,
    token::{Fetch, Token},
};
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use tracing::info;

/// The kind `default`: environment, workload identity, managed identity, Azure CLI; the first that is configured is the one. What is configured
/// and does not work is a fault, never passed over: else a broken mount would silently make somebody else of Valet.
pub(super) fn build(parts: &Parts<'_>) -> Result<Arc<dyn Fetch>, Error> {
    let chosen = |what: &str| info!(identity = &*parts.config.name, "the default identity is {what}");
    if parts.optional(environment::CLIENT_SECRET)?.is_some() || parts.optional(environment::CERTIFICATE_PATH)?.is_some()
    {
        chosen("that of the environment");
        return environment::build(parts);
    }
    if parts.optional(workload::TOKEN_FILE)?.is_some() {
        chosen("the workload identity");
        return workload::build(parts, None, None, None);
    }
    // As in the Azure SDKs, AZURE_CLIENT_ID alone names the user-assigned one.
    let id = parts.optional("AZURE_CLIENT_ID")?.map(ManagedIdentityId::ClientId);
    let managed = managed::build(parts, id.as_ref())?;
    if !managed.is_imds() {
        chosen("the managed identity of IDENTITY_ENDPOINT");
        return Ok(managed);
    }
    Ok(Arc::new(MachineOrCli {
        identity: Arc::clone(&parts.config.name),
        managed,
        cli: cli::build(parts, None)?,
        chosen: OnceLock::new(),
    }))
}

/// Whether a machine has an identity shows only when it is asked, so these two are chosen between at the first token; what gave it is kept.
#[derive(Debug)]
struct MachineOrCli {
    identity: Arc<str>,
    managed: Arc<ManagedIdentity>,
    cli: Arc<Cli>,
    chosen: OnceLock<Arc<dyn Fetch>>,
}

#[async_trait]
impl Fetch for MachineOrCli {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        if let Some(chosen) = self.chosen.get() {
            return chosen.fetch(scope).await;
        }
        let why_not_managed = if self.managed.is_there().await {
            match self.managed.fetch(scope).await {
                Err(Error::Identity { why: IdentityProblem::NotAssigned, .. }) => "none is assigned to this machine",
                result => return self.choose(result, "the managed identity of this machine", &self.managed),
            }
        } else {
            "nothing answers there"
        };
        if self.cli.is_there() {
            let result = self.cli.fetch(scope).await;
            return self.choose(result, "that of the Azure CLI", &self.cli);
        }
        let tried = format!(
            "environment (neither {} nor {} is set), workload identity ({} is not set), managed identity ({}: {why_not_managed}), \
             Azure CLI (az is not on PATH)",
            environment::CLIENT_SECRET,
            environment::CERTIFICATE_PATH,
            workload::TOKEN_FILE,
            self.managed.host(),
        );
        Err(Error::Identity {
            identity: Arc::clone(&self.identity),
            why: IdentityProblem::NothingConfigured(tried.into()),
        })
    }
}

impl MachineOrCli {
    fn choose<F: Fetch + 'static>(
        &self,
        result: Result<Token, Error>,
        what: &str,
        fetch: &Arc<F>,
    ) -> Result<Token, Error> {
        if result.is_ok() && self.chosen.set(Arc::clone(fetch) as Arc<dyn Fetch>).is_ok() {
            info!(identity = &*self.identity, "the default identity is {what}");
        }
        result
    }
}
