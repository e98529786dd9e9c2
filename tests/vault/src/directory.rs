//! Who exists: applications with their secrets, certificates and federated tokens, and managed identities. It answers "is this one
//! known", never "may it read".

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::client_certificate::Certificate;

/// An application (service principal) of the test tenant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// The object id in its tokens; derived from the client id where it is empty.
    pub oid: String,
    /// Client secrets that are accepted.
    pub secrets: Vec<String>,
    /// Federated tokens that are accepted, byte for byte.
    pub assertions: Vec<String>,
    /// Files whose whole text is an accepted federated token, read at each request so that a rotation is seen.
    pub assertion_files: Vec<PathBuf>,
    /// Certificates (PEM) whose key may sign assertions.
    pub certificates: Vec<String>,
}

/// An [`App`] with its certificates parsed.
#[derive(Clone, Debug)]
pub(crate) struct KnownApp {
    pub(crate) appid: String,
    pub(crate) oid: String,
    secrets: Vec<String>,
    assertions: Vec<String>,
    assertion_files: Vec<PathBuf>,
    pub(crate) certificates: Vec<Certificate>,
}

impl KnownApp {
    fn new(appid: &str, app: App) -> Result<Self, BadCertificate> {
        let App { oid, secrets, assertions, assertion_files, certificates } = app;
        let parsed: Option<Vec<_>> = certificates.iter().map(|pem| Certificate::from_pem(pem)).collect();
        Ok(Self {
            appid: appid.to_owned(),
            oid: if oid.is_empty() { crate::jwt::guid(appid) } else { oid },
            secrets,
            assertions,
            assertion_files,
            certificates: parsed.ok_or(BadCertificate)?,
        })
    }

    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.secrets.iter().any(|known| known == secret)
    }

    pub(crate) fn trusts_assertion(&self, assertion: &str) -> bool {
        let on_disk = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text == assertion);
        self.assertions.iter().any(|known| known == assertion) || self.assertion_files.iter().any(on_disk)
    }
}

/// A registered text is no PEM certificate with an RSA key.
#[derive(Debug, thiserror::Error)]
#[error("not a certificate: register a PEM certificate")]
pub struct BadCertificate;

/// A managed identity of the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedIdentity {
    /// Client id, the `appid` of its tokens.
    pub client_id: String,
    /// Object (principal) id.
    pub object_id: String,
    /// Azure resource id.
    pub resource_id: String,
    /// Whether it is the one that is used when a request names none.
    #[serde(default)]
    pub system_assigned: bool,
}

/// Applications and managed identities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    apps: Vec<KnownApp>,
    identities: Vec<ManagedIdentity>,
}

impl Directory {
    pub(crate) fn register_app(&mut self, appid: &str, app: App) -> Result<(), BadCertificate> {
        let app = KnownApp::new(appid, app)?;
        self.apps.retain(|known| !known.appid.eq_ignore_ascii_case(appid));
        self.apps.push(app);
        Ok(())
    }

    pub(crate) fn register_identity(&mut self, identity: ManagedIdentity) {
        self.identities.retain(|known| known.client_id != identity.client_id);
        self.identities.push(identity);
    }

    pub(crate) fn app(&self, appid: &str) -> Option<&KnownApp> {
        self.apps.iter().find(|app| app.appid.eq_ignore_ascii_case(appid))
    }

    pub(crate) fn identity(&self, wanted: impl Fn(&ManagedIdentity) -> bool) -> Option<&ManagedIdentity> {
        self.identities.iter().find(|identity| wanted(identity))
    }

    pub(crate) fn remove_identities(&mut self) {
        self.identities.clear();
    }
}
