use super::{
    context::{Context, Names},
    place::{Keys, Place, Placed},
    problem::Problem,
    shape::{Shape, Wrong},
    suggest,
};
use crate::model::document::{Entry, Value};
use serde_json::{Map, Value as Json, json};
use std::hash::Hash;

/// A mapping with known keys. Whoever takes it apart asks for one key after the other, with a line of documentation each: in a file each is
/// read, for the schema each is written down. So ask for every key before you return.
pub(super) struct Record<'a, 'c> {
    source: Option<Source<'a, 'c>>,
    keys: Vec<Key>,
    variants: Option<Variants>,
    /// Whether the schema is asked for, and not just what the keys are called.
    with_schemas: bool,
}

/// The mapping in the file.
struct Source<'a, 'c> {
    entries: &'a [Entry],
    place: &'a Place,
    cx: &'a mut Context<'c>,
    /// Keys that should be there, with their documentation.
    missing: Vec<(&'static str, &'static str)>,
    /// Something here is of a later version, and may stand for what is missing.
    may_miss: bool,
    /// The kind is not known, and so neither are its keys.
    may_have_more: bool,
}

/// A key that has been asked for.
struct Key {
    name: &'static str,
    need: Need,
    /// Only when describing.
    schema: Json,
}

/// Whether a key has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    /// Known, so that its being there can be explained.
    Never,
}

/// The keys of each kind, when describing.
struct Variants {
    key: &'static str,
    kinds: Vec<(&'static str, &'static str, Vec<Key>)>,
}

/// One kind of a thing that comes in several: its word, its documentation, and what takes it apart.
pub(super) struct Variant<T> {
    pub(super) word: &'static str,
    pub(super) doc: &'static str,
    pub(super) read: fn(&mut Record<'_, '_>) -> Option<T>,
}

impl<'a, 'c> Record<'a, 'c> {
    /// Takes a mapping of the file apart.
    pub(super) fn read<T>(
        entries: &'a [Entry],
        place: &'a Place,
        cx: &'a mut Context<'c>,
        take: &impl Fn(&mut Record<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let source = Source { entries, place, cx, missing: Vec::new(), may_miss: false, may_have_more: false };
        let mut record = Record { source: Some(source), keys: Vec::new(), variants: None, with_schemas: false };
        let value = take(&mut record);
        record.finish();
        value
    }

    /// The JSON Schema of the mapping.
    pub(super) fn describe<T>(take: &impl Fn(&mut Record<'_, '_>) -> Option<T>) -> Json {
        let mut record = Record { source: None, keys: Vec::new(), variants: None, with_schemas: true };
        take(&mut record);
        record.schema()
    }

    /// A key that has to be there.
    pub(super) fn required<S: Shape>(&mut self, key: &'static str, doc: &'static str, shape: &S) -> Option<S::Out> {
        self.note_key(key, Need::Required, || documented(shape.schema(), doc));
        let source = self.source.as_mut()?;
        let Some((entry, place)) = source.find(key) else {
            source.missing.push((key, doc));
            return None;
        };
        shape.read(&entry.value, &place, source.cx)
    }

    /// A key that may be left out, or be null, which is the same.
    pub(super) fn optional<S: Shape>(&mut self, key: &'static str, doc: &'static str, shape: &S) -> Option<S::Out> {
        self.note_key(key, Need::Optional, || documented(or_null(&shape.schema()), doc));
        let source = self.source.as_mut()?;
        let (entry, place) = source.find(key)?;
        if entry.value.is_null() { None } else { shape.read(&entry.value, &place, source.cx) }
    }

    /// A key with a default.
    pub(super) fn defaulted<S: Shape>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        shape: &S,
        default: S::Out,
    ) -> S::Out {
        let value = self.optional(key, doc, shape);
        self.show_default(|| shape.show(&default));
        value.unwrap_or(default)
    }

    /// A key whose null means "none" and is not the default.
    pub(super) fn nullable<S: Shape>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        shape: &S,
        default: Option<S::Out>,
    ) -> Option<S::Out> {
        let value = self.optional(key, doc, shape);
        self.show_default(|| default.as_ref().map_or(Json::Null, |value| shape.show(value)));
        if self.source.as_ref().is_some_and(|source| source.find(key).is_some()) { value } else { default }
    }

    /// A key of a later version. Nothing may stand there yet; null and empty collections ask for nothing.
    pub(super) fn later(&mut self, key: &'static str, doc: &'static str) {
        self.note_key(
            key,
            Need::Never,
            || json!({"description": format!("{doc} Not yet available."), "enum": [null, [], {}]}),
        );
        let Some(source) = &mut self.source else { return };
        let Some((entry, place)) = source.find(key) else { return };
        let asks_nothing = match &entry.value.value {
            Value::Scalar(_) => entry.value.is_null(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
        };
        if !asks_nothing {
            source.may_miss = true;
            Wrong::not_yet_available().note::<()>(&place, source.cx);
        }
    }

    /// The key that says of which kind the thing is, and then the keys of that kind.
    pub(super) fn variant<T>(
        &mut self,
        key: &'static str,
        doc: &'static str,
        variants: &[Variant<T>],
        later: &'static [&'static str],
    ) -> Option<T> {
        let with_schemas = self.with_schemas;
        let kinds =
            || variants.iter().map(|variant| (variant.word, variant.doc, Self::keys_of(variant.read, with_schemas)));
        self.note_key(key, Need::Required, || documented(json!({"type": "string"}), doc));
        let Some(source) = &mut self.source else {
            self.variants = Some(Variants { key, kinds: kinds().collect() });
            return None;
        };
        source.may_have_more = true;
        let words = variants.iter().map(|variant| variant.word);
        let Some((entry, place)) = source.find(key).filter(|(entry, _)| !entry.value.is_null()) else {
            let hint = format!("known: {}", words.collect::<Vec<_>>().join(", "));
            let place = source.place.named(key, source.place.line());
            return source.cx.note(place.error(MISSING, hint));
        };
        let word = super::shape::scalar("a word", &entry.value, &place, source.cx)?.text();
        let Some(chosen) = variants.iter().find(|variant| variant.word == word) else {
            return Wrong::unknown_word(word, words, later).note(&place, source.cx);
        };
        source.may_have_more = false;
        let value = (chosen.read)(self);
        self.note_foreign_keys(key, kinds());
        value
    }

    /// Whether the mapping has the key, with something in it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.source.as_ref().and_then(|source| source.find(key)).is_some_and(|(entry, _)| !entry.value.is_null())
    }

    /// Where its keys are written, those that are asked for so far; `None` when describing.
    pub(super) fn places(&self) -> Option<Keys> {
        let source = self.source.as_ref()?;
        let keys = self.keys.iter().filter_map(|key| Some((key.name.to_owned(), source.find(key.name)?.1)));
        Some(Keys::new(source.place.clone(), keys))
    }

    /// Whether the whole file has declared no such name yet.
    pub(super) fn declares_no(&self, what: Names) -> bool {
        self.source.as_ref().is_some_and(|source| source.cx.names(what).next().is_none())
    }

    /// A key that is never right; answers whether it is there.
    pub(super) fn refuse(&mut self, key: &'static str, problem: impl FnOnce(&Place) -> Problem) -> bool {
        self.note_key(key, Need::Never, || json!(false));
        let is_there = self.has(key);
        if is_there {
            self.note(key, problem);
        }
        is_there
    }

    /// Notes a problem with the value of a key, or with the mapping as a whole where it does not have the key.
    pub(super) fn note(&mut self, key: &str, problem: impl FnOnce(&Place) -> Problem) {
        self.note_with(key, |place, _| Some(problem(place)));
    }

    /// As [`Self::note`], where it takes more than the place to see whether there is a problem.
    pub(super) fn note_with(&mut self, key: &str, problem: impl FnOnce(&Place, &Context<'_>) -> Option<Problem>) {
        if let Some(source) = &mut self.source {
            let place = source.find(key).map_or_else(|| source.place.clone(), |(_, place)| place);
            let problem = problem(&place, source.cx);
            source.cx.problems.extend(problem);
        }
    }

    /// The values of a list, each once.
    pub(super) fn distinct<T: Hash + Eq + Clone>(&mut self, list: Vec<Placed<T>>) -> Vec<T> {
        match &mut self.source {
            Some(source) => super::shape::distinct(list, source.cx),
            None => Vec::new(),
        }
    }

    fn note_key(&mut self, name: &'static str, need: Need, schema: impl FnOnce() -> Json) {
        let schema = if self.with_schemas { schema() } else { Json::Null };
        self.keys.push(Key { name, need, schema });
    }

    fn show_default(&mut self, default: impl FnOnce() -> Json) {
        if let (None, Some(Json::Object(schema))) = (&self.source, self.keys.last_mut().map(|key| &mut key.schema)) {
            schema.insert("default".to_owned(), default());
        }
    }

    fn keys_of<T>(take: fn(&mut Record<'_, '_>) -> Option<T>, with_schemas: bool) -> Vec<Key> {
        let mut record = Record { source: None, keys: Vec::new(), variants: None, with_schemas };
        take(&mut record);
        record.keys
    }

    /// Keys of other kinds than the chosen one are not unknown, but out of place.
    fn note_foreign_keys(
        &mut self,
        kind_key: &'static str,
        kinds: impl Iterator<Item = (&'static str, &'static str, Vec<Key>)>,
    ) {
        let all_known = |source: &Source<'_, '_>| source.entries.iter().all(|entry| self.knows(&entry.key));
        if self.source.as_ref().is_none_or(all_known) {
            return;
        }
        let mut foreign: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for (kind, _, keys) in kinds {
            for key in keys.into_iter().filter(|key| !self.knows(key.name)) {
                match foreign.iter_mut().find(|(name, _)| *name == key.name) {
                    Some((_, kinds)) => kinds.push(kind),
                    None => foreign.push((key.name, vec![kind])),
                }
            }
        }
        for (name, kinds) in foreign {
            let Some(source) = &mut self.source else { return };
            if let Some(entry) = source.entries.iter().find(|entry| entry.key == name) {
                let hint = format!("it is a key of `{kind_key}: {}`", kinds.join("`, `"));
                let place = source.place.named(name, entry.line);
                source.cx.problems.push(place.error("this key does not belong here", hint));
                self.keys.push(Key { name, need: Need::Never, schema: Json::Null });
            }
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    /// Notes what is missing, unknown and repeated.
    fn finish(self) {
        let Some(Source { entries, place, cx, missing, may_miss, may_have_more }) = self.source else { return };
        let known = || self.keys.iter().map(|key| key.name);
        let offered: Vec<_> = self.keys.iter().filter(|key| key.need != Need::Never).map(|key| key.name).collect();
        for entry in entries {
            let is_known = known().any(|name| name == entry.key);
            let meant = if is_known { None } else { suggest::nearest(&entry.key, known()) };
            let shown = if is_known || meant.is_some() { entry.key.as_str() } else { "?" };
            let place = place.named(shown, entry.line);
            if entry.repeated {
                cx.problems.push(place.error("this key is here twice", "keep one of them"));
            } else if !is_known && !may_have_more {
                let hint = meant.map_or_else(
                    || format!("known keys: {}", offered.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                cx.problems.push(place.error("unknown key", hint));
            }
        }
        if !may_miss {
            for (key, doc) in missing {
                cx.problems
                    .push(place.named(key, place.line()).error(MISSING, format!("add `{key}`: {}", in_passing(doc))));
            }
        }
    }

    fn schema(self) -> Json {
        let Some(Variants { key, kinds }) = self.variants else { return object(self.keys.iter(), |_| None) };
        let kinds = kinds.iter().map(|(word, doc, keys)| {
            let is_kind = json!({"const": word, "description": doc});
            object(self.keys.iter().chain(keys), |name| (name == key).then(|| is_kind.clone()))
        });
        json!({"type": "object", "required": [key], "oneOf": kinds.collect::<Vec<_>>()})
    }
}

impl<'a> Source<'a, '_> {
    fn find(&self, key: &str) -> Option<(&'a Entry, Place)> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some((entry, self.place.key(key, entry.line, &entry.value)))
    }
}

/// A sentence as part of another one.
fn in_passing(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    match sentence.split_at_checked(1) {
        Some((first, rest)) if rest.starts_with(|c: char| !c.is_ascii_uppercase()) => first.to_lowercase() + rest,
        _ => sentence.to_owned(),
    }
}

pub(super) const MISSING: &str = "this key is missing";

fn object<'k>(keys: impl Iterator<Item = &'k Key>, instead: impl Fn(&str) -> Option<Json>) -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        properties.insert(key.name.to_owned(), instead(key.name).unwrap_or_else(|| key.schema.clone()));
        if key.need == Need::Required {
            required.push(key.name);
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn documented(mut schema: Json, doc: &str) -> Json {
    if let Json::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), doc.into());
    }
    schema
}

fn or_null(schema: &Json) -> Json {
    json!({"anyOf": [schema, {"type": "null"}]})
}
