use super::{Budget, Entries, Limits, Node, SyntaxProblem, Value, text::Lines};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};
use std::fmt;

/// Reads one document. The text has passed [`super::text::check`].
///
/// Level by level, each value first as the text it is: so numbers keep their digits, and every value knows where it stands.
pub(super) fn parse(text: &str, limits: Limits) -> Result<Node, SyntaxProblem> {
    let root: &RawValue = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Eof => SyntaxProblem::new(
            error.line().max(1),
            "the document ends too early",
            "is a quote or a bracket not closed?",
        ),
        _ => SyntaxProblem::new(
            error.line().max(1),
            "this is not JSON",
            "is a quote, a comma or a bracket missing, or one too many?",
        ),
    })?;
    Reader { text, lines: Lines::of(text), budget: Budget::new(limits) }.node(root, 0)
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines,
    budget: Budget,
}

impl<'a> Reader<'a> {
    fn node(&mut self, raw: &'a RawValue, depth: usize) -> Result<Node, SyntaxProblem> {
        let line = self.line(raw);
        let source = raw.get();
        match source.as_bytes().first() {
            Some(b'{') => {
                self.enter(line, depth)?;
                let mut entries = Entries::default();
                for (key, value) in read::<Members>(line, source)?.0 {
                    let line = self.line(key);
                    let key: String = read(line, key.get())?;
                    self.budget.spend(line, 1, key.len())?;
                    let value = self.node(value, depth + 1)?;
                    entries.push(key, line, value);
                }
                Ok(Node { line, value: Value::Map(entries.all) })
            }
            Some(b'[') => {
                self.enter(line, depth)?;
                let items: Vec<&RawValue> = read(line, source)?;
                let items = items.into_iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?;
                Ok(Node { line, value: Value::List(items) })
            }
            Some(b'"') => {
                self.budget.spend(line, 1, source.len())?;
                Ok(Node::scalar(line, read::<String>(line, source)?, false))
            }
            _ => {
                self.budget.spend(line, 1, source.len())?;
                Ok(Node::scalar(line, source, true))
            }
        }
    }

    fn enter(&mut self, line: usize, depth: usize) -> Result<(), SyntaxProblem> {
        self.budget.spend(line, 1, 0)?;
        self.budget.check_depth(line, depth + 1)
    }

    fn line(&self, raw: &RawValue) -> usize {
        self.lines.at(raw.get().as_ptr().addr() - self.text.as_ptr().addr())
    }
}

/// What only a closer look at valid JSON finds: `"\ud800"`, half a character.
fn read<'a, T: Deserialize<'a>>(line: usize, source: &'a str) -> Result<T, SyntaxProblem> {
    serde_json::from_str(source).map_err(|_| {
        SyntaxProblem::new(
            line,
            "a text holds something that is no character",
            "an escape `\\ud800` to `\\udfff` needs its other half",
        )
    })
}

/// An object's members in the order written, repeated names included.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
