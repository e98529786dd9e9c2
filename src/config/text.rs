use super::shape::{Parse, Wrong};
use serde_json::{Value as Json, json};

/// Text under a rule.
pub(super) struct Text {
    pub(super) noun: &'static str,
    /// What the rule is, for people.
    pub(super) rule: &'static str,
    pub(super) is_right: fn(&str) -> bool,
    /// The rule as a regular expression, for the schema.
    pub(super) pattern: &'static str,
}

/// What only others can judge: any text without blanks and control characters.
pub(super) const fn opaque(noun: &'static str) -> Text {
    Text {
        noun,
        rule: "it is 1 to 256 characters without blanks",
        is_right: |text| {
            (1..=256).contains(&text.chars().count()) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        },
        pattern: "^\\S{1,256}$",
    }
}

/// The name of an environment variable (POSIX, 8.1).
pub(super) const VARIABLE: Text = Text {
    noun: "the name of an environment variable",
    rule: "it is made of letters, digits and `_`, and does not begin with a digit",
    is_right: |text| {
        text.len() <= 256
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    },
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
};

/// `true` or `false`.
pub(super) struct Flag;

impl Parse for Flag {
    type Out = bool;

    fn noun(&self) -> &'static str {
        "`true` or `false`"
    }

    fn parse(&self, text: &str) -> Result<bool, Wrong> {
        match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err(Wrong::new("this is neither of the two", "write `true` or `false`")),
        }
    }

    fn schema(&self) -> Json {
        json!({"type": "boolean"})
    }

    fn show(&self, flag: &bool) -> Json {
        (*flag).into()
    }
}

impl Parse for Text {
    type Out = String;

    fn noun(&self) -> &'static str {
        self.noun
    }

    fn parse(&self, text: &str) -> Result<String, Wrong> {
        if (self.is_right)(text) {
            Ok(text.to_owned())
        } else {
            Err(Wrong::new(format!("this is not {}", self.noun), self.rule))
        }
    }

    fn schema(&self) -> Json {
        // An unquoted number or boolean is text here.
        json!({"type": ["string", "number", "boolean"], "pattern": self.pattern})
    }

    fn show(&self, text: &String) -> Json {
        text.as_str().into()
    }
}
