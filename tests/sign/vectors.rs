//! The published vectors; `data/ORIGIN.md` says where they come from.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use valet::sign::spec::{self, SignedSpec};

const PUBLIC: &str = include_str!("data/vectors-public.json");

/// Every vector.
pub(crate) fn all() -> Vec<Value> {
    let file: Value = serde_json::from_str(PUBLIC).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// A vector's spec; one that must be refused has its kind inside.
pub(crate) fn spec_of(vector: &Value) -> Value {
    let mut input = vector["input"].clone();
    let inner = input.as_object_mut().and_then(|input| input.remove("kind"));
    json!({"kind": inner.as_ref().unwrap_or(&vector["kind"]), "input": input})
}

/// The decoded parameters of a token.
pub(crate) fn parameters(signed: &SignedSpec) -> BTreeMap<String, String> {
    let pairs = signed.signed.parameters();
    pairs.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
}

#[test]
fn every_public_vector_agrees_in_its_signature_and_in_what_is_signed() {
    let vectors = all();
    let found: Vec<_> = vectors.iter().map(|vector| spec::sign(&spec_of(vector).to_string())).collect();
    for (vector, found) in vectors.iter().zip(found) {
        let (id, expect) = (&vector["id"], &vector["expect"]);
        let Ok(signed) = found else {
            assert_eq!(expect["refuse"], true, "{id}: {found:?}");
            continue;
        };
        assert_eq!(expect["string_to_sign"], signed.signed.string_to_sign, "{id}");
        if signed.is_header {
            assert_eq!(expect["authorization"], signed.signed.token.expose(), "{id}");
        } else {
            assert_eq!(expect["params"], json!(parameters(&signed)), "{id}");
        }
    }
    assert_eq!(vectors.len(), 171);
}
