//! What gives a secret away that is written out in valet.yaml, by the key that it stands under or by its own text. It is a help against slips
//! and no proof: a secret under an innocent key is not seen. The readers of `connections` call it.

/// Whether a key of a connection's `extra` holds a credential, by how its name ends. Key names differ in case, in `_` and `-`, and in Airflow's
/// prefix `extra__TYPE__`.
pub(super) fn is_named(key: &str) -> bool {
    const ENDS: [&str; 17] = [
        "accesskey",
        "accountkey",
        "apikey",
        "connectionstring",
        "keyfiledict",
        "keyjson",
        "masterkey",
        "passphrase",
        "passwd",
        "password",
        "primarykey",
        "privatekey",
        "sasurl",
        "secret",
        "secretkey",
        "servicekey",
        "token",
    ];
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    matches!(&*key, "sas" | "credential") || ENDS.iter().any(|end| key.ends_with(end))
}

/// Whether a text has a SAS signature, a key of a connection string or a private key in it.
pub(super) fn is_in(text: &str) -> bool {
    const MARKERS: [&str; 4] = ["accountkey=", "sharedaccesskey=", "sharedaccesssignature=", "private key-----"];
    let text = text.to_ascii_lowercase();
    // `sig=` is a word of its own, not the end of a longer one.
    let has_signature = text.match_indices("sig=").any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric()));
    has_signature || MARKERS.iter().any(|marker| text.contains(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_credentials_are_known_in_each_spelling() {
        for key in
            ["sas_token", "extra__wasb__sas_token", "TOKEN", "sharedAccessKey", "account-key", "client_secret", "sas"]
        {
            assert!(is_named(key), "{key}");
        }
        for key in
            ["sslmode", "account_name", "token_uri", "secret_scope", "tenant_id", "sslkey", "use_azure_identity_object"]
        {
            assert!(!is_named(key), "{key}");
        }
    }

    #[test]
    fn credentials_are_known_inside_a_longer_text() {
        for text in [
            "https://a.blob.core.windows.net/?sv=1&sig=x",
            "Endpoint=sb://a/;SharedAccessKeyName=p;SharedAccessKey=x",
            "accountkey=x",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(is_in(text), "{text}");
        }
        for text in ["", "design=modern", "https://a.blob.core.windows.net", "AccountName=a", "a signature"] {
            assert!(!is_in(text), "{text}");
        }
    }
}
