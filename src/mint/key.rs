use super::{AccountConfig, AccountKind};
use crate::{
    model::Secret,
    sign::{AccountKey, Key, SharedAccessKey},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::{fmt, sync::Arc, time::SystemTime};

/// An account's key as it was stored, ready to sign.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: Key,
    /// The key's own text, without a connection string around it.
    pub text: Secret,
    /// The shared access policy that the stored connection string names, of Service Bus and Event Hubs.
    pub policy: Option<String>,
    /// Which key it is.
    pub fingerprint: Fingerprint,
    /// The source's version of it.
    pub version: Option<Arc<str>>,
    /// When that version was made, where the source says so.
    pub created: Option<SystemTime>,
    /// When that version was last changed, where the source says so.
    pub updated: Option<SystemTime>,
}

/// Tells one key from another without telling the key: the first 9 bytes of its SHA-256, as 12 characters. Safe to log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    fn of(key: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(key)[..9]).into())
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a stored text is no key of its account, for people; it repeats nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(pub String);

impl StoredKey {
    /// Reads a stored text: the key alone, or a whole connection string with the key in it, as the Azure portal offers both.
    ///
    /// # Errors
    /// What is wrong with the text: no base64, empty, too short, of another account.
    pub fn parse(
        account: &AccountConfig,
        stored: &Secret,
        version: Option<Arc<str>>,
        created: Option<SystemTime>,
    ) -> Result<Self, BadKey> {
        let parts = Parts::of(stored.expose().trim_ascii());
        parts.check(account)?;
        let (key, policy) = match &account.kind {
            AccountKind::ServiceBus { policy, .. } => {
                let text = parts.key("SharedAccessKey")?;
                let stored = parts.value("SharedAccessKeyName");
                if policy.is_none() && stored.is_none() {
                    let problem = "it does not say the name of its policy: store the whole connection string, or give the account a `policy`";
                    return Err(BadKey(problem.to_owned()));
                }
                (SharedAccessKey::parse(text).map(Key::SharedAccess), stored)
            }
            AccountKind::Storage(_) | AccountKind::Cosmos { .. } | AccountKind::Batch { .. } => {
                (AccountKey::parse(parts.key("AccountKey")?).map(Key::Account), None)
            }
        };
        let text = match &account.kind {
            AccountKind::ServiceBus { .. } => parts.key("SharedAccessKey")?,
            _ => parts.key("AccountKey")?,
        };
        Ok(Self {
            key: key.map_err(|error| BadKey(error.to_string()))?,
            fingerprint: Fingerprint::of(text),
            text: Secret::new(text),
            policy: policy.map(str::to_owned),
            version,
            created,
            updated: None,
        })
    }
}

/// A connection string's parts, or a text that is none.
enum Parts<'a> {
    Bare(&'a str),
    Named(Vec<(&'a str, &'a str)>),
}

impl<'a> Parts<'a> {
    /// A key in base64 has its `=` at the end only, and never a `;`. A Service Bus key may be any text.
    fn of(text: &'a str) -> Self {
        let is_named = text.split(';').next().and_then(|part| part.split_once('=')).is_some_and(|(name, value)| {
            !value.trim_start_matches('=').is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !is_named {
            return Self::Bare(text);
        }
        Self::Named(
            text.split(';')
                .filter_map(|part| part.split_once('='))
                .map(|(name, value)| (name.trim(), value.trim()))
                .collect(),
        )
    }

    /// Names are compared without case, as the SDKs do.
    fn value(&self, name: &str) -> Option<&'a str> {
        match self {
            Self::Bare(_) => None,
            Self::Named(parts) => {
                parts.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
            }
        }
    }

    fn key(&self, name: &str) -> Result<&'a str, BadKey> {
        match self {
            Self::Bare(text) => Ok(text),
            Self::Named(_) => {
                self.value(name).ok_or_else(|| BadKey(format!("it is a connection string without {name}")))
            }
        }
    }

    /// A connection string of another account would sign tokens that nobody accepts.
    fn check(&self, account: &AccountConfig) -> Result<(), BadKey> {
        let host = |url: &str| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase()
        };
        let (stored, ours) = match &account.kind {
            AccountKind::Storage(storage) => (self.value("AccountName").map(str::to_owned), storage.account.clone()),
            AccountKind::Batch { account, .. } => (self.value("AccountName").map(str::to_owned), account.clone()),
            AccountKind::ServiceBus { host: ours, .. } => (self.value("Endpoint").map(host), host(ours)),
            AccountKind::Cosmos { endpoint } => {
                (self.value("AccountEndpoint").map(host), endpoint.host_str().unwrap_or_default().to_owned())
            }
        };
        match stored {
            Some(stored) if stored != ours => Err(BadKey("it is the connection string of another account".to_owned())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mint::StorageConfig;
    use url::Url;

    /// 64 bytes, as Azure's keys have.
    const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==";

    fn account(kind: AccountKind) -> AccountConfig {
        let (keys, network) = Default::default();
        AccountConfig { name: "landing".into(), kind, keys, identity: "default".into(), network }
    }

    fn storage() -> AccountConfig {
        let endpoints = Vec::new();
        let suffix = StorageConfig::SUFFIX.to_owned();
        account(AccountKind::Storage(StorageConfig { account: "acmelanding".into(), suffix, endpoints }))
    }

    fn service_bus(policy: Option<&str>) -> AccountConfig {
        let policy = policy.map(str::to_owned);
        account(AccountKind::ServiceBus { host: "acme.servicebus.windows.net".into(), policy })
    }

    fn parse(account: &AccountConfig, text: &str) -> Result<(String, Option<String>), String> {
        let key = StoredKey::parse(account, &Secret::new(text), None, None);
        key.map(|key| (key.text.expose().to_owned(), key.policy)).map_err(|bad| bad.to_string())
    }

    #[test]
    fn a_key_is_found_bare_and_in_a_connection_string() {
        let endpoint: Url = "https://acme.documents.azure.com:443/".parse().unwrap();
        let cosmos = account(AccountKind::Cosmos { endpoint: endpoint.clone() });
        let batch = account(AccountKind::Batch { account: "acmebatch".into(), endpoint });
        for (account, text) in [
            (&storage(), KEY.to_owned()),
            (&storage(), format!(" {KEY}\n")),
            (
                &storage(),
                format!(
                    "DefaultEndpointsProtocol=https;AccountName=acmelanding;AccountKey={KEY};EndpointSuffix=core.windows.net"
                ),
            ),
            (&storage(), format!("accountkey={KEY}")),
            (&cosmos, format!("AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={KEY};")),
            (&batch, KEY.to_owned()),
            (&service_bus(Some("reader")), KEY.to_owned()),
        ] {
            assert_eq!(parse(account, &text), Ok((KEY.to_owned(), None)), "{text}");
        }
    }

    #[test]
    fn a_namespaces_policy_is_the_one_of_its_connection_string() {
        let text = format!(
            "Endpoint=sb://ACME.servicebus.windows.net/;SharedAccessKeyName=reader;SharedAccessKey={KEY};EntityPath=q"
        );
        assert_eq!(parse(&service_bus(None), &text), Ok((KEY.to_owned(), Some("reader".to_owned()))));
        let why =
            "it does not say the name of its policy: store the whole connection string, or give the account a `policy`";
        assert_eq!(parse(&service_bus(None), KEY), Err(why.to_owned()));
    }

    #[test]
    fn what_is_no_key_of_the_account_is_refused_without_being_repeated() {
        for (text, why) in [
            ("", "key is empty: give the account's key"),
            ("  \n", "key is empty: give the account's key"),
            ("not base64!", "key is not base64: give the key as Azure shows it"),
            ("c2hvcnQ=", "key is too short: was it cut when it was copied?"),
            ("AccountName=acmelanding;EndpointSuffix=core.windows.net", "it is a connection string without AccountKey"),
            ("AccountName=acmelanding;AccountKey=", "key is empty: give the account's key"),
            ("AccountName=other;AccountKey=MDEy", "it is the connection string of another account"),
            (
                "BlobEndpoint=https://acmelanding.blob.core.windows.net;SharedAccessSignature=sv=1&sig=canary",
                "it is a connection string without AccountKey",
            ),
        ] {
            assert_eq!(parse(&storage(), text), Err(why.to_owned()), "{text}");
        }
        let other = "Endpoint=sb://other.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=abcdefghijkl";
        assert_eq!(parse(&service_bus(None), other), Err("it is the connection string of another account".to_owned()));
    }

    #[test]
    fn a_fingerprint_is_of_the_key_and_not_of_the_text_around_it() {
        let fingerprint =
            |text: &str| StoredKey::parse(&storage(), &Secret::new(text), None, None).unwrap().fingerprint;
        assert_eq!(fingerprint(KEY), fingerprint(&format!("AccountKey={KEY};AccountName=acmelanding")));
        assert_ne!(fingerprint(KEY), fingerprint(&KEY.replace("MDEy", "MDEz")));
        assert_eq!(fingerprint(KEY).as_str().len(), 12);
    }
}
