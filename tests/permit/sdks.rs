//! What SDKs send is signed: each request for which their own signers were asked.

use crate::world::{account, sign_at, whole};
use valet::mint::{RequestRefusal, StorageService};

type Sent = (String, String, String, Vec<(String, String)>);

fn service_of(url: &str) -> StorageService {
    let is_named = |service: &StorageService| url.contains(&format!(".{}.", service.as_str()));
    StorageService::ALL.into_iter().find(is_named).unwrap()
}

#[test]
fn every_request_of_the_sdks_is_signed_under_a_grant_of_all_letters_and_under_no_other_container() {
    let sent: Vec<Sent> = serde_json::from_str(include_str!("data/sdk-requests.json")).unwrap();
    assert!(sent.len() > 100, "{}", sent.len());
    let account = account(&[]);
    for (sdk, method, url, headers) in &sent {
        let service = service_of(url);
        let letters = match service {
            StorageService::Blob => "racwdxyltfmeopi",
            StorageService::Dfs => "racwdlmeop",
            StorageService::File => "rcwdl",
            StorageService::Queue => "raup",
            StorageService::Table => "raud",
        };
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signed = sign_at(&account, whole(service, letters), &format!("{method} {url}"), &headers);
        assert!(signed.is_ok(), "{sdk} {method} {url}: {signed:?}");
        let elsewhere = url.replacen("/landing", "/landing2", 1).replacen("/Metrics", "/Metrics2", 1);
        let refused = sign_at(&account, whole(service, letters), &format!("{method} {elsewhere}"), &headers);
        assert!(matches!(refused, Err(RequestRefusal::Outside(_))), "{sdk} {method} {elsewhere}: {refused:?}");
    }
}
