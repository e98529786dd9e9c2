//! Lists on the wire.

use serde_json::Value;
use valet_testvault::{Options, SecretSpec, TestVault};

use crate::client::{Client, v};

async fn filled(count: usize) -> TestVault {
    let vault = TestVault::start(Options::default()).await.expect("a test vault");
    for number in 0..count {
        vault.put_secret("default", &format!("n{number:03}"), SecretSpec::value("v")).expect("a secret");
    }
    vault
}

fn names(page: &Value) -> Vec<String> {
    let items = page["value"].as_array().expect("items");
    items
        .iter()
        .map(|item| item["id"].as_str().and_then(|id| id.rsplit('/').next()).expect("an id").to_owned())
        .collect()
}

/// The path of a link, its query written backwards, as a client may.
fn reordered(link: &str) -> String {
    let (path, query) = link.split_once('?').expect("a query");
    let pairs: Vec<_> = query.split('&').rev().collect();
    let path = path.splitn(4, '/').nth(3).expect("a path");
    format!("/{path}?{}", pairs.join("&"))
}

#[tokio::test]
async fn one_page_has_a_null_link() {
    let vault = filled(25).await;
    let page = Client::new(&vault).get(&v("/secrets")).await.expect("a page").json();
    assert_eq!((names(&page).len(), &page["nextLink"]), (25, &Value::Null));
    assert!(page.as_object().is_some_and(|page| page.contains_key("nextLink")));
}

#[tokio::test]
async fn several_pages_are_found_by_links_whatever_the_order_of_their_query() {
    let vault = filled(51).await;
    let client = Client::new(&vault);
    let (mut path, mut sizes, mut seen) = (v("/secrets"), Vec::new(), Vec::new());
    loop {
        let page = client.get(&path).await.expect("a page").json();
        sizes.push(names(&page).len());
        seen.extend(names(&page));
        let Some(link) = page["nextLink"].as_str() else { break };
        assert!(link.starts_with(&format!("{}/secrets?", vault.endpoints().vault_url)), "{link}");
        path = reordered(link);
    }
    assert_eq!(sizes, [25, 0, 25, 1]);
    assert_eq!(seen, (0..51).map(|number| format!("n{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_secret_that_comes_or_goes_between_pages_moves_no_other() {
    let vault = filled(40).await;
    let client = Client::new(&vault);
    let first = client.get(&v("/secrets")).await.expect("a page").json();
    vault.delete_secret("default", "n003").expect("a secret");
    vault.put_secret("default", "a-new-one", SecretSpec::value("v")).expect("a secret");
    let empty = client.get(&reordered(first["nextLink"].as_str().expect("a link"))).await.expect("a page").json();
    let last = client.get(&reordered(empty["nextLink"].as_str().expect("a link"))).await.expect("a page").json();
    assert_eq!(names(&empty), Vec::<String>::new());
    assert_eq!(names(&last), (25..40).map(|number| format!("n{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_size_out_of_range_and_a_broken_link_are_bad_parameters() {
    let vault = filled(1).await;
    let client = Client::new(&vault);
    for path in ["/secrets?maxresults=0", "/secrets?maxresults=26", "/secrets?maxresults=x", "/secrets?$skiptoken=x"] {
        assert_eq!(client.get(&v(path)).await.expect("an answer").status, 400, "{path}");
    }
}

#[tokio::test]
async fn an_item_has_no_value_and_no_version() {
    let vault = filled(1).await;
    let page = Client::new(&vault).get(&v("/secrets")).await.expect("a page").json();
    let item = page["value"][0].as_object().expect("an item");
    assert_eq!(item.keys().collect::<Vec<_>>(), ["attributes", "id"]);
    assert_eq!(item["id"], format!("{}/secrets/n000", vault.endpoints().vault_url));
}
