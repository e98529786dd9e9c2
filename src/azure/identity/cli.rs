use super::{CliProblem, IdentityProblem, Parts, token};
use crate::azure::{
    error::Error,
    token::{Fetch, Token},
};
use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use std::{
    env,
    ffi::OsStr,
    io,
    process::{Output, Stdio},
    sync::Arc,
};
use tokio::process::Command;

/// Whoever is logged in to the Azure CLI.
#[derive(Debug)]
pub(super) struct Cli {
    identity: Arc<str>,
    tenant_id: Option<String>,
    path: Option<String>,
}

pub(super) fn build(parts: &Parts<'_>, tenant_id: Option<&str>) -> Result<Arc<Cli>, Error> {
    Ok(Arc::new(Cli {
        identity: Arc::clone(&parts.config.name),
        tenant_id: tenant_id.map(str::to_owned),
        path: parts.optional("PATH")?,
    }))
}

impl Cli {
    /// Whether there is an `az` at all.
    pub(super) fn is_there(&self) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        env::split_paths(path).any(|folder| folder.join("az").is_file())
    }
}

#[async_trait]
impl Fetch for Cli {
    async fn fetch(&self, scope: &str) -> Result<Token, Error> {
        let fault = |why| Error::Identity { identity: Arc::clone(&self.identity), why: IdentityProblem::Cli(why) };
        if !self.is_there() {
            return Err(fault(CliProblem::NotInstalled));
        }
        let options = AzureCliCredentialOptions {
            tenant_id: self.tenant_id.clone(),
            executor: Some(Arc::new(Shell { path: self.path.clone() })),
            ..AzureCliCredentialOptions::default()
        };
        let result = match AzureCliCredential::new(Some(options)) {
            Ok(credential) => credential.get_token(&[scope], None).await,
            Err(error) => Err(error),
        };
        // What az says on stderr is not shown: it names accounts and tenants.
        result.map_err(|_| fault(CliProblem::Failed)).and_then(|found| token(Ok(found), &self.identity))
    }
}

/// Runs `az` with our PATH, and ends it when nobody waits any more.
#[derive(Debug)]
struct Shell {
    path: Option<String>,
}

#[async_trait]
impl Executor for Shell {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command.output().await
    }
}
