//! Specs: a JSON object `{"kind": …, "input": …}` that says all of what is to be signed, key, times and version included.
//! It takes no default that would widen a token, and refuses every field that it does not know. `valet sign` and the test vectors come through it.

mod header;
mod object;
mod sas;

use super::{Scheme, SignError, Signed};
use crate::model::document::{Limits, Node};
use object::Object;

/// What a spec may hold: more than any request to sign needs.
pub const LIMITS: Limits = Limits { bytes: 64 * 1024, depth: 8, nodes: 2000 };

/// What a spec became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedSpec {
    /// The spec's kind.
    pub kind: String,
    /// The token or header value.
    pub signed: Signed,
    /// Whether it is the value of an `Authorization` header, and no SAS.
    pub is_header: bool,
}

/// Signs what a spec says.
///
/// # Errors
/// Whatever must not be signed. The error repeats none of the spec's text but the name of a field that is unknown.
pub fn sign(text: &str) -> Result<SignedSpec, SignError> {
    let root = Node::from_json(text, LIMITS);
    let root = root.map_err(|bad| SignError::Invalid { field: "spec", problem: bad.message })?;
    let mut spec = Object::of("spec", &root)?;
    let kind = spec.required_text("kind")?;
    let input = spec.required_object("input")?;
    // What else a file of test vectors says of a spec.
    spec.ignore(&["id", "service_version", "made_with", "expect", "note"]);
    spec.finish()?;
    let (family, last) = kind.rsplit_once('-').unwrap_or((kind, ""));
    let (signed, is_header) = match (family, last) {
        ("service-sas", service) => (sas::service(input, service)?, false),
        ("udk-sas", service) => (sas::delegation(input, service)?, false),
        ("account", "sas") => (sas::account(input)?, false),
        ("servicebus", "sas") => (sas::service_bus(input)?, false),
        ("shared-key", service) => (header::shared_key(input, Scheme::SharedKey, service)?, true),
        ("shared-key-lite", service) => (header::shared_key(input, Scheme::SharedKeyLite, service)?, true),
        ("cosmos-master", "key") => (header::cosmos(input)?, true),
        ("batch-shared", "key") => (header::batch(input)?, true),
        _ => return Err(unknown_kind()),
    };
    Ok(SignedSpec { kind: kind.to_owned(), signed, is_header })
}

fn unknown_kind() -> SignError {
    let problem = "is unknown: it is service-sas-SERVICE, udk-sas-SERVICE, account-sas, servicebus-sas, shared-key-SERVICE, \
                   shared-key-lite-SERVICE, cosmos-master-key or batch-shared-key";
    SignError::Invalid { field: "kind", problem }
}
