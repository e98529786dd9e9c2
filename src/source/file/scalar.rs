use crate::model::document::{Node, Scalar, Value};
use serde_json::{Map, Number, Value as Json};

/// A node as JSON, with the types that Airflow's YAML reader (`PyYAML`, YAML 1.1) or JSON reader would see in plain scalars.
pub(super) fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) => scalar_to_json(scalar),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => {
            Json::Object(map.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect::<Map<_, _>>())
        }
    }
}

fn scalar_to_json(scalar: &Scalar) -> Json {
    let text = scalar.text();
    if scalar.is_null() {
        return Json::Null;
    }
    if !scalar.is_plain() {
        return Json::from(text);
    }
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Json::from(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Json::from(false),
        _ => {}
    }
    let number = text.strip_prefix('+').unwrap_or(text);
    if number.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) && !has_leading_zero(number) {
        if let Ok(whole) = number.parse::<i64>() {
            return Json::from(whole);
        }
        if let Some(fraction) = number.parse().ok().filter(|_| number.contains('.')).and_then(Number::from_f64) {
            return Json::Number(fraction);
        }
    }
    Json::from(text)
}

/// `007` is an octal number to one reader and text to another: it stays text.
fn has_leading_zero(number: &str) -> bool {
    let digits = number.trim_start_matches('-').as_bytes();
    digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
}
