use super::judged::python_strip;
use crate::model::{Kind, Secret};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What to hide from logs when this value is served: the parts that are credentials, as they stand in the value and, where the value encodes
/// them, as they will look once they are decoded.
///
/// Airflow masks passwords and the values of keys that it finds sensitive, but neither account keys under most names nor the signature
/// inside a SAS.
pub(super) fn mask_of(kind: Kind, name: &str, value: &str) -> Vec<Secret> {
    let mut mask = Mask(Vec::new());
    let text = python_strip(value);
    match kind {
        Kind::Connection if text.starts_with('{') => mask.add_json(text, false),
        Kind::Connection => mask.add_uri(text),
        Kind::Variable | Kind::Config => {
            if is_sensitive(name) {
                mask.add(value);
            }
            if text.starts_with('{') {
                mask.add_json(text, false);
            } else {
                mask.add_embedded(text);
            }
        }
    }
    mask.0.into_iter().map(Secret::new).collect()
}

/// Shorter parts are not masked: hiding every "abc" would make logs unreadable (Airflow's `min_length_masked_secret` has the same default).
const MIN_BYTES: usize = 5;

/// Most parts of one value; each costs every log line of the task.
const MAX_PARTS: usize = 32;

/// Most levels of JSON inside JSON.
const MAX_DEPTH: usize = 8;

/// What makes a key's value sensitive when its name contains it: Airflow's own list, and what Azure calls its keys.
const SENSITIVE: [&str; 25] = [
    "accesskey",
    "accesstoken",
    "accountkey",
    "apikey",
    "authheader",
    "authorization",
    "bearer",
    "certificatedata",
    "connectionstring",
    "credential",
    "dsn",
    "keyfiledict",
    "keyjson",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "primarykey",
    "privatekey",
    "sastoken",
    "sasurl",
    "secret",
    "servicekey",
    "sharedaccess",
    "token",
];

/// What stands before a credential inside a larger text.
const MARKERS: [&str; 5] = ["sig=", "accountkey=", "sharedaccesskey=", "sharedaccesssignature=", "password="];

fn is_sensitive(key: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    key == "sas" || SENSITIVE.iter().any(|word| key.contains(word))
}

/// Whether a text is long enough to be hidden.
pub(super) fn is_worth_hiding(text: &str) -> bool {
    text.len() >= MIN_BYTES
}

struct Mask(Vec<String>);

impl Mask {
    fn add(&mut self, part: &str) {
        if is_worth_hiding(part) && self.0.len() < MAX_PARTS && !self.0.iter().any(|known| known == part) {
            self.0.push(part.to_owned());
        }
    }

    /// Adds a part both as it stands and percent-decoded.
    fn add_encoded(&mut self, part: &str) {
        self.add(part);
        self.add(&decoded(part));
    }

    fn add_json(&mut self, text: &str, sensitive: bool) {
        match serde_json::from_str(text) {
            Ok(value) => self.add_value(&value, sensitive, 0),
            Err(_) => self.add_embedded(text),
        }
    }

    fn add_value(&mut self, value: &Value, sensitive: bool, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.add_value(value, sensitive || is_sensitive(key), depth + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item, sensitive, depth + 1)),
            // Airflow's `extra` may be JSON inside a string.
            Value::String(text) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
                Ok(inner) => self.add_value(&inner, sensitive, depth + 1),
                Err(_) => self.add_text(text, sensitive),
            },
            Value::String(text) => self.add_text(text, sensitive),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str, sensitive: bool) {
        if sensitive {
            self.add(text);
        }
        self.add_embedded(text);
    }

    fn add_uri(&mut self, uri: &str) {
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        // Airflow allows a second scheme for the host's protocol.
        let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((_, password)) = authority.rsplit_once('@').and_then(|(userinfo, _)| userinfo.split_once(':')) {
            self.add_encoded(password);
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let plain = decoded(value);
            if is_sensitive(key) {
                self.add_encoded(value);
            }
            if plain.trim_start().starts_with('{') {
                self.add_json(&plain, is_sensitive(key));
            } else {
                self.add_embedded(&plain);
            }
        }
        self.add_embedded(uri);
    }

    /// Adds the credentials that stand inside a larger text: SAS signatures, keys of connection strings.
    fn add_embedded(&mut self, text: &str) {
        // ASCII lower case leaves every byte at its place.
        let lower = text.to_ascii_lowercase();
        for marker in MARKERS {
            for (at, _) in lower.match_indices(marker) {
                // "sig=" is a word of its own: not the end of a longer name.
                if lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                    continue;
                }
                let rest = &text[at + marker.len()..];
                let ends: &[char] = match marker {
                    "sig=" => &['&', ';', '"', '\'', ' ', '\n', '\\'],
                    // A namespace's token has a blank in it: `SharedAccessSignature sr=…`.
                    "sharedaccesssignature=" => &[';', '"', '\'', '\n', '\\'],
                    _ => &[';', '"', '\'', ' ', '\n', '\\'],
                };
                self.add_encoded(rest.split(ends).next().unwrap_or_default());
            }
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(kind: Kind, value: &str) -> Vec<String> {
        mask_of(kind, "name", value).iter().map(|part| part.expose().to_owned()).collect()
    }

    #[test]
    fn a_json_connection_hides_its_password_and_its_keys_wherever_they_stand() {
        let value = r#"{"conn_type": "wasb", "login": "acct", "password": "hunter22", "extra":
            {"account_key": "a2V5a2V5", "sas_token": "?sv=1&sig=ab%2Bcd&se=2", "note": "plain"}}"#;
        assert_eq!(
            mask(Kind::Connection, value),
            ["a2V5a2V5", "?sv=1&sig=ab%2Bcd&se=2", "ab%2Bcd", "ab+cd", "hunter22"]
        );
    }

    #[test]
    fn an_extra_that_is_json_in_a_string_is_looked_into() {
        let value = r#"{"conn_type": "wasb", "extra": "{\"shared_access_key\": \"c2VjcmV0\"}"}"#;
        assert_eq!(mask(Kind::Connection, value), ["c2VjcmV0"]);
    }

    #[test]
    fn a_uri_hides_its_password_and_its_sensitive_parameters_encoded_and_decoded() {
        let value = "wasb://acct:p%40ssw0rd@host/?sas_token=sv%3D1%26sig%3Dxy%252Bz&other=plain";
        assert_eq!(
            mask(Kind::Connection, value),
            ["p%40ssw0rd", "p@ssw0rd", "sv%3D1%26sig%3Dxy%252Bz", "sv=1&sig=xy%2Bz", "xy%2Bz"]
        );
    }

    #[test]
    fn a_connection_string_hides_its_key_whatever_the_variable_is_called() {
        let value =
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=bGtqaGdm==;EndpointSuffix=core.windows.net";
        assert_eq!(mask(Kind::Variable, value), ["bGtqaGdm=="]);
    }

    #[test]
    fn a_namespaces_token_is_hidden_whole_and_not_its_first_word() {
        let value = r#"{"schema": "Endpoint=sb://ns/;SharedAccessSignature=SharedAccessSignature sr=sb%3A%2F%2Fns&sig=ab%3D&se=1&skn=k;EntityPath=q"}"#;
        assert_eq!(
            mask(Kind::Connection, value),
            [
                "ab%3D",
                "ab=",
                "SharedAccessSignature sr=sb%3A%2F%2Fns&sig=ab%3D&se=1&skn=k",
                "SharedAccessSignature sr=sb://ns&sig=ab=&se=1&skn=k"
            ][..]
                .iter()
                .filter(|part| part.len() >= MIN_BYTES)
                .copied()
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_is_no_credential_or_too_short_to_hide_is_left() {
        assert!(mask(Kind::Variable, "just text, design=modern").is_empty());
        assert!(mask(Kind::Connection, r#"{"password": "abcd", "host": "db.example.com"}"#).is_empty());
    }
}
