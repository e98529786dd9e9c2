use super::{Budget, Entries, Limits, Node, SyntaxProblem, TOO_DEEP, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use std::{borrow::Cow, collections::HashMap};

/// Reads one document. The text has passed [`super::text::check`].
pub(super) fn parse(text: &str, limits: Limits) -> Result<Node, SyntaxProblem> {
    let mut builder = Builder { open: Vec::new(), anchors: HashMap::new(), root: None, budget: Budget::new(limits) };
    let mut documents = 0;
    // Pulled one by one, so that the bounds hold before the next event is even scanned; the parser's own loader recurses.
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| in_our_words(&error, text))?;
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(SyntaxProblem::new(
                        line,
                        "a second document starts here",
                        "keep one document; remove the line `---`",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(line, tag.as_ref())?;
                builder.scalar(line, &text, style == ScalarStyle::Plain, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(line, tag.as_ref())?;
                builder.open(line, anchor, Container::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(line, tag.as_ref())?;
                builder.open(line, anchor, Container::Map(Entries::default(), None))?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Alias(anchor) => builder.alias(line, anchor)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(builder.root.unwrap_or_else(|| Node::scalar(1, "", true)))
}

struct Builder {
    open: Vec<Open>,
    /// By the parser's number of the anchor; one that is still open is not here yet.
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    budget: Budget,
}

struct Open {
    line: usize,
    anchor: usize,
    container: Container,
}

enum Container {
    List(Vec<Node>),
    /// The entries, and the key whose value comes next.
    Map(Entries, Option<(String, usize)>),
}

impl Builder {
    fn scalar(&mut self, line: usize, text: &str, plain: bool, anchor: usize) -> Result<(), SyntaxProblem> {
        self.budget.spend(line, 1, text.len())?;
        if let Some(Open { container: Container::Map(_, next @ None), .. }) = self.open.last_mut() {
            if plain && text == "<<" {
                return Err(SyntaxProblem::new(line, "merge keys (`<<`) are not supported", "write the keys out"));
            }
            *next = Some((text.to_owned(), line));
            if anchor != 0 {
                self.anchors.insert(anchor, Node::scalar(line, text, plain));
            }
            return Ok(());
        }
        self.place(Node::scalar(line, text, plain), anchor)
    }

    fn open(&mut self, line: usize, anchor: usize, container: Container) -> Result<(), SyntaxProblem> {
        self.budget.spend(line, 1, 0)?;
        self.budget.check_depth(line, self.open.len() + 1)?;
        if self.expects_key() {
            return Err(KEY_IS_NO_TEXT.at(line));
        }
        self.open.push(Open { line, anchor, container });
        Ok(())
    }

    fn close(&mut self) -> Result<(), SyntaxProblem> {
        let Open { line, anchor, container } = self.open.pop().expect("the parser pairs starts and ends");
        let value = match container {
            Container::List(items) => Value::List(items),
            Container::Map(entries, _) => Value::Map(entries.all),
        };
        self.place(Node { line, value }, anchor)
    }

    fn alias(&mut self, line: usize, anchor: usize) -> Result<(), SyntaxProblem> {
        let node = self.anchors.get(&anchor).ok_or(SyntaxProblem::new(
            line,
            "this alias stands inside its own anchor",
            "write out what it stands for",
        ))?;
        let weight = Weight::of(node);
        self.budget.spend(line, weight.nodes, weight.bytes)?;
        self.budget.check_depth(line, self.open.len() + weight.depth)?;
        let node = node.clone();
        if !self.expects_key() {
            return self.place(node, 0);
        }
        match node.value {
            Value::Scalar(scalar) => self.scalar(line, scalar.text(), scalar.is_plain(), 0),
            _ => Err(KEY_IS_NO_TEXT.at(line)),
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { container: Container::Map(_, None), .. }))
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxProblem> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.container) {
            None => self.root = Some(node),
            Some(Container::List(items)) => items.push(node),
            Some(Container::Map(entries, next)) => {
                let (key, line) = next.take().ok_or(KEY_IS_NO_TEXT.at(node.line))?;
                entries.push(key, line, node);
            }
        }
        Ok(())
    }
}

/// What an alias adds.
struct Weight {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl Weight {
    /// Recursion is bounded: the node was built within [`Limits::depth`].
    fn of(node: &Node) -> Self {
        let mut sum = Self { nodes: 1, bytes: 0, depth: 0 };
        let add = |node: &Node| {
            let weight = Self::of(node);
            sum.nodes += weight.nodes;
            sum.bytes += weight.bytes;
            sum.depth = sum.depth.max(weight.depth);
        };
        match &node.value {
            Value::Scalar(scalar) => return Self { bytes: scalar.text().len(), ..sum },
            Value::List(items) => items.iter().for_each(add),
            Value::Map(entries) => {
                entries.iter().map(|entry| &entry.value).for_each(add);
                sum.nodes += entries.len();
                sum.bytes += entries.iter().map(|entry| entry.key.len()).sum::<usize>();
            }
        }
        sum.depth += 1;
        sum
    }
}

fn refuse_tag(line: usize, tag: Option<&Cow<'_, Tag>>) -> Result<(), SyntaxProblem> {
    match tag {
        None => Ok(()),
        Some(_) => {
            Err(SyntaxProblem::new(line, "tags (`!`) are not supported", "put text that starts with `!` in quotes"))
        }
    }
}

const KEY_IS_NO_TEXT: SyntaxProblem =
    SyntaxProblem::new(0, "a key is a list or a mapping", "a template's `{{ … }}` that was not filled in?");

/// The scanner's messages may hold a character of the text and speak its own language; ours do neither.
fn in_our_words(error: &ScanError, text: &str) -> SyntaxProblem {
    let line = error.marker().line();
    let has = |words: &str| error.info().contains(words);
    let problem = |message, hint| SyntaxProblem::new(line, message, hint);
    if has("tab") && !has("alphabetic") {
        problem("there is a tab where only spaces may be", "indent with spaces").at(tab_from(line, text))
    } else if has("anchor") || has("alias") {
        problem(
            "`*` starts an alias and `&` an anchor, and this is neither",
            "put text that starts with `*` or `&` in quotes",
        )
    } else if has("recursion limit") {
        TOO_DEEP.at(line)
    } else if has("escape") || has("hexadecimal") {
        problem("there is an unknown escape (`\\`) in double quotes", "use single quotes, or write `\\\\`")
    } else if has("quoted scalar") {
        problem(
            "a text in quotes is not closed, not indented, or more text follows it",
            "is a quote missing, or one too many?",
        )
    } else if has("flow") || has("bracket") || has("illegal placement") || has("node content") {
        problem("a list in `[]` or a mapping in `{}` is not written right", "is a bracket or a comma missing?")
    } else if has("simple key") {
        problem("a key has no `:` after it", "write `key: value`").at(text_before(line, text))
    } else if has("mapping") || has("':'") {
        problem("a mapping is not written right", "check the indentation; put text that has `: ` in it in quotes")
    } else if has("indent") || has("block") {
        problem("the indentation is wrong", "what belongs together begins in the same column")
    } else if has("tag") || has("TAG") || has("directive") {
        problem("tags (`!`) and directives (`%`) are not supported", "put text that starts with `!` or `%` in quotes")
    } else {
        problem("this is not YAML", "put text with special characters in quotes")
    }
}

/// The first line from this one on that is indented with a tab: the scanner names the line where the text before it began.
fn tab_from(line: usize, text: &str) -> usize {
    let indented_with_tab = |text: &str| text[..text.len() - text.trim_start().len()].contains('\t');
    text.lines().skip(line - 1).position(indented_with_tab).map_or(line, |more| line + more)
}

/// The last line with text before this one: the scanner notices a missing `:` only when the next key comes.
fn text_before(line: usize, text: &str) -> usize {
    let lines: Vec<_> = text.lines().take(line - 1).map(str::trim_start).collect();
    lines.iter().rposition(|text| !text.is_empty() && !text.starts_with('#')).map_or(line, |index| index + 1)
}
