//! Lists, page by page. A list of more than one page has one empty page after its first, as the real service's lists may have; the
//! next page is found by the last item seen, so that a change in between neither repeats nor drops another item.

use base64::{Engine, engine::general_purpose::STANDARD};
use form_urlencoded::Serializer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{bundle, errors};
use crate::{reply::Reply, store::Store, visit::Visit};

/// The names, each with the attributes of its latest version.
pub(super) fn secrets(store: &Store, visit: &Visit) -> Result<Reply, Reply> {
    let entries = store.iter(false).filter_map(|secret| {
        let item = bundle::item(visit, secret, secret.latest()?, false);
        Some((secret.name.to_ascii_lowercase(), item))
    });
    page(visit, entries.collect())
}

/// The versions of a secret, in the order of their ids; of an unknown name none.
pub(super) fn versions(store: &Store, visit: &Visit, name: &str) -> Result<Reply, Reply> {
    let versions = store.get(name).into_iter().flat_map(|secret| {
        secret.versions.iter().map(move |version| (version.id.clone(), bundle::item(visit, secret, version, true)))
    });
    page(visit, versions.collect())
}

/// The soft-deleted secrets.
pub(super) fn deleted(store: &Store, visit: &Visit) -> Result<Reply, Reply> {
    let entries = store.iter(true).filter_map(|secret| {
        let item = bundle::deleted(visit, secret, secret.latest()?, false);
        Some((secret.name.to_ascii_lowercase(), item))
    });
    page(visit, entries.collect())
}

/// Where the next page starts.
#[derive(Default, Serialize, Deserialize)]
struct SkipToken {
    /// The key of the last item that was seen.
    after: String,
    /// Whether the empty page comes first.
    pause: bool,
}

impl SkipToken {
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
    }

    /// Standard base64, whose `+`, `/` and `=` a client must not lose in a URL.
    fn to_text(&self) -> String {
        STANDARD.encode(json!(self).to_string())
    }
}

fn page(visit: &Visit, mut entries: Vec<(String, Value)>) -> Result<Reply, Reply> {
    let size = page_size(visit)?;
    let token = match visit.query("$skiptoken") {
        None => None,
        Some(text) => Some(SkipToken::parse(&text).ok_or_else(|| errors::bad_parameter("Invalid skip token"))?),
    };
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some(token) = &token {
        entries.retain(|(key, _)| *key > token.after);
    }
    let next = match &token {
        Some(SkipToken { after, pause: true }) => {
            entries.clear();
            Some(SkipToken { after: after.clone(), pause: false })
        }
        _ if entries.len() > size => {
            entries.truncate(size);
            entries.last().map(|(key, _)| SkipToken { after: key.clone(), pause: token.is_none() })
        }
        _ => None,
    };
    let items: Vec<_> = entries.into_iter().map(|(_, item)| item).collect();
    let link = next.map(|next| link(visit, &next));
    Ok(Reply::json(StatusCode::OK, &json!({"value": items, "nextLink": link})))
}

fn page_size(visit: &Visit) -> Result<usize, Reply> {
    let Some(asked) = visit.query("maxresults") else { return Ok(MAX_PAGE) };
    let size = asked.parse().ok().filter(|size| (1..=MAX_PAGE).contains(size));
    size.ok_or_else(|| errors::bad_parameter(&format!("maxresults must be between 1 and {MAX_PAGE}")))
}

/// Absolute, on the host that was asked, and always with its port.
fn link(visit: &Visit, next: &SkipToken) -> String {
    let port =
        if visit.host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) { "" } else { ":443" };
    let version = visit.query("api-version").unwrap_or_default();
    let mut query = Serializer::new(String::new());
    query.append_pair("api-version", &version).append_pair("$skiptoken", &next.to_text());
    if let Some(size) = visit.query("maxresults") {
        query.append_pair("maxresults", &size);
    }
    format!("https://{}{port}{}?{}", visit.host, visit.path, query.finish())
}

/// Items in a page, at most and by default.
const MAX_PAGE: usize = 25;
