//! The specs of `valet sign`.

use crate::check_message;
use serde_json::{Value, json};
use valet::sign::spec;

/// One spec.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match spec::sign(text) {
        Err(error) => check_message(&error.to_string()),
        Ok(signed) => {
            let token = signed.signed.token.expose();
            assert!(token.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "a token is one line of ASCII: {token}");
            let is_query = !signed.is_header && !token.starts_with("SharedAccessSignature ");
            assert!(!is_query || !token.contains(['+', ' ', '#', '/']), "a query would change it: {token}");
            assert_eq!(spec::sign(text).as_ref(), Ok(&signed), "the same spec gives another token");
        }
    }
}

/// The published vectors.
pub fn seeds() -> Vec<Vec<u8>> {
    let file: Value = serde_json::from_str(include_str!("../../sign/data/vectors-public.json")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list of vectors");
    vectors.iter().map(|vector| spec_of(vector).to_string().into_bytes()).collect()
}

/// A vector's spec; one that must be refused has its kind inside.
fn spec_of(vector: &Value) -> Value {
    let mut input = vector["input"].clone();
    let inner = input.as_object_mut().and_then(|input| input.remove("kind"));
    json!({"kind": inner.as_ref().unwrap_or(&vector["kind"]), "input": input})
}
