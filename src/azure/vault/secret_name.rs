use std::fmt;

/// The name of a secret in a vault: 1 to 127 of `0-9a-zA-Z-`, nothing else
/// (<https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>). So it can never leave its place in a URL's path,
/// which the Azure crates do not escape.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 127;

    /// Parses a name; `None` where no vault can hold it.
    pub fn parse(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some(Self(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_leave_its_place_in_a_path_is_a_name() {
        for good in ["a", "A-1", "-", "--", &"x".repeat(127)] {
            assert_eq!(SecretName::parse(good.to_owned()).map(|name| name.to_string()), Some(good.to_owned()));
        }
        for bad in [
            "",
            "a/b",
            "..",
            "../deletedsecrets/x",
            "a/versions",
            "a?b",
            "a#b",
            "%2e",
            "a.b",
            "a_b",
            "a b",
            "é",
            "a\n",
            "\0",
            "😀",
            &"x".repeat(128),
        ] {
            assert_eq!(SecretName::parse(bad.to_owned()), None, "{bad:?}");
        }
    }
}
