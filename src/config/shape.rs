//! What a value of valet.yaml must look like. One description of each key both reads it, noting every problem, and describes itself for the
//! JSON Schema, so that the two cannot differ.

use super::{
    context::{Context, Names, is_plain},
    place::{Place, Placed},
    record::Record,
    suggest,
};
use crate::model::document::{Node, Scalar, Value};
use serde_json::{Value as Json, json};
use std::{borrow::Cow, collections::HashSet, hash::Hash, sync::Arc};

/// What a value must look like.
pub(super) trait Shape {
    /// What it is read into.
    type Out;

    /// Reads a value; `None` where a problem was noted that leaves nothing to go on with.
    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Self::Out>;

    /// Its JSON Schema (draft 2020-12).
    fn schema(&self) -> Json;

    /// A value as it would be written in valet.yaml, for the schema's `default`.
    fn show(&self, _value: &Self::Out) -> Json {
        Json::Null
    }
}

/// What a scalar's text is read into. The text is as written, whatever type YAML would give it: `0660` has its zero, `123456` is text.
pub(super) trait Parse {
    /// What it is read into.
    type Out;

    /// What it is, for messages: "a duration".
    fn noun(&self) -> &'static str;

    /// Reads the text.
    fn parse(&self, text: &str) -> Result<Self::Out, Wrong>;

    /// Its JSON Schema.
    fn schema(&self) -> Json;

    /// See [`Shape::show`].
    fn show(&self, _value: &Self::Out) -> Json {
        Json::Null
    }
}

/// Why a text is not what it should be. It never repeats the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: Cow<'static, str>,
    pub(super) hint: Cow<'static, str>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    pub(super) fn note<T>(self, place: &Place, cx: &mut Context<'_>) -> Option<T> {
        cx.note(place.error(self.message, self.hint))
    }
}

impl<P: Parse> Shape for P {
    type Out = P::Out;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<P::Out> {
        let scalar = scalar(self.noun(), node, place, cx)?;
        self.parse(scalar.text()).map_err(|wrong| wrong.note::<()>(place, cx)).ok()
    }

    fn schema(&self) -> Json {
        Parse::schema(self)
    }

    fn show(&self, value: &P::Out) -> Json {
        Parse::show(self, value)
    }
}

/// The scalar that has to be here.
pub(super) fn scalar<'n>(noun: &str, node: &'n Node, place: &Place, cx: &mut Context<'_>) -> Option<&'n Scalar> {
    match &node.value {
        Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
        Value::Scalar(_) => cx.note(expected(noun, node, place, "write it after the key, or leave the key out")),
        Value::List(_) | Value::Map(_) => cx.note(expected(noun, node, place, "write one value, without brackets")),
    }
}

pub(super) fn expected(noun: &str, node: &Node, place: &Place, hint: &'static str) -> super::Problem {
    place.error(format!("expected {noun}, found {}", node.kind()), hint)
}

/// A mapping with known keys.
pub(super) struct OfKeys<F>(pub(super) F);

impl<T, F: Fn(&mut Record<'_, '_>) -> Option<T>> Shape for OfKeys<F> {
    type Out = T;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<T> {
        let Value::Map(entries) = &node.value else {
            return cx.note(expected(
                "a mapping",
                node,
                place,
                "write it as `{key: value, …}`, or each key on a line of its own",
            ));
        };
        Record::read(entries, place, cx, &self.0)
    }

    fn schema(&self) -> Json {
        Record::describe(&self.0)
    }
}

/// A mapping from names to things of one shape, in the order written.
pub(super) struct Named<S> {
    pub(super) what: Names,
    pub(super) shape: S,
}

impl<S: Shape> Shape for Named<S> {
    type Out = Vec<Placed<(Arc<str>, S::Out)>>;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Self::Out> {
        let Value::Map(entries) = &node.value else {
            return cx.note(expected("a mapping from names", node, place, "write each as `name: {…}`"));
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry.key.as_str();
            let is_right = self.what.allow(name);
            let shown = if is_plain(name) { name } else { "?" };
            let key = place.named(shown, entry.line);
            if !is_right {
                let message = format!("this is no name for {}", self.what.a_noun());
                cx.problems.push(key.error(message, self.what.rule().0));
            } else if entry.repeated {
                cx.problems.push(key.error("this name is here twice", "keep one of them, or rename it"));
            } else {
                cx.declared.entry(self.what).or_default().insert(name.to_owned());
            }
            let value = self.shape.read(&entry.value, &place.key(shown, entry.line, &entry.value), cx);
            if let (Some(value), true, false) = (value, is_right, entry.repeated) {
                all.push(Placed { place: key, value: (name.into(), value) });
            }
        }
        Some(all)
    }

    fn schema(&self) -> Json {
        json!({
            "type": "object",
            "propertyNames": self.what.rule().1,
            "additionalProperties": self.shape.schema(),
        })
    }
}

/// A list of things of one shape.
pub(super) struct ListOf<S> {
    pub(super) shape: S,
    /// What to warn of where the list is empty.
    pub(super) if_empty: Option<(&'static str, &'static str)>,
}

impl<S: Shape> Shape for ListOf<S> {
    type Out = Vec<Placed<S::Out>>;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Self::Out> {
        let Value::List(items) = &node.value else {
            return cx.note(expected("a list", node, place, "write it as `[…]`, or with `- ` before each item"));
        };
        if let (true, Some((message, hint))) = (items.is_empty(), self.if_empty) {
            cx.problems.push(place.warning(message, hint));
        }
        let placed = items.iter().enumerate().map(|(index, item)| (place.item(index, item), item));
        let values = placed.map(|(place, item)| Some(Placed { value: self.shape.read(item, &place, cx)?, place }));
        Some(values.collect::<Vec<_>>().into_iter().flatten().collect())
    }

    fn schema(&self) -> Json {
        json!({"type": "array", "items": self.shape.schema()})
    }

    fn show(&self, values: &Self::Out) -> Json {
        values.iter().map(|placed| self.shape.show(&placed.value)).collect()
    }
}

/// The list's values, each once; notes the second of two equal ones.
pub(super) fn distinct<T: Hash + Eq + Clone>(list: Vec<Placed<T>>, cx: &mut Context<'_>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(list.len());
    let mut values = Vec::with_capacity(list.len());
    for Placed { place, value } in list {
        if seen.insert(value.clone()) {
            values.push(value);
        } else {
            cx.problems.push(place.error("this is listed twice", "keep one of them"));
        }
    }
    values
}

/// One of a few words.
pub(super) struct Words<T: 'static> {
    pub(super) words: &'static [(&'static str, T)],
    /// Words of later versions.
    pub(super) later: &'static [&'static str],
}

impl<T: Clone + PartialEq> Parse for Words<T> {
    type Out = T;

    fn noun(&self) -> &'static str {
        "a word"
    }

    fn parse(&self, text: &str) -> Result<T, Wrong> {
        if let Some((_, value)) = self.words.iter().find(|(word, _)| *word == text) {
            return Ok(value.clone());
        }
        Err(Wrong::unknown_word(text, self.words.iter().map(|(word, _)| *word), self.later))
    }

    fn schema(&self) -> Json {
        json!({"enum": self.words.iter().map(|(word, _)| *word).collect::<Vec<_>>()})
    }

    fn show(&self, value: &T) -> Json {
        self.words.iter().find(|(_, known)| known == value).map_or(Json::Null, |(word, _)| (*word).into())
    }
}

impl Wrong {
    /// A word that is none of those that may stand here.
    pub(super) fn unknown_word(
        word: &str,
        known: impl Iterator<Item = &'static str> + Clone,
        later: &[&'static str],
    ) -> Self {
        if later.contains(&word) {
            return Self::not_yet_available();
        }
        // What YAML 1.1, and so Helm, makes of an `off` without quotes.
        if word == "false" && known.clone().any(|known| known == "off") {
            return Self::new("`off` has become `false` on its way here", "write \"off\" in quotes");
        }
        Self::new("this word is not known here", suggest::hint(word, known, "known"))
    }

    /// The one phrase for what interfaces promise and this version does not have.
    pub(super) fn not_yet_available() -> Self {
        Self::new("not yet available", "this comes with a later version of Valet; remove it for now")
    }
}

/// The name of something declared elsewhere in the file.
pub(super) struct NameOf(pub(super) Names);

impl Shape for NameOf {
    type Out = Arc<str>;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Arc<str>> {
        let name = scalar("a name", node, place, cx)?.text();
        cx.mention(self.0, name, place);
        Some(name.into())
    }

    fn schema(&self) -> Json {
        json!({"type": ["string", "integer"], "description": format!("The name of {}.", self.0.a_noun())})
    }

    fn show(&self, name: &Arc<str>) -> Json {
        (**name).into()
    }
}
