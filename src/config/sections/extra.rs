use crate::{
    broker::ExtraConfig,
    config::{
        context::{Context, is_plain},
        credential,
        place::{Keys, Place},
        reference::{PART_KEYS, PartOf},
        shape::{Shape, expected},
    },
    model::document::{Entry, Node, Scalar, Value},
};
use serde_json::{Number, Value as Json, json};

/// `extra` of a connection: any keys, any values, and references in place of text.
pub(super) struct Extra;

impl Shape for Extra {
    type Out = (Vec<(String, ExtraConfig)>, Keys);

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Self::Out> {
        let Value::Map(entries) = &node.value else {
            return cx.note(expected("a mapping", node, place, "write it as `{key: value, …}`, not as JSON in a text"));
        };
        let keys = entries.iter().map(|entry| (entry.key.clone(), at(entry, place)));
        Some((map(entries, false, place, cx)?, Keys::new(place.clone(), keys)))
    }

    fn schema(&self) -> Json {
        json!({"type": "object"})
    }
}

/// The place of a key's value. What is no plain name may be anything, a secret that slipped too.
fn at(entry: &Entry, place: &Place) -> Place {
    place.key(if is_plain(&entry.key) { &entry.key } else { "?" }, entry.line, &entry.value)
}

/// `is_secret`: a key above is that of a credential.
fn map(entries: &[Entry], is_secret: bool, place: &Place, cx: &mut Context<'_>) -> Option<Vec<(String, ExtraConfig)>> {
    let values: Vec<_> = entries
        .iter()
        .map(|entry| {
            let place = at(entry, place);
            if entry.repeated {
                return cx.note(place.error("this key is here twice", "keep one of them"));
            }
            let value = value(&entry.value, is_secret || credential::is_named(&entry.key), &place, cx);
            Some((entry.key.clone(), value?))
        })
        .collect();
    values.into_iter().collect()
}

fn value(node: &Node, is_secret: bool, place: &Place, cx: &mut Context<'_>) -> Option<ExtraConfig> {
    let part = PartOf { is_secret };
    match &node.value {
        Value::Map(entries) if matches!(&**entries, [only] if PART_KEYS.contains(&&*only.key)) => {
            part.read(node, place, cx).map(ExtraConfig::Part)
        }
        Value::Map(entries) => map(entries, is_secret, place, cx).map(ExtraConfig::Map),
        Value::List(items) => {
            let values: Vec<_> = items
                .iter()
                .enumerate()
                .map(|(index, item)| value(item, is_secret, &place.item(index, item), cx))
                .collect();
            values.into_iter().collect::<Option<_>>().map(ExtraConfig::List)
        }
        Value::Scalar(scalar) => match plain(scalar) {
            // A secret may well be made of digits.
            None | Some(ExtraConfig::Number(_)) if is_secret => part.read(node, place, cx).map(ExtraConfig::Part),
            None => part.read(node, place, cx).map(ExtraConfig::Part),
            plain => plain,
        },
    }
}

/// What YAML 1.2's core schema (10.3.2) makes of a scalar without quotes; `None` for text.
fn plain(scalar: &Scalar) -> Option<ExtraConfig> {
    if scalar.is_null() {
        return Some(ExtraConfig::Null);
    }
    match scalar.text() {
        _ if !scalar.is_plain() => None,
        "true" | "True" | "TRUE" => Some(ExtraConfig::Bool(true)),
        "false" | "False" | "FALSE" => Some(ExtraConfig::Bool(false)),
        text => number(text).map(ExtraConfig::Number),
    }
}

/// A number that is one in JSON too. What would not come out as it is written stays text: `007`, `0x1F`, integers beyond 64 bits.
fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('+').filter(|rest| !rest.starts_with('-'));
    let number: Number = serde_json::from_str(unsigned.unwrap_or(text)).ok()?;
    let is_whole = !text.contains(['.', 'e', 'E']);
    Some(number).filter(|number| !(is_whole && number.is_f64()))
}
