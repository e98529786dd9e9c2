//! A YAML or JSON document as a plain tree that knows its lines, read within bounds; types are decided by whoever uses a value, not here.
//! It never repeats the text in a problem or in `Debug`, because such files hold secrets. The readers of valet.yaml and of value files call it.

mod json;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

pub use text::decode;

use std::{collections::HashSet, fmt};
use zeroize::Zeroizing;

/// How much a document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes; also the most text that aliases may unfold to.
    pub bytes: usize,
    /// Most lists and mappings within each other.
    pub depth: usize,
    /// Most values and keys, after aliases are unfolded.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 32, nodes: 50_000 }
    }
}

/// A value and where it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Line, from 1. An empty value has the line of its key; an unfolded alias has the lines of its anchor.
    pub line: usize,
    /// What is written there.
    pub value: Value,
}

/// What a [`Node`] can be.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, number, boolean or null.
    Scalar(Scalar),
    /// A sequence or array.
    List(Vec<Node>),
    /// A mapping or object, in the order written, repeated keys included.
    Map(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key as text: a key `5` is the text `5`.
    pub key: String,
    /// The key's line.
    pub line: usize,
    /// Whether the mapping has the same key before this one.
    pub repeated: bool,
    /// Its value.
    pub value: Node,
}

/// A scalar as it is written, its type not decided.
#[derive(Clone, PartialEq, Eq)]
pub struct Scalar {
    text: Zeroizing<String>,
    plain: bool,
}

impl Scalar {
    /// A scalar; `plain` is one without quotes.
    pub fn new(text: impl Into<String>, plain: bool) -> Self {
        Self { text: Zeroizing::new(text.into()), plain }
    }

    /// The text: without quotes and escapes, but a number or boolean just as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is written without quotes, so that it may be a number, a boolean or null.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether it is null: nothing, `~` or `null` without quotes (YAML 1.2 core schema, 10.3.2).
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// Why a text is no document, or none that is accepted. It cannot hold any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SyntaxProblem {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

impl SyntaxProblem {
    const fn new(line: usize, message: &'static str, hint: &'static str) -> Self {
        Self { line, message, hint }
    }

    const fn at(self, line: usize) -> Self {
        Self { line, ..self }
    }
}

impl Node {
    /// Reads one YAML 1.2 document; a text without any value is null. Aliases are unfolded; tags, merge keys and further documents are refused.
    pub fn from_yaml(text: &str, limits: Limits) -> Result<Self, SyntaxProblem> {
        text::check(text, limits)?;
        yaml::parse(text, limits)
    }

    /// Reads one JSON document (RFC 8259).
    pub fn from_json(text: &str, limits: Limits) -> Result<Self, SyntaxProblem> {
        text::check(text, limits)?;
        json::parse(text, limits)
    }

    fn scalar(line: usize, text: impl Into<String>, plain: bool) -> Self {
        Self { line, value: Value::Scalar(Scalar::new(text, plain)) }
    }

    /// Whether it is a null scalar.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// `text`, `a list`, `a mapping`, `nothing`: for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// The entries of a mapping under construction.
#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    seen: HashSet<String>,
}

impl Entries {
    fn push(&mut self, key: String, line: usize, mut value: Node) {
        if matches!(&value.value, Value::Scalar(scalar) if scalar.is_plain() && scalar.text().is_empty()) {
            // The parser has already skipped to whatever comes next.
            value.line = line;
        }
        let repeated = !self.seen.insert(key.clone());
        self.all.push(Entry { key, line, repeated, value });
    }
}

const TOO_DEEP: SyntaxProblem = SyntaxProblem::new(0, "the document is nested too deeply", "is a bracket not closed?");

/// What is left of [`Limits`] while a document is read.
struct Budget {
    depth: usize,
    nodes: usize,
    bytes: usize,
}

impl Budget {
    fn new(limits: Limits) -> Self {
        Self { depth: limits.depth, nodes: limits.nodes, bytes: limits.bytes }
    }

    fn spend(&mut self, line: usize, nodes: usize, bytes: usize) -> Result<(), SyntaxProblem> {
        let left = self.nodes.checked_sub(nodes).zip(self.bytes.checked_sub(bytes));
        (self.nodes, self.bytes) = left.ok_or(SyntaxProblem::new(
            line,
            "the document holds too many values",
            "aliases count as often as they are used; split the file or write it without them",
        ))?;
        Ok(())
    }

    fn check_depth(&self, line: usize, depth: usize) -> Result<(), SyntaxProblem> {
        if depth <= self.depth { Ok(()) } else { Err(TOO_DEEP.at(line)) }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} at line {})", self.kind(), self.line)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(..)")
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry(line {}, {:?})", self.line, self.value)
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(..)")
    }
}
