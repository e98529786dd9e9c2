use super::{
    context::Context,
    files,
    place::Place,
    shape::{self, Shape, Wrong},
};
use crate::model::document::{self, Limits, Node};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// The path of a file, absolute or relative to the directory of valet.yaml, and what has to be in it.
pub(super) struct PathTo(pub(super) Content);

/// What has to be in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Not looked at: the file is written by Valet, or comes and goes.
    Unread,
    /// Anything, as long as it can be read.
    Anything,
    /// PEM certificates.
    Certificates,
    /// A PEM certificate and its private key.
    CertificateAndKey,
    /// Connections or variables in a format of `LocalFilesystemBackend`, by the file's ending.
    Values,
}

impl Shape for PathTo {
    type Out = PathBuf;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<PathBuf> {
        let path = resolve(node, place, cx)?;
        if self.0 == Content::Unread {
            return Some(path);
        }
        match cx.files.read(&path) {
            Err(error) => {
                cx.note(place.error(files::why(&error)).hint("relative paths start from the directory of valet.yaml"))
            }
            Ok(content) => match self.0.check(&path, &content) {
                Err(wrong) => wrong.note(place, cx),
                Ok(()) => Some(path),
            },
        }
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "number", "boolean"], "minLength": 1})
    }
}

/// The path that stands here, seen from the directory of valet.yaml.
pub(super) fn resolve(node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<PathBuf> {
    let text = shape::scalar("a path", node, place, cx)?.text();
    if text.is_empty() || text.contains(char::is_control) {
        return cx.note(place.error("this is no path"));
    }
    if text.starts_with("~/") || text.contains("${") {
        return cx.note(place.error("`~` and variables are not filled in here").hint("write the path out"));
    }
    Some(cx.base.join(text))
}

impl Content {
    fn check(self, path: &Path, content: &[u8]) -> Result<(), Wrong> {
        match self {
            Self::Unread | Self::Anything => Ok(()),
            Self::Certificates => has_certificates(content),
            Self::CertificateAndKey => {
                has_certificates(content)?;
                PrivateKeyDer::from_pem_slice(content)
                    .map(|_| ())
                    .map_err(|_| Wrong::new("this file has no private key beside the certificate").hint(AS_PEM))
            }
            Self::Values => has_values(path, content),
        }
    }
}

const AS_PEM: &str = "Valet reads PEM: text with lines such as `-----BEGIN CERTIFICATE-----`; an encrypted key has to be decrypted first";

fn has_certificates(content: &[u8]) -> Result<(), Wrong> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(content) {
        certificate.map_err(|_| Wrong::new("this file is broken PEM").hint(AS_PEM))?;
        count += 1;
    }
    if count == 0 { Err(Wrong::new("this file has no certificate in it").hint(AS_PEM)) } else { Ok(()) }
}

/// Only the syntax: what the values mean is the source's to say.
fn has_values(path: &Path, content: &[u8]) -> Result<(), Wrong> {
    const LIMITS: Limits = Limits { bytes: 16 << 20, depth: 32, nodes: 1_000_000 };
    let text = document::decode(content);
    let parsed = match path.extension().and_then(|ending| ending.to_str()) {
        Some("env") => text.map(|_| ()),
        Some("json") => text.and_then(|text| Node::from_json(text, LIMITS)).map(|_| ()),
        Some("yaml" | "yml") => text.and_then(|text| Node::from_yaml(text, LIMITS)).map(|_| ()),
        _ => return Err(Wrong::new("this ending is not known").hint("known: .json, .yaml, .yml, .env")),
    };
    parsed.map_err(|problem| {
        let wrong = Wrong::new(format!("line {} of this file: {}", problem.line, problem.message));
        match problem.hint {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
    })
}
