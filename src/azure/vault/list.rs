use super::{KeyVault, SecretName, client::may_begin_again};
use crate::azure::error::{Error, Nonsense, Refusal};
use azure_core::http::pager::{PagerContinuation, PagerOptions};
use azure_security_keyvault_secrets::{
    ResourceExt as _,
    models::{SecretClientListSecretPropertiesOptions, SecretProperties},
};
use futures::TryStreamExt as _;
use std::time::SystemTime;

/// One page of a vault's list of secrets: at most 25 of them, and sometimes none although others follow.
#[derive(Debug)]
pub struct Page {
    /// What is on it.
    pub secrets: Vec<Listed>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<NextPage>,
}

/// What a vault tells of a secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, in the case in which it was first written.
    pub name: SecretName,
    /// Whether its latest version may be read.
    pub enabled: bool,
    /// When its latest version was last changed, attributes and tags included; in whole seconds of the vault's clock.
    pub updated_at: Option<SystemTime>,
}

/// Where a list goes on.
#[derive(Debug, Clone)]
pub struct NextPage(PagerContinuation);

impl KeyVault {
    /// Reads one page of the list. Each has a pager of its own, so that one that failed can be asked for again.
    pub(super) async fn read_page(&self, from: Option<&NextPage>) -> Result<Page, Error> {
        let mut new_tokens = 0;
        loop {
            let continuation = from.map(|NextPage(continuation)| continuation.clone());
            let method_options = PagerOptions { continuation, ..PagerOptions::default() };
            let options = SecretClientListSecretPropertiesOptions { method_options, ..Default::default() };
            let mut pages = self
                .client
                .list_secret_properties(Some(options))
                .expect("there is no parameter that it could refuse")
                .into_pages();
            let response = match pages.try_next().await {
                Ok(response) => response.ok_or_else(|| self.nonsense(Nonsense::Unreadable))?,
                Err(error) if may_begin_again(&error, &mut new_tokens) => continue,
                Err(error) => return Err(self.may_not_list(&error)),
            };
            let list = response.into_model().map_err(|_| self.nonsense(Nonsense::Unreadable))?;
            let secrets = list.value.into_iter().map(listed).collect::<Option<_>>();
            return Ok(Page {
                secrets: secrets.ok_or_else(|| self.nonsense(Nonsense::Unreadable))?,
                next: pages.into_continuation().map(|continuation| self.next(continuation)),
            });
        }
    }

    fn next(&self, continuation: PagerContinuation) -> NextPage {
        NextPage(match continuation {
            // An emulator that speaks plain text links to itself as it sees itself.
            PagerContinuation::Link(link) => PagerContinuation::Link(self.as_shown(&link)),
            other => other,
        })
    }

    fn may_not_list(&self, error: &azure_core::Error) -> Error {
        match self.explain(error) {
            Error::Refused { vault, identity, why: Refusal::MissingRole | Refusal::MissingPolicy } => {
                Error::Refused { vault, identity, why: Refusal::MayNotList }
            }
            other => other,
        }
    }
}

/// `None` where it is no secret: then the list cannot be believed.
fn listed(secret: SecretProperties) -> Option<Listed> {
    let name = SecretName::parse(secret.resource_id().ok()?.name)?;
    let attributes = secret.attributes.unwrap_or_default();
    Some(Listed {
        name,
        enabled: attributes.enabled != Some(false),
        updated_at: attributes.updated.map(SystemTime::from),
    })
}
