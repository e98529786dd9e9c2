//! The signing room against the published vectors, as properties, and against what must be refused.

mod vectors {
    use serde_json::{Value, json};
    use std::collections::BTreeMap;
    use valet::sign::spec::{self, SignedSpec};

    /// `data/ORIGIN.md` says where they come from.
    const PUBLIC: &str = include_str!("sign/data/vectors-public.json");

    fn vectors() -> Vec<Value> {
        let file: Value = serde_json::from_str(PUBLIC).expect("the vectors are JSON");
        file["vectors"].as_array().expect("the vectors are a list").clone()
    }

    /// A vector's spec; one that must be refused has its kind inside.
    fn spec_of(vector: &Value) -> String {
        let mut input = vector["input"].clone();
        let inner = input.as_object_mut().and_then(|input| input.remove("kind"));
        json!({"kind": inner.as_ref().unwrap_or(&vector["kind"]), "input": input}).to_string()
    }

    fn parameters(signed: &SignedSpec) -> BTreeMap<String, String> {
        let pairs = signed.signed.parameters();
        pairs.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect()
    }

    #[test]
    fn every_public_vector_agrees() {
        let mut wrong = Vec::new();
        let vectors = vectors();
        for vector in &vectors {
            let expect = &vector["expect"];
            let result = spec::sign(&spec_of(vector));
            let good = match &result {
                Err(_) => expect["refuse"] == json!(true),
                Ok(signed) if signed.is_header => expect["authorization"] == json!(signed.signed.token.expose()),
                Ok(signed) => expect["params"] == json!(parameters(signed)),
            };
            let explained = result
                .as_ref()
                .map_or(true, |signed| expect["string_to_sign"] == json!(signed.signed.string_to_sign.expose()));
            if !good || !explained {
                let found = result.map(|signed| signed.signed.string_to_sign.expose().to_owned());
                wrong.push(format!("{}: {found:?}", vector["id"]));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(vectors.len(), 171);
    }
}
