use super::{
    context::Context,
    files,
    place::Place,
    shape::{self, Shape, Wrong},
};
use crate::model::{Kind, document::Node};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

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
    /// A PEM private key.
    PrivateKey,
    /// Values of this kind, as a `file` source reads them.
    Values(Kind),
}

impl Shape for PathTo {
    type Out = PathBuf;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<PathBuf> {
        let path = resolve(node, place, cx)?;
        let checked = match self.0 {
            Content::Unread => Ok(()),
            Content::Values(kind) => {
                cx.files.problem_with_values(&path, kind).map_or(Ok(()), |problem| Err(Wrong::new(problem, BAD_VALUES)))
            }
            Content::Anything => content(&path, cx).map(|_| ()),
            Content::Certificates => content(&path, cx).and_then(|pem| has_certificates(&pem)),
            Content::PrivateKey => {
                content(&path, cx).and_then(|pem| has_key(&pem, "this file has no private key in it"))
            }
            Content::CertificateAndKey => content(&path, cx).and_then(|pem| has_certificate_and_key(&pem)),
        };
        match checked {
            Ok(()) => Some(path),
            Err(wrong) => wrong.note(place, cx),
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
        return cx.note(place.error("this is no path", RELATIVE));
    }
    if text.starts_with("~/") || text.contains("${") {
        return cx.note(place.error("`~` and variables are not filled in here", "write the path out"));
    }
    Some(cx.base.join(text))
}

fn content(path: &Path, cx: &Context<'_>) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    cx.files.read(path).map_err(|error| Wrong::new(files::why(&error), RELATIVE))
}

const RELATIVE: &str = "relative paths start from the directory of valet.yaml";
const BAD_VALUES: &str = "mend the file, or name another; relative paths start from the directory of valet.yaml";

const AS_PEM: &str = "Valet reads PEM: text with lines such as `-----BEGIN CERTIFICATE-----`; an encrypted key has to be decrypted first";

fn has_certificates(content: &[u8]) -> Result<(), Wrong> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(content) {
        certificate.map_err(|_| Wrong::new("this file is broken PEM", AS_PEM))?;
        count += 1;
    }
    if count == 0 { Err(Wrong::new("this file has no certificate in it", AS_PEM)) } else { Ok(()) }
}

fn has_certificate_and_key(content: &[u8]) -> Result<(), Wrong> {
    has_certificates(content)?;
    has_key(content, "this file has no private key beside the certificate")
}

fn has_key(content: &[u8], otherwise: &'static str) -> Result<(), Wrong> {
    PrivateKeyDer::from_pem_slice(content).map(|_| ()).map_err(|_| Wrong::new(otherwise, AS_PEM))
}
