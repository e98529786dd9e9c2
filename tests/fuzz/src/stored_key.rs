//! Account keys as vaults hold them: bare, or in a connection string.

use crate::{CANARY, check_message, choice, chosen};
use valet::{
    azure::NetworkConfig,
    mint::{AccountConfig, AccountKind, StorageConfig, StoredKey},
    model::Secret,
};

/// The first byte chooses the account.
pub fn run(data: &[u8]) {
    let Some((account, data)) = choice(data, accounts().len()) else { return };
    let Ok(text) = std::str::from_utf8(data) else { return };
    match StoredKey::parse(&accounts()[account], &Secret::new(text), None, None) {
        Err(error) => check_message(&error.to_string()),
        Ok(key) => {
            assert!(!key.text.expose().is_empty() && text.contains(key.text.expose()), "the key is not the stored one");
            assert_eq!(key.fingerprint.as_str().len(), 12);
            // The name of a policy may hold anything, and is shown.
            let shown = format!("{:?}", StoredKey { policy: None, ..key.clone() });
            assert!(!shown.contains(key.text.expose()) || key.text.expose().len() < 16, "a key is shown");
        }
    }
}

fn accounts() -> [AccountConfig; 4] {
    let url = |text: &str| text.parse().expect("a URL");
    let (account, suffix) = ("acmelanding".to_owned(), StorageConfig::SUFFIX.to_owned());
    [
        AccountKind::Storage(StorageConfig { account: account.clone(), suffix, endpoints: Vec::new() }),
        AccountKind::ServiceBus { host: "acme.servicebus.windows.net".to_owned(), policy: None },
        AccountKind::Cosmos { endpoint: url("https://acme.documents.azure.com") },
        AccountKind::Batch { account, endpoint: url("https://acme.westeurope.batch.azure.com") },
    ]
    .map(|kind| AccountConfig {
        name: "landing".into(),
        kind,
        keys: Vec::new(),
        identity: "default".into(),
        network: NetworkConfig::default(),
    })
}

/// As the portal offers them.
pub fn seeds() -> Vec<Vec<u8>> {
    let key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkrLw==";
    let storage = "DefaultEndpointsProtocol=https;AccountName=acmelanding;AccountKey=";
    let bus =
        "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=";
    vec![
        chosen(0, key),
        chosen(0, format!("{storage}{key};EndpointSuffix=core.windows.net")),
        chosen(0, format!("{storage}{CANARY}")),
        chosen(0, "BlobEndpoint=http://127.0.0.1:10000/acmelanding;SharedAccessSignature=sv=2022-11-02&sig=x"),
        chosen(1, key),
        chosen(1, format!("{bus}{key};EntityPath=orders")),
        chosen(2, format!("AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={key};")),
        chosen(3, format!("  {key}\r\n")),
    ]
}
