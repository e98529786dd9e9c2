use super::{
    context::Context,
    path::{Content, PathTo},
    place::Place,
    record::Record,
    shape::{OfKeys, Shape},
    text::VARIABLE,
};
use crate::model::{
    Reference,
    document::{Node, Value},
};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

/// Where a secret is to be found: `{env: NAME}` or `{file: PATH}`. A secret itself is refused, and so is a secret of a source, which an
/// identity would need before it can reach that source.
pub(super) struct ReferenceTo(pub(super) Content);

impl Shape for ReferenceTo {
    type Out = Reference;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Reference> {
        match &node.value {
            Value::Scalar(scalar) if !scalar.is_null() => cx.note(place.error(
                "a secret must not stand in this file",
                "say where it is: `{env: NAME}` or `{file: PATH}`; and change it, now that it has been written down",
            )),
            Value::Map(_) => OfKeys(|record: &mut Record<'_, '_>| self.take(record)).read(node, place, cx),
            Value::Scalar(_) | Value::List(_) => cx.note(place.error(EXPECTED, EXAMPLE)),
        }
    }

    fn schema(&self) -> Json {
        let mut schema = OfKeys(|record: &mut Record<'_, '_>| self.take(record)).schema();
        schema["minProperties"] = json!(1);
        schema["maxProperties"] = json!(1);
        schema["properties"].as_object_mut().expect("a mapping with known keys has properties").remove("secret");
        schema
    }
}

const EXPECTED: &str = "expected `{env: NAME}` or `{file: PATH}`";
const EXAMPLE: &str = "for a secret in the variable AZURE_CLIENT_SECRET write `{env: AZURE_CLIENT_SECRET}`";

impl ReferenceTo {
    fn take(&self, record: &mut Record<'_, '_>) -> Option<Reference> {
        let env = record.optional("env", "A variable of Valet's own environment.", &VARIABLE);
        let file = record.optional("file", "A file; one final line break is not part of it.", &PathTo(self.0));
        let is_refused = record.refuse("secret", |place| {
            place.error(
                "an identity cannot take its own secret from a source",
                "the source would need the identity first; use `{env: NAME}` or `{file: PATH}`",
            )
        });
        if let Some(name) = &env {
            record.note_with("env", |place, cx| match cx.env.var(name).map(|value| value.map(Zeroizing::new)) {
                Err(_) => Some(place.error("this variable is not UTF-8 text", "set it to text")),
                Ok(None) => Some(place.warning("this variable is not set here", "it must be when Valet runs")),
                Ok(Some(value)) if value.is_empty() => {
                    Some(place.warning("this variable is empty here", "it must not be when Valet runs"))
                }
                Ok(Some(_)) => None,
            });
        }
        match (record.has("env"), record.has("file")) {
            (true, true) => {
                record.note("file", |place| place.error("a secret is in one place only", "keep `env` or `file`"));
                None
            }
            (false, false) if !is_refused => {
                record.note("", |place| place.error(EXPECTED, EXAMPLE));
                None
            }
            _ => env.map(Reference::Env).or(file.map(Reference::File)),
        }
    }
}
