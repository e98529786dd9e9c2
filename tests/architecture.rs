//! Proves the map of the crate: imports point one way, each room says what it is for, no file outgrows its reader.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use proc_macro2::{Span, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Attribute, Expr, Ident, Item, ItemMod, ItemUse, Lit, Macro, Meta, UseTree, spanned::Spanned as _, visit::Visit,
};

/// Who may import whom; the rooms that are not built yet have their lines already. `config` may also import what a room's own `config.rs` defines.
const ROOMS: [(&str, &[&str]); 20] = [
    ("model", &[]),
    ("clock", &[]),
    ("env", &[]),
    ("proto", &[]),
    ("telemetry", &["model"]),
    ("sign", &["model"]),
    ("azure", &["model", "clock", "env", "telemetry"]),
    ("source", &["model", "clock", "env", "azure", "proto", "telemetry"]),
    ("mint", &["model", "clock", "sign", "azure", "telemetry"]),
    ("cache", &["model", "clock", "telemetry"]),
    ("policy", &["model"]),
    ("audit", &["model", "clock", "telemetry"]),
    ("broker", &["model", "clock", "policy", "audit", "cache", "source", "mint", "telemetry"]),
    ("transport", &["model", "clock", "broker", "audit", "proto", "telemetry"]),
    ("config", &["model", "env"]),
    ("doctor", &["model", "clock", "env", "azure", "source", "mint", "sign", "broker", "config", "telemetry"]),
    ("load", &["model", "clock", "proto", "telemetry"]),
    ("overlay", &["config"]),
    (
        "app",
        &[
            "model",
            "clock",
            "env",
            "proto",
            "telemetry",
            "sign",
            "azure",
            "source",
            "mint",
            "cache",
            "policy",
            "audit",
            "broker",
            "transport",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "doctor",
            "load",
            "overlay",
            "sign",
            "policy",
            "env",
            "model",
            "clock",
            "proto",
            "telemetry",
        ],
    ),
];

const MOST_LINES: usize = 500;

/// One mention of something in the crate: its path from the crate's root.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention {
    line: usize,
    path: Vec<String>,
}

/// Collects what a file mentions of the crate, wherever it does: `use` trees, paths in types and expressions, the tokens of macros.
struct Mentions {
    /// Where we are, from the crate's root.
    here: Vec<String>,
    /// Local names of things of the crate.
    names: BTreeMap<String, Vec<String>>,
    found: Vec<Mention>,
}

impl Mentions {
    /// Everything that this source, of the module `here`, mentions.
    fn of(here: &[&str], source: &str) -> Vec<Mention> {
        let file = syn::parse_file(source).unwrap();
        let here = here.iter().map(ToString::to_string).collect();
        let mut mentions = Self { here, names: BTreeMap::new(), found: Vec::new() };
        Names(&mut mentions).visit_file(&file);
        mentions.visit_file(&file);
        mentions.found
    }

    /// A path as it is written to a path from the crate's root; `None` where it leads out of the crate, or cannot be seen to lead into it.
    fn resolve(&self, written: &[String]) -> Option<Vec<String>> {
        let (first, rest) = written.split_first()?;
        let (mut base, mut rest) = match first.as_str() {
            "crate" | "valet" => (Vec::new(), rest),
            "self" => (self.here.clone(), rest),
            "super" => (self.here.clone(), written),
            name => (self.names.get(name)?.clone(), rest),
        };
        while let Some(("super", deeper)) = rest.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            base.pop();
            rest = deeper;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn mention(&mut self, span: Span, written: &[String]) {
        // A single name was judged where it was imported.
        if written.len() > 1
            && let Some(path) = self.resolve(written)
        {
            self.found.push(Mention { line: span.start().line, path });
        }
    }

    /// Paths within a macro's tokens: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut written, mut start, mut colons): (Vec<String>, _, _) = (Vec::new(), Span::call_site(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 || written.is_empty() => {
                    if written.is_empty() {
                        start = name.span();
                    }
                    written.push(name.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !written.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) => {
                    self.mention(start, &written);
                    (written, start, colons) = (vec![name.to_string()], name.span(), 0);
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            self.mention(start, &std::mem::take(&mut written));
            colons = 0;
        }
        self.mention(start, &written);
    }

    fn within(&mut self, module: &Ident, visit: impl FnOnce(&mut Self)) {
        self.here.push(module.to_string());
        visit(self);
        self.here.pop();
    }
}

/// Every leaf of a `use` tree: its local name, where it is, its path as it is written.
fn leaves(tree: &UseTree, before: &[String], found: &mut dyn FnMut(String, Span, Vec<String>)) {
    let with = |name: &Ident| {
        if name == "self" && !before.is_empty() { before.to_vec() } else { [before, &[name.to_string()]].concat() }
    };
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &[before, &[path.ident.to_string()]].concat(), found),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
        UseTree::Name(name) => {
            let path = with(&name.ident);
            found(path.last().cloned().unwrap_or_default(), name.span(), path);
        }
        UseTree::Rename(rename) => found(rename.rename.to_string(), rename.span(), with(&rename.ident)),
        UseTree::Glob(glob) => found("*".to_owned(), glob.span(), [before, &["*".to_owned()]].concat()),
    }
}

/// The first pass: local names, so that the second can follow them wherever they stand.
struct Names<'a>(&'a mut Mentions);

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        leaves(&item.tree, &[], &mut |name, _, written| {
            if let Some(path) = self.0.resolve(&written) {
                self.0.names.insert(name, path);
            }
        });
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.0.here.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.0.here.pop();
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        leaves(&item.tree, &[], &mut |_, span, written| self.mention(span, &written));
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.within(&module.ident, |this| syn::visit::visit_item_mod(this, module));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.mention(path.span(), &written);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.tokens(call.tokens.clone());
        syn::visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        syn::visit::visit_attribute(self, attribute);
    }
}

/// What is wrong with the imports of a file of this room; `settings` are the items of the rooms' own `config.rs`.
fn judge(room: &str, mentions: &[Mention], settings: &BTreeSet<(String, String)>) -> Vec<String> {
    let rooms = BTreeMap::from(ROOMS);
    let Some(may) = rooms.get(room) else { return vec![format!("{room} is not in the table of rooms")] };
    let is_wrong = |mention: &&Mention| {
        let [other, item @ ..] = &*mention.path else { return false };
        let is_setting = room == "config"
            && item.first().is_none_or(|item| item == "config" || settings.contains(&(other.clone(), item.clone())));
        other != room && !may.contains(&other.as_str()) && !(is_setting && rooms.contains_key(other.as_str()))
    };
    let wrong = mentions.iter().filter(is_wrong);
    wrong.map(|mention| format!("line {}: {room} must not import {}", mention.line, mention.path.join("::"))).collect()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A file's module, from the crate's root.
fn module(file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src()).unwrap().with_extension("");
    let mut parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    parts.pop_if(|last| last == "mod");
    parts
}

/// What the rooms' own `config.rs` define, with the room.
fn settings() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for file in sources(&src()) {
        let [room, rest @ ..] = &*module(&file) else { continue };
        if rest.first().is_none_or(|part| part != "config") {
            continue;
        }
        for item in syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap().items {
            let name = match item {
                Item::Struct(item) => item.ident,
                Item::Enum(item) => item.ident,
                Item::Fn(item) => item.sig.ident,
                Item::Const(item) => item.ident,
                Item::Type(item) => item.ident,
                _ => continue,
            };
            found.insert((room.clone(), name.to_string()));
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let settings = settings();
    let mut wrong = Vec::new();
    for file in sources(&src()) {
        let module = module(&file);
        let here: Vec<_> = module.iter().map(String::as_str).collect();
        // The library's root names every room; the binary calls the command line.
        let ("lib" | "main", []) = (here[0], &here[1..]) else {
            let found = judge(here[0], &Mentions::of(&here, &fs::read_to_string(&file).unwrap()), &settings);
            wrong.extend(found.iter().map(|problem| format!("{}, {problem}", file.display())));
            continue;
        };
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_upward_import_is_caught_however_it_is_written() {
    let planted = |source: &str| judge("cache", &Mentions::of(&["cache", "entry"], source), &BTreeSet::new());
    let upward = |line: usize, path: &str| vec![format!("line {line}: cache must not import {path}")];
    for (source, line, path) in [
        ("use crate::broker::Broker;", 1, "broker::Broker"),
        ("use crate::{\n    model::Name,\n    broker::{self, Broker},\n};", 3, "broker"),
        ("use crate::broker as b;\nfn f() { b::go() }", 1, "broker"),
        ("use super::super::broker::Broker;", 1, "broker::Broker"),
        ("mod inner {\n    use super::super::super::broker::Broker;\n}", 2, "broker::Broker"),
        ("use crate::*;", 1, "*"),
        ("fn f() {\n    let it = crate::broker::Broker::new();\n}", 2, "broker::Broker::new"),
        ("struct S {\n    it: Vec<Option<crate::broker::Broker>>,\n}", 2, "broker::Broker"),
        ("impl crate::broker::Ask for S {}", 1, "broker::Ask"),
        ("fn f() {\n    println!(\"{}\", (1, crate::broker::name()));\n}", 2, "broker::name"),
        ("thread_local! { static S: super::super::broker::Broker = 1; }", 1, "broker::Broker"),
        ("macro_rules! m { () => { $crate::broker::Broker } }", 1, "broker::Broker"),
        ("use crate as root;\nfn f() -> root::broker::Broker {}", 2, "broker::Broker"),
        ("#[serde(with = crate::broker::text)]\nstruct S;", 1, "broker::text"),
        ("pub(in crate::broker) fn f() {}", 1, "broker"),
        ("use crate::attic::Box;", 1, "attic::Box"),
    ] {
        let found = planted(source);
        assert!(found.starts_with(&upward(line, path)), "{source}: {found:?}");
    }
}

#[test]
fn what_the_table_allows_is_no_upward_import() {
    let source = "
        //! See [`crate::broker`].
        use super::{Cache, store::Store};
        use crate::{model::{Fault, Lookup}, telemetry};
        use std::{env, time::Duration};
        fn f() {
            env::args();
            telemetry::go();
            self::g(Fault::new(1));
            println!(\"crate::broker {}\", broker::X);
        }";
    assert_eq!(judge("cache", &Mentions::of(&["cache", "entry"], source), &BTreeSet::new()), [""; 0]);
    let config = |source| {
        judge("config", &Mentions::of(&["config"], source), &BTreeSet::from([("cache".into(), "Config".into())]))
    };
    assert_eq!(config("use crate::cache::{self, Config};\nfn f(it: cache::Config) {}"), [""; 0]);
    assert_eq!(config("use crate::cache;\nfn f(it: cache::Cache) {}"), ["line 2: config must not import cache::Cache"]);
}

#[test]
fn each_room_opens_with_what_it_is_for_what_it_never_does_and_who_calls_it() {
    let mut wrong = Vec::new();
    for file in sources(&src()).iter().filter(|file| file.ends_with("mod.rs")) {
        let documentation = opening(&fs::read_to_string(file).unwrap());
        if sentences(&documentation) < 3 {
            wrong.push(format!("{}: {documentation}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "expected three sentences: {wrong:#?}");
}

/// The first paragraph of a file's own documentation.
fn opening(source: &str) -> String {
    let attributes = syn::parse_file(source).unwrap().attrs;
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Full stops with a blank or nothing after them, those of abbreviations apart.
fn sentences(text: &str) -> usize {
    let text = text.replace("e.g. ", "") + " ";
    text.matches(". ").count()
}

#[test]
fn three_sentences_are_counted_as_three() {
    assert_eq!(sentences("One `mod.rs` is one. Two, e.g. `a.b`. Three."), 3);
    assert_eq!(opening("//! A. B.\n//! C.\n//!\n//! D.\n\n/// E.\nfn f() {}"), "A. B. C.");
    assert_eq!(sentences("A: b; c."), 1);
}

#[test]
fn no_file_outgrows_its_reader() {
    let lines = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
    let long: Vec<_> = sources(&src()).into_iter().filter(|file| lines(file) > MOST_LINES).collect();
    assert!(long.is_empty(), "over {MOST_LINES} lines: {long:#?}");
}
