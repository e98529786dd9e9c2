use super::{Limits, Node, SyntaxProblem, Value, decode};

fn yaml(text: &str) -> Result<Node, SyntaxProblem> {
    Node::from_yaml(text, Limits::default())
}

fn json(text: &str) -> Result<Node, SyntaxProblem> {
    Node::from_json(text, Limits::default())
}

/// The tree as text: `line:` before each value, `"…"` around what is quoted, `!` before a repeated key.
fn show(node: &Node) -> String {
    let inner = match &node.value {
        Value::Scalar(scalar) if scalar.is_plain() => scalar.text().to_owned(),
        Value::Scalar(scalar) => format!("{:?}", scalar.text()),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let entry = |entry: &super::Entry| {
                let mark = if entry.repeated { "!" } else { "" };
                format!("{mark}{}@{} {}", entry.key, entry.line, show(&entry.value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{}:{inner}", node.line)
}

fn shown(node: Result<Node, SyntaxProblem>) -> String {
    node.map_or_else(|problem| problem.to_string(), |node| show(&node))
}

#[test]
fn yaml_becomes_a_tree_with_lines_order_and_quoting() {
    let text = "b: 0660\na: ['x', \"y\\n\", z]\nn:\n\nm:\n  - k: |\n      text\n    l: ~\n  - 123456\nb: yes\n";
    assert_eq!(
        shown(yaml(text)),
        "1:{b@1 1:0660, a@2 2:[2:\"x\" 2:\"y\\n\" 2:z], n@3 3:, m@5 6:[6:{k@6 7:\"text\\n\", l@8 8:~} 9:123456], !b@10 10:yes}"
    );
}

#[test]
fn json_becomes_the_same_tree() {
    let text = "{\n\t\"b\": 1.50, \"a\": [\"\\ud83d\\ude00\", null,\n  true],\r\n \"b\": {},\"\\u0062\": 12345678901234567890123}";
    assert_eq!(
        shown(json(text)),
        "1:{b@2 2:1.50, a@2 2:[2:\"😀\" 2:null 3:true], !b@4 4:{}, !b@4 4:12345678901234567890123}"
    );
    assert_eq!(shown(json(" 5 ")), "1:5");
}

#[test]
fn null_is_what_yaml_1_2_calls_null_and_nothing_else() {
    for (text, null) in
        [("", true), ("# only a comment\n", true), ("---\n", true), ("~", true), ("null", true), ("Null", true)]
            .into_iter()
            .chain([("''", false), ("'null'", false), ("nil", false), ("no", false), ("[]", false), ("0", false)])
    {
        assert_eq!(yaml(text).map(|node| node.is_null()), Ok(null), "{text:?}");
    }
}

#[test]
fn aliases_are_unfolded() {
    assert_eq!(shown(yaml("a: &x {k: [1]}\nb: *x\n&y c: *y")), "1:{a@1 1:{k@1 1:[1:1]}, b@2 1:{k@1 1:[1:1]}, c@3 3:c}");
    assert_eq!(shown(yaml("- &k name\n- *k : 1")), "1:[1:name 2:{name@2 2:1}]");
    assert_eq!(shown(yaml("a: &x [1, *x]")), "line 1: this alias stands inside its own anchor");
}

#[test]
fn what_is_not_supported_is_refused_where_it_stands() {
    for (text, problem) in [
        ("a: 1\n---\nb: 2", "line 2: a second document starts here"),
        ("a: 1\n...\n---\nb: 2", "line 3: a second document starts here"),
        ("a: &x {k: 1}\nb:\n  <<: *x", "line 3: merge keys (`<<`) are not supported"),
        ("a: 1\nb: !secret x", "line 2: tags (`!`) are not supported"),
        ("a: !!map {}", "line 1: tags (`!`) are not supported"),
        ("a: {{ .Values.x }}", "line 1: a key is a list or a mapping"),
        ("? [a]\n: 1", "line 1: a key is a list or a mapping"),
        ("a: 1\nb: \0x", "line 2: there is a control character here"),
        ("a: 1\r\nb: 2\r\nc: \u{1b}[0m", "line 3: there is a control character here"),
    ] {
        assert_eq!(shown(yaml(text)), problem, "{text:?}");
    }
    assert_eq!(shown(yaml("'<<': 1")), "1:{<<@1 1:1}");
}

#[test]
fn syntax_problems_have_a_line_and_our_words() {
    for (text, problem) in [
        ("a: 1\n\tb: 2", "line 2: there is a tab where only spaces may be"),
        ("a:\n  - x\n\t- canary", "line 3: there is a tab where only spaces may be"),
        ("a:\n\tcanary: 2", "line 2: there is a tab where only spaces may be"),
        ("a: 1\nb: *", "line 2: `*` starts an alias and `&` an anchor, and this is neither"),
        ("a: 1\nb: *canary", "line 2: `*` starts an alias and `&` an anchor, and this is neither"),
        ("a: \"\\canary\"", "line 1: there is an unknown escape (`\\`) in double quotes"),
        ("a: 'canary\nb: 3", "line 1: a text in quotes is not closed, not indented, or more text follows it"),
        ("a: 'x' canary\nb: 3", "line 1: a text in quotes is not closed, not indented, or more text follows it"),
        ("a: [1, canary\nb: 3", "line 2: a list in `[]` or a mapping in `{}` is not written right"),
        ("a: {x: 1\ncanary: 2", "line 2: a list in `[]` or a mapping in `{}` is not written right"),
        ("a: 1\n\n}", "line 3: a list in `[]` or a mapping in `{}` is not written right"),
        ("a: 1\ncanary\n\n # c\nb: 2", "line 2: a key has no `:` after it"),
        ("a: b: canary", "line 1: a mapping is not written right"),
        ("a: 1\n canary: 2", "line 2: a mapping is not written right"),
        ("a:\n  b: 1\n canary: 2", "line 3: a mapping is not written right"),
        ("- a\ncanary: 1", "line 2: the indentation is wrong"),
        ("a: `canary`", "line 1: this is not YAML"),
        ("%YAML canary\n---\na: 1", "line 1: tags (`!`) and directives (`%`) are not supported"),
    ] {
        assert_eq!(shown(yaml(text)), problem, "{text:?}");
    }
    for (text, problem) in [
        ("{\"a\": 1,\n \"b\"", "line 2: the document ends too early"),
        ("", "line 1: the document ends too early"),
        ("{\"a\": 1,\n canary}", "line 2: this is not JSON"),
        ("[1] canary", "line 1: this is not JSON"),
        ("[1,\n\"\\ud800\"]", "line 2: a text holds something that is no character"),
    ] {
        assert_eq!(shown(json(text)), problem, "{text:?}");
    }
}

#[test]
fn a_document_is_bounded_in_bytes_depth_and_values() {
    let limits = Limits { bytes: 100, depth: 3, nodes: 10 };
    for parse in [Node::from_yaml, Node::from_json] {
        let parse = |text: &str| shown(parse(text, limits));
        assert_eq!(parse(&" ".repeat(101)), "line 1: the document is too large");
        assert_eq!(parse("[[[1]]]"), "1:[1:[1:[1:1]]]");
        assert_eq!(parse("[[[\n[1]]]]"), "line 2: the document is nested too deeply");
        assert_eq!(parse("[1,2,3,4,5,6,7,8,9]").len(), 39);
        assert_eq!(parse("[1,2,3,4,5,6,7,8,9,\n10]"), "line 2: the document holds too many values");
    }
    for deep in ["[".repeat(900_000), "{\"a\":".repeat(200_000), "- ".repeat(400_000), "{".repeat(900_000)] {
        assert_eq!(shown(yaml(&deep)), "line 1: the document is nested too deeply");
    }
    assert_eq!(
        shown(json(&format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)))),
        "line 1: the document is nested too deeply"
    );
}

#[test]
fn an_alias_bomb_does_not_unfold() {
    let level = |level: u32| match level.checked_sub(1) {
        None => "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
        Some(below) => format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 9].join(", ")),
    };
    let text: String = (0..20).map(level).collect();
    assert_eq!(shown(yaml(&text)), "line 5: the document holds too many values");
    let long = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(50));
    assert_eq!(shown(yaml(&long)), "line 2: the document holds too many values");
}

#[test]
fn bytes_are_utf_8_with_or_without_a_byte_order_mark() {
    assert_eq!(decode(b"\xEF\xBB\xBFa: 1"), Ok("a: 1"));
    let message = |bytes: &'static [u8]| decode(bytes).map_err(|problem| problem.to_string());
    assert_eq!(message(b"a: 1\r\nb: \xFF\xFE"), Err("line 2: the text is not UTF-8".to_owned()));
    assert_eq!(message(b"\xFF\xFEa\0"), Err("line 1: the text is UTF-16".to_owned()));
}

#[test]
fn debug_shows_no_text() {
    let node = yaml("canary: [canary, {a: canary}]").expect("it is YAML");
    let Value::Map(entries) = &node.value else { panic!("it is a mapping") };
    assert!(!format!("{node:?} {entries:?} {:?}", node.value).contains("canary"));
}
