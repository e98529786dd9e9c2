use super::{BadGrant, ScopeConfig, StorageService};
use crate::sign::AccountName;

/// What of an account's requests a shared-key grant lets be signed: one service, one container, share, queue or table, some permissions.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "what decides about requests comes next")]
pub struct RequestScope {
    service: StorageService,
    account: AccountName,
    endpoint: String,
    scope: ScopeConfig,
}

impl RequestScope {
    pub(super) fn new(
        service: StorageService,
        account: AccountName,
        endpoint: String,
        scope: &ScopeConfig,
    ) -> Result<Self, BadGrant> {
        // What a signature cannot hold to must not look as if it did.
        let unkept = [
            ("snapshot", scope.snapshot.is_some()),
            ("version_id", scope.version_id.is_some()),
            ("identifier", scope.identifier.is_some()),
            ("ip", scope.ip.is_some()),
            ("encryption_scope", scope.encryption_scope.is_some()),
        ];
        match unkept.into_iter().find(|(_, written)| *written) {
            Some((field, _)) => {
                Err(BadGrant { field, problem: "is nothing that a shared-key grant can hold to".into() })
            }
            None => Ok(Self { service, account, endpoint, scope: scope.clone() }),
        }
    }
}
