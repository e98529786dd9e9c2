use super::{
    context::Context,
    place::Place,
    shape::{Parse, Shape, Wrong, scalar},
};
use crate::{
    model::{document::Node, is_loopback},
    source::Target,
    transport::UnixConfig,
};
use serde_json::{Value as Json, json};
use url::Url;

/// The https URL of a host and nothing else: what a vault or an Entra endpoint is. http only on this machine, where tests and emulators are.
pub(super) struct HostUrl {
    pub(super) example: &'static str,
}

impl Parse for HostUrl {
    type Out = Url;

    fn noun(&self) -> &'static str {
        "a URL"
    }

    fn parse(&self, text: &str) -> Result<Url, Wrong> {
        parse(text, self.example, false)
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+/?$", "examples": [self.example]})
    }
}

/// The https URL of an account's service, with or without a path; http only on this machine. Emulators have the account as the path.
pub(super) struct EndpointUrl {
    pub(super) example: &'static str,
}

impl Parse for EndpointUrl {
    type Out = Url;

    fn noun(&self) -> &'static str {
        "a URL"
    }

    fn parse(&self, text: &str) -> Result<Url, Wrong> {
        parse(text, self.example, true)
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+(/[^?#\\s]*)?$", "examples": [self.example]})
    }
}

/// Where another Valet listens: `https://HOST:PORT`, or `unix:PATH`, absolute or relative to the directory of valet.yaml.
pub(super) struct TargetOf;

const TARGET: &str = "https://valet.airflow.svc:8443";

impl Shape for TargetOf {
    type Out = Target;

    fn read(&self, node: &Node, place: &Place, cx: &mut Context<'_>) -> Option<Target> {
        let text = scalar("a target", node, place, cx)?.text();
        let Some(path) = text.strip_prefix("unix:") else {
            return remote(text).map_err(|wrong| wrong.note::<()>(place, cx)).ok().map(Target::Https);
        };
        // gRPC's other spelling has an authority before the path, which is empty.
        let path = path.strip_prefix("//").unwrap_or(path);
        let is_path = !path.is_empty() && !path.contains(char::is_control) && !path.starts_with("~/");
        if !is_path {
            return cx.note(place.error("this is no path", "write it as unix:/run/valet/valet.sock"));
        }
        let path = cx.base.join(path);
        if path.as_os_str().len() > UnixConfig::MAX_PATH_BYTES {
            return cx.note(place.error("the path of a socket has at most 107 bytes", "choose a shorter one"));
        }
        Some(Target::Unix(path))
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^([Hh][Tt][Tt][Pp][Ss]://[^/?#@\\s]+/?|unix:.+)$", "examples": [TARGET, "unix:/run/valet/valet.sock"]})
    }
}

fn remote(text: &str) -> Result<Url, Wrong> {
    if text.starts_with('/') || text.starts_with('.') {
        return Err(Wrong::new("this is no target", format!("for a Unix socket write unix:PATH, else {TARGET}")));
    }
    if text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        let hint = "write https://, or unix:PATH for a Valet on the same machine";
        return Err(Wrong::new("another Valet is asked over TLS only: what it hands out are secrets", hint));
    }
    parse(text, TARGET, false)
}

fn parse(text: &str, example: &str, may_have_path: bool) -> Result<Url, Wrong> {
    let hint = format!("write it as {example}");
    let wrong = |message: &'static str| Wrong::new(message, hint.clone());
    // `Url` would drop or mend these without a word.
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') || !text.contains("://") {
        return Err(wrong("this is no URL"));
    }
    let url = Url::parse(text).map_err(|_| wrong("this is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("this URL has a user or password in it"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("http is only for hosts of this machine, such as 127.0.0.1")),
        _ => return Err(wrong("this URL is not https")),
    }
    if url.query().is_some() || url.fragment().is_some() || !(may_have_path || matches!(url.path(), "" | "/")) {
        return Err(wrong(if may_have_path {
            "this URL has a query or a fragment"
        } else {
            "this URL has more than a host and a port"
        }));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_url_is_https_or_local_and_nothing_but_a_host() {
        let shape = HostUrl { example: "https://x" };
        for good in [
            "https://acme.vault.azure.net",
            "https://acme.vault.azure.net/",
            "https://acme.vault.azure.net:8443",
            "HTTPS://Acme.Vault.Azure.Net",
            "https://10.0.0.4",
            "http://127.0.0.1:4997",
            "http://[::1]:4997/",
            "http://localhost",
            "http://vault.localhost:1",
        ] {
            assert!(shape.parse(good).is_ok(), "{good}");
        }
        for (bad, message) in [
            ("", "this is no URL"),
            ("acme.vault.azure.net", "this is no URL"),
            ("https://", "this is no URL"),
            ("https://a b", "this is no URL"),
            ("https:\\\\acme", "this is no URL"),
            ("https://acme:99999", "this is no URL"),
            ("https:acme", "this is no URL"),
            ("ftp://acme", "this URL is not https"),
            ("unix:///x", "this URL is not https"),
            ("http://acme.vault.azure.net", "http is only for hosts of this machine, such as 127.0.0.1"),
            ("http://localhost.acme.net", "http is only for hosts of this machine, such as 127.0.0.1"),
            ("http://0.0.0.0", "http is only for hosts of this machine, such as 127.0.0.1"),
            ("https://user@acme", "this URL has a user or password in it"),
            ("https://:pw@acme", "this URL has a user or password in it"),
            ("https://acme/secrets/x", "this URL has more than a host and a port"),
            ("https://acme?x", "this URL has more than a host and a port"),
            ("https://acme/#x", "this URL has more than a host and a port"),
        ] {
            assert_eq!(shape.parse(bad).unwrap_err().message, message, "{bad}");
        }
    }
}
