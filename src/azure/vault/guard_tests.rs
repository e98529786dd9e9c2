//! What only the crate's own paging can show: that a link to elsewhere is not followed.

use super::*;
use crate::{
    azure::{Azure, IdentityConfig, IdentityKind, NetworkConfig, Nonsense, SystemResolver, http::our_error},
    clock::SystemClock,
    env::MapEnv,
    model::Reference,
    telemetry::Counters,
};
use futures::TryStreamExt;
use std::sync::Arc;
use valet_testvault::{Fault, FaultRule, Options, Seed, TestVault};

#[tokio::test]
async fn a_link_to_another_host_is_refused_before_anything_is_sent_to_it() {
    let there =
        TestVault::start(Options { seed: Seed::of([("a", "1"), ("b", "2")]), ..Options::default() }).await.unwrap();
    let endpoints = there.endpoints();
    let network = NetworkConfig { ca_file: Some(endpoints.ca_file.clone()) };
    let identity = IdentityConfig {
        name: "prod".into(),
        kind: IdentityKind::ClientSecret {
            tenant_id: endpoints.tenant_id.clone(),
            client_id: endpoints.client_id.clone(),
            client_secret: Reference::Env("SECRET".to_owned()),
        },
        authority_host: Some(endpoints.authority_url.parse().unwrap()),
        network: network.clone(),
    };
    let env = MapEnv::new([("SECRET", endpoints.client_secret.clone())]);
    let azure = Azure::new(
        Arc::new(env),
        Arc::new(SystemClock::new()),
        Arc::new(SystemResolver),
        Arc::new(|| 0),
        Arc::new(Counters::new()),
    );
    let vault = azure.vault(&endpoints.vault_url.parse().unwrap(), &identity, &network).unwrap();
    let list = || async { vault.client.list_secret_properties(None).unwrap().try_collect::<Vec<_>>().await };
    assert_eq!(list().await.unwrap().len(), 2);

    let port = endpoints.foreign_url.rsplit(':').next().unwrap();
    for link in [
        None,
        Some(format!("https://localhost:{port}/secrets")),
        Some(format!("{}@127.0.0.1:{port}/secrets", endpoints.vault_url)),
        Some(endpoints.vault_url.replace("https://", "https://user:pass@")),
    ] {
        there.inject(FaultRule::new(Fault::ForeignNextLink { location: link.clone() }).times(1));
        let error = list().await.unwrap_err();
        assert!(
            matches!(our_error(&error), Some(Error::Nonsense { why: Nonsense::ForeignHost, .. })),
            "{link:?}: {error:?}"
        );
    }
    assert_eq!((there.counters().foreign_requests, there.counters().lists), (0, 5));
}
