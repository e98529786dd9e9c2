use super::StorageService;

/// Why a storage account refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StorageRefusal {
    /// 403 `AuthorizationPermissionMismatch`.
    #[error(
        "it may not ask for user delegation keys; give it the role {:?} {}on the storage account as a whole, or another role with {} (new rights take some minutes)",
        .0.delegator_role(), others(*.0), .0.delegator_action()
    )]
    MissingRole(StorageService),
    /// 403 `KeyBasedAuthenticationNotPermitted`.
    #[error(
        "shared key access is off there, so nothing signed with an account key works; use grants of kind user-delegation-sas, or allow shared key access"
    )]
    SharedKeyOff,
    /// 403 `AuthorizationFailure`.
    #[error(
        "this address is not let in; add it to the storage account's firewall, use its private endpoint, or open its public network access"
    )]
    Firewall,
    /// 403 `AccountIsDisabled`.
    #[error("the storage account is disabled; look at it and its subscription in the Azure portal")]
    AccountDisabled,
    /// Another 403.
    #[error(
        "it is forbidden, for no reason that is known; look into the storage account's log, and at proxies on the way"
    )]
    Forbidden,
    /// 401, or 403 `AuthenticationFailed`, although it got a token, and a new one as well.
    #[error(
        "it does not accept the token; check that the identity's tenant is the storage account's, and this machine's clock"
    )]
    Unauthorized,
}

/// The other built-in roles that may.
fn others(service: StorageService) -> &'static str {
    match service {
        StorageService::Blob => "(Storage Blob Data Reader, Contributor and Owner will do too) ",
        StorageService::File | StorageService::Queue | StorageService::Table => "",
    }
}
