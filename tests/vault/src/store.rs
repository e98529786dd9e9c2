//! What one vault holds: secrets, their versions and their attributes. It knows Key Vault's rules about names, sizes and soft
//! deletion, and neither HTTP nor rights.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// A secret as a seed or a test writes it. Times are Unix seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretSpec {
    /// The value, at most [`MAX_VALUE_BYTES`].
    pub value: Option<String>,
    /// `false` makes every read of this version a 403; absent means enabled.
    pub enabled: Option<bool>,
    /// Expiry. Informational: an expired secret is still served.
    pub exp: Option<i64>,
    /// Start of validity. Informational too.
    pub nbf: Option<i64>,
    /// At most 255 characters.
    pub content_type: Option<String>,
    /// At most 15, of at most 512 characters each.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether the secret backs a certificate.
    pub managed: Option<bool>,
}

impl SecretSpec {
    /// An enabled secret with this value.
    pub fn value(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }
}

/// One version of a secret.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) value: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) exp: Option<i64>,
    pub(crate) nbf: Option<i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) content_type: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) managed: bool,
}

/// A secret: its name as first written, its versions in the order of their creation (the last is the latest).
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) versions: Vec<Version>,
    /// When it was soft-deleted.
    pub(crate) deleted: Option<i64>,
}

impl Secret {
    pub(crate) fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    pub(crate) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id.eq_ignore_ascii_case(id))
    }
}

/// Why a change was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Key Vault names are 1 to 127 of `0-9a-zA-Z-`.
    #[error("a secret's name is 1 to 127 letters, digits and hyphens, unlike {0:?}")]
    BadName(String),
    /// There is no such secret or version, or it was deleted.
    #[error("there is no secret {0:?}")]
    Unknown(String),
    /// The name is held by a soft-deleted secret.
    #[error("the secret {0:?} is deleted but recoverable: recover or purge it first")]
    Deleted(String),
    /// The value, content type or tags are larger than Key Vault takes.
    #[error("the {0} is larger than Key Vault takes")]
    TooLarge(&'static str),
    /// A set without a value.
    #[error("a secret needs a value")]
    NoValue,
}

/// The secrets of one vault, by their lower-case names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    secrets: BTreeMap<String, Secret>,
    written: u64,
}

impl Store {
    /// The secret, unless it is unknown or deleted: Key Vault answers both alike.
    pub(crate) fn get(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(&key(name)).filter(|secret| secret.deleted.is_none())
    }

    pub(crate) fn deleted(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(&key(name)).filter(|secret| secret.deleted.is_some())
    }

    /// All secrets that are (not) deleted, by name.
    pub(crate) fn iter(&self, deleted: bool) -> impl Iterator<Item = &Secret> {
        self.secrets.values().filter(move |secret| secret.deleted.is_some() == deleted)
    }

    /// Adds a version, which is the latest at once; returns its id.
    pub(crate) fn set(&mut self, name: &str, spec: SecretSpec, now: i64) -> Result<String, StoreError> {
        check_name(name)?;
        check_sizes(&spec)?;
        if spec.value.is_none() {
            return Err(StoreError::NoValue);
        }
        if self.deleted(name).is_some() {
            return Err(StoreError::Deleted(name.to_owned()));
        }
        self.written += 1;
        let id = version_id(name, self.written);
        let version = Version {
            id: id.clone(),
            value: spec.value,
            enabled: spec.enabled.unwrap_or(true),
            exp: spec.exp,
            nbf: spec.nbf,
            created: now,
            updated: now,
            content_type: spec.content_type,
            tags: spec.tags,
            managed: spec.managed.unwrap_or(false),
        };
        let secret = self.secrets.entry(key(name));
        secret
            .or_insert_with(|| Secret { name: name.to_owned(), versions: Vec::new(), deleted: None })
            .versions
            .push(version);
        Ok(id)
    }

    /// Changes what `spec` names of a version (the latest without an id); a value cannot be changed.
    pub(crate) fn update(
        &mut self,
        name: &str,
        id: Option<&str>,
        spec: SecretSpec,
        now: i64,
    ) -> Result<(), StoreError> {
        check_sizes(&spec)?;
        let unknown = || StoreError::Unknown(name.to_owned());
        let secret = self.secrets.get_mut(&key(name)).filter(|secret| secret.deleted.is_none()).ok_or_else(unknown)?;
        let version = match id {
            Some(id) => secret.versions.iter_mut().find(|version| version.id.eq_ignore_ascii_case(id)),
            None => secret.versions.last_mut(),
        }
        .ok_or_else(unknown)?;
        let SecretSpec { value: _, enabled, exp, nbf, content_type, tags, managed } = spec;
        version.enabled = enabled.unwrap_or(version.enabled);
        version.exp = exp.or(version.exp);
        version.nbf = nbf.or(version.nbf);
        version.content_type = content_type.or(version.content_type.take());
        version.tags = tags.or(version.tags.take());
        version.managed = managed.unwrap_or(version.managed);
        version.updated = now;
        Ok(())
    }

    /// Soft-deletes: the name is unknown from now on, and cannot be set.
    pub(crate) fn delete(&mut self, name: &str, now: i64) -> Result<&Secret, StoreError> {
        let secret = self.secrets.get_mut(&key(name)).filter(|secret| secret.deleted.is_none());
        let secret = secret.ok_or_else(|| StoreError::Unknown(name.to_owned()))?;
        secret.deleted = Some(now);
        Ok(secret)
    }

    /// Undoes a soft deletion.
    pub(crate) fn recover(&mut self, name: &str) -> Result<&Secret, StoreError> {
        let secret = self.secrets.get_mut(&key(name)).filter(|secret| secret.deleted.is_some());
        let secret = secret.ok_or_else(|| StoreError::Unknown(name.to_owned()))?;
        secret.deleted = None;
        Ok(secret)
    }

    /// Forgets the secret; its name may be used again.
    pub(crate) fn purge(&mut self, name: &str) -> Result<(), StoreError> {
        self.secrets.remove(&key(name)).map(|_| ()).ok_or_else(|| StoreError::Unknown(name.to_owned()))
    }
}

/// Whether Key Vault can hold a secret of this name.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let known = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if known { Ok(()) } else { Err(StoreError::BadName(name.to_owned())) }
}

fn check_sizes(spec: &SecretSpec) -> Result<(), StoreError> {
    let long = |text: &String, most: usize| text.chars().count() > most;
    if spec.value.as_ref().is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
        return Err(StoreError::TooLarge("value"));
    }
    if spec.content_type.as_ref().is_some_and(|text| long(text, MAX_CONTENT_TYPE)) {
        return Err(StoreError::TooLarge("content type"));
    }
    let too_many = |tags: &BTreeMap<String, String>| {
        tags.len() > MAX_TAGS || tags.iter().any(|(name, value)| long(name, MAX_TAG) || long(value, MAX_TAG))
    };
    if spec.tags.as_ref().is_some_and(too_many) { Err(StoreError::TooLarge("set of tags")) } else { Ok(()) }
}

/// Names are compared without case.
fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The same for the same history, and in no order of time: clients must not find the newest version by its id.
fn version_id(name: &str, written: u64) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{name}/{written}").as_bytes());
    crate::jwt::hex(&hash.as_ref()[..16])
}

/// Characters in a name.
pub const MAX_NAME: usize = 127;
/// Bytes in a value (25 KB).
pub const MAX_VALUE_BYTES: usize = 25 * 1024;
const MAX_CONTENT_TYPE: usize = 255;
const MAX_TAGS: usize = 15;
const MAX_TAG: usize = 512;
