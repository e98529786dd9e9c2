use super::{Reader, mask::mask_of};
use crate::{
    cache::{Hit, Weigh},
    model::{Answer, Fault, FaultKind, Found, Kind, Lookup, Relayed, Revision, Secret},
};
use std::time::SystemTime;

/// A value that was read, with what has to be said of it each time it is served. Judged once, when it is read.
#[derive(Debug)]
pub struct Judged {
    found: Found,
    mask: Vec<Secret>,
    misread: bool,
}

impl Judged {
    pub(super) fn of(kind: Kind, name: &str, mut found: Found) -> Self {
        let text = found.value.expose();
        let misread = kind == Kind::Connection && airflow_would_misread(text);
        let mut mask = mask_of(kind, name, text);
        let told = found.relayed.as_mut().map(|relayed| std::mem::take(&mut relayed.mask));
        for secret in told.into_iter().flatten() {
            if !mask.contains(&secret) {
                mask.push(secret);
            }
        }
        Self { found, mask, misread }
    }

    /// A value that a reference leads to: no name of Airflow's is known for it.
    pub(super) fn referenced(found: Found) -> Self {
        Self::of(Kind::Variable, "", found)
    }

    /// The value itself.
    pub(super) fn text(&self) -> &Secret {
        &self.found.value
    }

    pub(super) fn answer(&self, reader: &Reader, lookup: &Lookup, hit: &Hit<Self>) -> Result<Answer, Fault> {
        if self.misread {
            let message = format!(
                "source {}: {} is neither a JSON object nor a URI, so Airflow would silently read a wrong connection from it; store it as \
                 JSON, e.g. {{\"conn_type\": \"wasb\", \"extra\": {{\"connection_string\": \"…\"}}}}",
                reader.source().name(),
                reader.source().location(lookup),
            );
            return Err(Fault::new(FaultKind::MalformedValue, message));
        }
        Ok(Answer {
            found: self.found.clone(),
            source: reader.source().name().clone(),
            age: hit.age,
            fresh_until: hit.fresh_until,
            state: hit.state,
            mask: self.mask.clone(),
        })
    }
}

impl Weigh for Judged {
    fn weight(&self) -> usize {
        let version = self.found.version.as_ref().map_or(0, |version| version.len());
        self.found.value.len() + version + self.mask.iter().map(|mask| mask.len() + size_of::<Secret>()).sum::<usize>()
    }

    fn ends_at(&self) -> Option<SystemTime> {
        self.found.expires_at.filter(|_| self.found.ends)
    }

    fn relayed(&self) -> Option<&Relayed> {
        self.found.relayed.as_deref()
    }

    fn revision(&self) -> Revision<'_> {
        self.found.revision()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.found.value == other.found.value
    }
}

/// Whether Airflow would take a stored connection for something that it is not, without an error.
///
/// `Connection.from_uri` takes whatever does not begin with `{` for a URI. Text without a scheme (a storage connection string, a bare SAS, a
/// JSON string or array) silently becomes a connection of no type whose schema is that text. What fails loudly (broken JSON, blanks only) or
/// counts as absent (nothing at all) is served as it is.
fn airflow_would_misread(value: &str) -> bool {
    let text = python_strip(value);
    if text.is_empty() || text.starts_with('{') {
        return false;
    }
    // Python's urlsplit drops leading blanks and control characters, and these three characters anywhere.
    let seen: String = text.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    let seen = seen.trim_start_matches(|c| c <= ' ');
    let Some((scheme, _)) = seen.split_once("://") else { return true };
    !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        || scheme.contains(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
}

/// `str.strip()`, by which Airflow begins to read: what Unicode calls white space, and four separators that Python counts among it.
pub(super) fn python_strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

#[cfg(test)]
mod tests {
    use super::airflow_would_misread;

    #[test]
    fn what_airflow_reads_or_refuses_loudly_is_served() {
        for value in [
            "",
            "  ",
            "{}",
            " {\"conn_type\": \"wasb\"} ",
            "{broken",
            "postgres://u:p@h:5432/db?x=1",
            "google-cloud-platform://?extra=1",
            "wasb://http://acct@127.0.0.1%3A10000%2Fdevstoreaccount1/?sas_token=sv%3D1",
            "\n fs:///?path=%2Ftmp",
            "https://acct.blob.core.windows.net/c?sv=1&sig=a%2B",
            "\u{1c}\u{a0}{}\u{1f}",
            "\u{1f}\u{85}http://h",
            "http:/\n/h",
        ] {
            assert!(!airflow_would_misread(value), "{value:?}");
        }
    }

    #[test]
    fn what_airflow_would_silently_misread_is_not() {
        for value in [
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b;EndpointSuffix=core.windows.net",
            "BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x",
            "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=v",
            "?sv=2024-11-04&sig=abc",
            "eyJhbGciOi.J9.abc",
            "\"str\"",
            "[1]",
            "null",
            "true",
            "mailto:someone",
            "google_cloud_platform://x",
            "1http://x",
            "://x",
            "\u{1}{}",
            "\u{feff}{}",
        ] {
            assert!(airflow_would_misread(value), "{value:?}");
        }
    }
}
