//! No text of the file in what is said about it, whatever stands where, and no panic.

use super::{env, files, folder, parse};
use proptest::prelude::*;
use std::{fs, io, path::Path};
use valet::{
    config::{self, Files},
    model::Kind,
};
use zeroize::Zeroizing;

/// Neither a name nor a word: nothing may show it.
const CANARY: &str = "ca/na+ry7f3a";

/// Of the form of a name: shown only where it is the name of something declared.
const NAME: &str = "canary7f3a";

/// The canary in each form that YAML has for it.
const FORMS: [&str; 6] = [
    "ca/na+ry7f3a",
    "'ca/na+ry7f3a'",
    "ca/na+ry7f3a: x",
    "[ca/na+ry7f3a]",
    "{ca/na+ry7f3a: ca/na+ry7f3a}",
    "\"ca/na+ry7f3a",
];

/// Everything that could be said of a text, in every form.
fn said(text: &[u8]) -> String {
    let loaded = config::parse(text, &folder("data"), &env(), &NoFiles);
    let problems = loaded.map_or_else(|problems| problems, |loaded| loaded.warnings);
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let json = serde_json::to_string(&problems).unwrap();
    format!("{}\n{json}\n{problems:?}\n{}", problems.render(Path::new("valet.yaml")), lines.join("\n"))
}

#[derive(Debug)]
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn problem_with_values(&self, _: &Path, _: Kind) -> Option<String> {
        Some("the file cannot be read".to_owned())
    }
}

/// Where the words of a text begin and end.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "_-./:*".contains(c);
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_of_word(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn with(text: &str, at: &std::ops::Range<usize>, word: &str) -> String {
    format!("{}{word}{}", &text[..at.start], &text[at.end..])
}

#[test]
fn a_secret_in_place_of_any_word_is_never_shown() {
    for file in files("data", "yaml") {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let has_every_key = file.ends_with("everything.yaml") || file.ends_with("brokered.yaml");
        let forms: &[&str] = if has_every_key { &FORMS } else { &FORMS[..1] };
        for at in words(&text) {
            for form in forms {
                let said = said(with(&text, &at, form).as_bytes());
                assert!(!said.contains(CANARY), "{} at {at:?}: {said}", file.display());
            }
            let is_value = !text[at.clone()].ends_with(':');
            let said = said(with(&text, &at, NAME).as_bytes());
            assert!(!is_value || !said.contains(NAME), "{} at {at:?}: {said}", file.display());
        }
    }
}

#[test]
fn a_secret_in_a_file_cut_anywhere_is_never_shown() {
    let text = fs::read_to_string(folder("data/everything.yaml")).unwrap().replace("client", CANARY);
    for (at, _) in text.char_indices() {
        let said = said(&text.as_bytes()[..at]);
        assert!(!said.contains(CANARY), "cut at {at}: {said}");
    }
}

#[test]
fn values_of_the_files_that_are_named_are_never_shown() {
    for file in files("data", "yaml") {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let problems = parse(&text).map_or_else(|problems| problems, |loaded| loaded.warnings);
        let said = problems.render(&file);
        assert!(!said.contains("canary") && !said.contains("Y2FuYXJ5"), "{}: {said}", file.display());
    }
}

/// Pieces that mean something in YAML or here.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "  ",
        "\t",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "#",
        "&a ",
        "*a",
        "!x ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "\\",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "? ",
        "<<: ",
        "~",
        "null",
        "\u{feff}",
        "\r\n",
        "\0",
        "é",
        "sources",
        "kind",
        "env",
        "key-vault",
        "routes",
        "\u{85}",
    ];
    prop_oneof![proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), Just(CANARY.to_owned()), "\\PC{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        said(&bytes);
    }

    #[test]
    fn no_pieces_make_it_panic_or_show_a_secret(pieces in proptest::collection::vec(piece(), 0..60)) {
        let said = said(pieces.concat().as_bytes());
        prop_assert!(!said.contains(CANARY), "{}", said);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic_or_show_a_secret(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), 0..8_usize, piece()), 1..6),
    ) {
        let mut text: Vec<char> = fs::read_to_string(folder("data/everything.yaml")).unwrap().chars().collect();
        for (at, gone, piece) in damage {
            let from = at.index(text.len());
            let to = (from + gone).min(text.len());
            text.splice(from..to, piece.chars());
        }
        let said = said(text.into_iter().collect::<String>().as_bytes());
        prop_assert!(!said.contains(CANARY), "{}", said);
    }
}
