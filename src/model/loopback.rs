use url::{Host, Url};

/// Whether the URL's host is this machine by its very name: 127.0.0.0/8, `::1`, localhost or *.localhost (RFC 6761, section 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => is_localhost(name),
        None => false,
    }
}

/// Whether the name is `localhost` or below it, with or without the final dot.
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.8.9.10", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://LOCALHOST.", true),
            ("http://acme.localhost:4997", true),
            ("http://localhost.acme.net", false),
            ("http://notlocalhost", false),
            ("http://127.0.0.1.nip.io", false),
            ("http://10.0.0.1", false),
            ("http://[::ffff:127.0.0.1]", false),
            ("http://0.0.0.0", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
