//! Bounded YAML and JSON documents.

use crate::{check_message, choice, chosen, files};
use serde_json::value::RawValue;
use valet::model::document::{self, Limits, Node, Value};

/// Small, so that the bounds are met often.
const LIMITS: Limits = Limits { bytes: 4096, depth: 8, nodes: 200 };

/// The first byte chooses the language.
pub fn run(data: &[u8]) {
    let Some((language, data)) = choice(data, 2) else { return };
    let Ok(text) = document::decode(data) else { return };
    let read = if language == 0 { Node::from_yaml(text, LIMITS) } else { Node::from_json(text, LIMITS) };
    match read {
        Ok(node) => {
            let mut nodes = 0;
            measure(&node, 0, &mut nodes);
            if language == 1 {
                assert!(serde_json::from_str::<Box<RawValue>>(text).is_ok(), "this is no JSON: {text}");
            }
        }
        Err(problem) => {
            check_message(&problem.to_string());
            // A carriage return alone ends a line of YAML too; the end of the text may be told as a line of its own.
            let ends = data.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
            assert!((1..=ends + 2).contains(&problem.line), "there is no line {}", problem.line);
        }
    }
}

fn measure(node: &Node, depth: usize, nodes: &mut usize) {
    *nodes += 1;
    assert!(depth <= LIMITS.depth && *nodes <= LIMITS.nodes, "the bounds do not hold");
    match &node.value {
        Value::Scalar(scalar) => assert!(scalar.text().len() <= LIMITS.bytes, "the bounds do not hold"),
        Value::List(list) => list.iter().for_each(|node| measure(node, depth + 1, nodes)),
        Value::Map(map) => map.iter().for_each(|entry| measure(&entry.value, depth + 1, nodes)),
    }
}

/// The configuration's examples, and what the languages have beside them.
pub fn seeds() -> Vec<Vec<u8>> {
    let yaml = [
        "a: &x [1, {b: ~}]\nc: *x\n? d\n: |-\n  e\n",
        "%YAML 1.2\n---\n\"\\u00e4\\x41\": 'it''s'\n...\n",
        "- !!str 1\n- <<: {}\n",
    ];
    let json = [r#"{"a": [1e3, -0.5, true, null, "\ud83d\ude00\n"], "a": {"b": {}}}"#, "[[[[[[[[[[]]]]]]]]]]", " 1 "];
    let yaml = yaml.into_iter().map(|text| chosen(0, text));
    let json = json.into_iter().map(|text| chosen(1, text));
    yaml.chain(json).chain(files("config/data", "yaml").into_iter().map(|text| chosen(0, text))).collect()
}
